/** Joins payload rules and HDFS for the operator: one connection a nameservice, kept. */
import type { Clock } from '../adapters/clock.ts';
import { type Hdfs, openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { absoluteHdfsPath, parseHdfsPath } from '../api/hdfs-path.ts';
import type { HdfsSettings } from '../api/settings.ts';
import type { Payloads } from '../operator/ports.ts';
import { payloadChange, resolvePayload } from '../payload/resolve.ts';

interface Options {
  readonly clock: Clock;
  readonly log: { debug(fields: object, message: string): void };
  readonly token?: () => Promise<string | undefined>;
}

export function hdfsPayloads(settings: HdfsSettings, options: Options): Payloads {
  const open = new Map<string, Hdfs>();
  const hdfsOf = (nameservice: string): Hdfs => {
    let hdfs = open.get(nameservice);
    if (hdfs === undefined) {
      hdfs = openHdfs(settings, nameservice, options);
      open.set(nameservice, hdfs);
    }
    return hdfs;
  };
  return {
    async resolve(path, signal) {
      const location = parseHdfsPath(path, settings);
      const hdfs = hdfsOf(location.nameservice);
      const home = location.relative ? await hdfs.home(signal) : '/';
      const directory = absoluteHdfsPath(location, home);
      return resolvePayload(hdfs, { nameservice: location.nameservice, directory }, options.clock.now, signal);
    },
    async drift(pinned, signal) {
      return payloadChange(hdfsOf(pinned.nameservice), pinned, signal);
    },
  };
}
