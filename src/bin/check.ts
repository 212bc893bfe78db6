/** `operator check`: what `helm test` runs. Uses the operator's own settings and the same adapters. */

import { createLog } from '../adapters/log.ts';
import { type Hdfs, openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { ZooKeeper } from '../adapters/zookeeper/zookeeper.ts';
import { asMaasError } from '../contracts/errors.ts';
import { absoluteHdfsPath } from '../contracts/hdfs-path.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import type { Clock } from '../kernel/clock.ts';
import { parseServiceConfig } from '../wire/service-config.ts';
import { storeLocation } from './hdfs-directory.ts';

const patienceMs = 20_000;

/** Prints a line a check: ok, FAIL, or note for what is missing and not needed by all. The exit status is 0 without FAIL. */
export async function checkWorld(
  read: () => Promise<OperatorSettings>,
  token: () => Promise<string | undefined>,
  clock: Clock,
  print: (line: string) => void,
): Promise<number> {
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
  const log = createLog({ name: 'check', level: 'silent' });

  const zookeeper = new ZooKeeper({
    quorum: settings.zookeeper.quorum,
    sessionTimeoutMs: settings.zookeeper.sessionTimeoutMs,
    clock,
    log,
  });
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
    const hdfs = openHdfs(settings.hdfs, nameservice, { clock, token });
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
async function nearest(hdfs: Hdfs, path: string): Promise<string> {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    if ((await hdfs.status(at, AbortSignal.timeout(patienceMs))) !== undefined) return at;
  }
  return '/';
}
