/** The real HDFS for tests: a directory of one's own in it, and its containers. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { WorldNameNode } from '../../deploy/local/world.ts';
import { type Hdfs, openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { uploadManifestName } from '../../src/contracts/payload.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { realHdfsSettings } from './hdfs-settings.ts';
import { present } from './world.ts';

const run = promisify(execFile);

export function openRealHdfs(addresses?: readonly string[]): Hdfs {
  return openHdfs(realHdfsSettings(addresses), present('hdfs').nameservice, { clock: systemClock });
}

/** Makes a directory below the user's home and removes it, with all that is in it, when the scope ends. */
export async function ownDirectory(hdfs: Hdfs): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = `${await hdfs.home()}/test-${randomBytes(6).toString('hex')}`;
  await hdfs.mkdirs(path);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await hdfs.delete(path, { recursive: true });
    },
  };
}

/** Runs docker against the engine of the local world. */
export async function docker(...args: string[]): Promise<string> {
  return (await runDocker(args)).stdout;
}

function runDocker(args: readonly string[]) {
  const { host } = present('engine');
  const env = host === null ? process.env : { ...process.env, DOCKER_HOST: host };
  return run('docker', args, { env, maxBuffer: 16 * 1024 * 1024 });
}

/** Bytes of the files below a directory that the data nodes were asked for in the last minutes, by their own logs. */
export async function bytesRead(directory: string, minutes: number): Promise<number> {
  const logs = await Promise.all(
    present('hdfs').datanodes.map(({ container }) => runDocker(['logs', '--since', `${minutes}m`, container])),
  );
  const asked = logs.flatMap(({ stderr }) => [...stderr.matchAll(/ GET \/webhdfs\/v1(\S+?)\?(\S*op=OPEN\S*) 200$/gm)]);
  return asked
    .filter(([, path = '']) => path.startsWith(`${directory}/`) && !path.endsWith(`/${uploadManifestName}`))
    .reduce((sum, [, , query]) => sum + Number(new URLSearchParams(query).get('length')), 0);
}

/** The name node that serves now. */
export async function activeNameNode(): Promise<WorldNameNode> {
  for (const node of present('hdfs').namenodes) {
    const response = await fetch(`${node.webhdfs}/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus`).catch(
      () => undefined,
    );
    if (response?.ok === true && (await response.text()).includes('"State" : "active"')) return node;
  }
  throw new Error('no name node is active');
}
