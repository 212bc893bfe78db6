/** `operator check`: what `helm test` runs. Uses the operator's own settings and the same adapters. */

import { asMaasError } from '../contracts/errors.ts';
import type { HdfsSettings } from '../contracts/hadoop-side.ts';
import { absoluteHdfsPath } from '../contracts/hdfs-path.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { storeLocation } from '../payload/hdfs-directory.ts';
import { parseServiceConfig } from '../wire/service-config.ts';

/** Failures are MaasErrors. */
export interface CheckedZooKeeper {
  /** Fails where it is not within this many milliseconds. */
  connected(timeoutMs: number): Promise<unknown>;
  get(path: string): Promise<{ readonly data: Uint8Array } | undefined>;
  close(): Promise<void>;
}

/** Failures are MaasErrors. */
export interface CheckedHdfs {
  home(signal: AbortSignal): Promise<string>;
  list(path: string, options: { limit: number; signal: AbortSignal }): Promise<unknown>;
  status(path: string, signal: AbortSignal): Promise<unknown>;
  checkAccess(path: string, action: string, signal: AbortSignal): Promise<void>;
}

export interface CheckedWorld {
  readonly read: () => Promise<OperatorSettings>;
  /** The delegation token, where there is one. */
  readonly token: () => Promise<string | undefined>;
  readonly connect: (settings: OperatorSettings['zookeeper']) => CheckedZooKeeper;
  readonly open: (settings: HdfsSettings, nameservice: string) => CheckedHdfs;
  readonly print: (line: string) => void;
}

const patienceMs = 20_000;

/** Prints a line a check: ok, FAIL, or note for what is missing and not needed by all. The exit status is 0 without FAIL. */
export async function checkWorld({ read, token, connect, open, print }: CheckedWorld): Promise<number> {
  let failures = 0;
  const check = async <T>(
    what: string,
    act: () => Promise<readonly [T, string]>,
    unneeded?: string,
  ): Promise<T | undefined> => {
    try {
      const [value, detail] = await act();
      print(`ok    ${what}: ${detail}`);
      return value;
    } catch (error) {
      const { code, message, next } = asMaasError(error);
      if (unneeded === undefined) failures += 1;
      const word = unneeded === undefined ? 'FAIL  ' : 'note  ';
      print(`${word}${what}: ${message} [${code}]\n      ${unneeded ?? next}`);
      return undefined;
    }
  };

  const settings = await check('settings', async () => [await read(), 'valid'] as const);
  if (settings === undefined) return 1;
  const zookeeper = connect(settings.zookeeper);
  await check('ZooKeeper', async () => {
    await zookeeper.connected(patienceMs);
    const node = await zookeeper.get(settings.zookeeper.configPath);
    const config = parseServiceConfig(node?.data, settings.zookeeper.configPath);
    const where =
      node === undefined ? 'by default, there is no configuration node' : `from ${settings.zookeeper.configPath}`;
    return [
      config,
      `${settings.zookeeper.quorum} answers, models are registered below ${config.serviceRoot} (${where})`,
    ];
  });
  await zookeeper.close();

  const { enabled } = settings.legacy.queue;
  const unneeded =
    enabled && settings.legacy.readFrom === 'Store'
      ? undefined
      : 'Only models with payload.readFrom: Store need it; see payloadStore.root of the chart.';
  for (const nameservice of Object.keys(settings.hdfs.nameservices)) {
    const hdfs = open(settings.hdfs, nameservice);
    const home = await check(`HDFS ${nameservice}`, async () => {
      const home = await hdfs.home(AbortSignal.timeout(patienceMs));
      await hdfs.list('/', { limit: 1, signal: AbortSignal.timeout(patienceMs) });
      const user = (await token()) === undefined ? `user ${settings.hdfs.user}` : 'the user of the token';
      return [home, `answers ${user}, whose home is ${home}`];
    });
    if (home === undefined) continue;
    const root = absoluteHdfsPath(storeLocation(settings.payloadStore, settings.hdfs, nameservice), home);
    await check(
      `payload store ${nameservice}`,
      async () => {
        await hdfs.checkAccess(await nearest(hdfs, root), '-wx', AbortSignal.timeout(patienceMs));
        return [root, `${root} may be written to`];
      },
      unneeded,
    );
  }
  return failures === 0 ? 0 : 1;
}

/** The path, or the one above it that is there: whoever makes the path needs to write there. */
async function nearest(hdfs: CheckedHdfs, path: string): Promise<string> {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    if ((await hdfs.status(at, AbortSignal.timeout(patienceMs))) !== undefined) return at;
  }
  return '/';
}
