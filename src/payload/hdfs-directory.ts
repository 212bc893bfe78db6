/** From paths as people and settings write them to directories of HDFS. */

import type { HdfsSettings } from '../contracts/hadoop-side.ts';
import { absoluteHdfsPath, type HdfsLocation, parseHdfsPath } from '../contracts/hdfs-path.ts';
import type { PayloadStoreSettings } from '../contracts/settings.ts';

/** The absolute path of a location; HDFS is asked for the home directory only where the location is relative to it. */
export async function directoryOf(
  hdfs: { home(signal?: AbortSignal): Promise<string> },
  location: HdfsLocation,
  signal: AbortSignal,
): Promise<string> {
  return absoluteHdfsPath(location, location.relative ? await hdfs.home(signal) : '/');
}

/** Where the payload store is in one of the nameservices. @throws MaasError HDFS_PATH_INVALID */
export function storeLocation(store: PayloadStoreSettings, hdfs: HdfsSettings, nameservice: string): HdfsLocation {
  return parseHdfsPath(store.root, { ...hdfs, defaultNameservice: nameservice });
}
