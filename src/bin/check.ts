/** `operator check`: what `helm test` runs. Uses the operator's own settings and the same adapters. */
import type { Clock } from '../adapters/clock.ts';
import { createLog } from '../adapters/log.ts';
import { openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { ZooKeeper } from '../adapters/zookeeper/zookeeper.ts';
import { asMaasError } from '../api/errors.ts';
import { parseServiceConfig } from '../api/service-config.ts';
import type { OperatorSettings } from '../api/settings.ts';

const patienceMs = 20_000;

/** Prints a line a check, ok or not; the exit status is 0 when all are. */
export async function checkWorld(
  read: () => Promise<OperatorSettings>,
  clock: Clock,
  print: (line: string) => void,
): Promise<number> {
  let failures = 0;
  const check = async <T>(what: string, act: () => Promise<readonly [T, string]>): Promise<T | undefined> => {
    try {
      const [value, detail] = await act();
      print(`ok    ${what}: ${detail}`);
      return value;
    } catch (error) {
      failures += 1;
      const { code, message, next } = asMaasError(error);
      print(`FAIL  ${what}: ${message} [${code}]\n      ${next}`);
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

  for (const nameservice of Object.keys(settings.hdfs.nameservices)) {
    await check(`HDFS ${nameservice}`, async () => {
      const hdfs = openHdfs(settings.hdfs, nameservice, { clock });
      const home = await hdfs.home(AbortSignal.timeout(patienceMs));
      await hdfs.list('/', { limit: 1, signal: AbortSignal.timeout(patienceMs) });
      return [home, `answers user ${settings.hdfs.user}, whose home is ${home}`];
    });
  }
  return failures === 0 ? 0 : 1;
}
