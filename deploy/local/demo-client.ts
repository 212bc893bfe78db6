/**
 * Calls models as somebody outside the cluster would. Where this machine has no route to the pods, the call comes from
 * a container in the node's own network, which has.
 */
import { join } from 'node:path';
import { standInJar } from '../../test/integration/java.ts';
import { needPrograms } from './debian-packages.ts';
import { run } from './run.ts';
import type { World } from './world.ts';

const java = ['-Xshare:auto', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx128m'];

/** What a GET of this address answers. */
export async function callFromOutside(world: World, url: string): Promise<string> {
  const curl = ['--silent', '--show-error', '--fail', '--max-time', '10', url];
  if (onHost(world)) {
    await needPrograms({ curl: 'curl' });
    return await run('curl', curl);
  }
  return await inNodeNetwork(world, ['--entrypoint', 'curl', world.images?.runtime ?? ''], curl);
}

/** What the stand-in for Stellar prints for one of its commands on the world's ZooKeeper. */
export async function stellarFromOutside(world: World, args: readonly string[], command = 'apply'): Promise<string> {
  const quorum = world.elsewhere?.zookeeper ?? world.zookeeper?.quorum;
  if (quorum === undefined) throw new Error('no ZooKeeper runs');
  const jar = await standInJar();
  const rest = [command, quorum, ...args];
  if (onHost(world)) return await run('java', [...java, '-jar', jar, ...rest]);
  const image = ['--volume', `${join(jar, '..')}:/standin:ro`, '--entrypoint', 'java', world.java?.hadoopImage ?? ''];
  return await inNodeNetwork(world, image, [...java, '-jar', '/standin/stellar-standin.jar', ...rest]);
}

/** Elsewhere too: there is no node of ours to go through, and clients are expected to reach the pods. */
function onHost(world: World): boolean {
  return world.cluster?.podsReachable === true || !world.cluster?.nodeContainer;
}

async function inNodeNetwork(world: World, image: readonly string[], args: readonly string[]): Promise<string> {
  return await run('docker', [
    'run',
    '--rm',
    '--network',
    `container:${world.cluster?.nodeContainer}`,
    ...image,
    ...args,
  ]);
}
