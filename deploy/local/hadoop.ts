/**
 * "The existing cluster" that models are moved from: ZooKeeper, and HDFS with two name nodes (automatic failover), a
 * journal and two data nodes. Every part is a container with a fixed address, reached alike from pods and, on Linux,
 * from the host, so that pausing, killing or cutting off a container is a real fault.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainerSpec, ensureContainer } from './container.ts';
import { buildImage } from './image.ts';
import { mavenJars } from './maven.ts';
import { hostAddress, type Network } from './network.ts';
import { run } from './run.ts';

const readyDeadlineMs = 120_000;
const pollMs = 200;

export interface HadoopImages {
  readonly zookeeper: string;
  readonly hadoop: string;
}

/** Where each part of Hadoop is; the last number of its address in the network's subnet is fixed. */
export interface HadoopPlan {
  readonly zookeeper: ContainerSpec;
  readonly journalnode: ContainerSpec;
  readonly namenodes: readonly [ContainerSpec, ContainerSpec];
  readonly datanodes: readonly [ContainerSpec, ContainerSpec];
}

export const nameservice = 'local';
/** May do everything in HDFS. */
export const superuser = 'hdfs';
/** Owns /user/maas; models are deployed as this user. */
export const hdfsUser = 'maas';

export const zookeeperFolder = 'deploy/images/zookeeper';
export const hadoopFolder = 'deploy/images/hadoop';

export async function buildZooKeeperImage(): Promise<string> {
  const jars = await mavenJars('zookeeper', zookeeperFolder);
  return await buildImage({ name: 'maas-zookeeper', folder: zookeeperFolder, added: { jars } });
}

export async function buildHadoopImage(): Promise<string> {
  const jars = await mavenJars('hadoop', hadoopFolder);
  return await buildImage({ name: 'maas-hadoop', folder: hadoopFolder, added: { jars } });
}

export function planHadoop(network: Network, images: HadoopImages): HadoopPlan {
  const at = (host: number) => hostAddress(network.subnet, host);
  const common = { ZOOKEEPER: at(10), JOURNAL: at(11), NAMENODE1: at(12), NAMENODE2: at(13) };
  // A failover controller keeps its name node's address in ZooKeeper as a name, and the other one has to resolve it
  // when that node is down, which is when Docker's name server no longer knows it.
  const hosts = { 'maas-namenode1': at(12), 'maas-namenode2': at(13) };
  const part = (name: string, host: number, command: string[], env: Record<string, string>): ContainerSpec => ({
    name: `maas-${name}`,
    image: images.hadoop,
    address: at(host),
    env: { ...common, ...env },
    hosts,
    volumes: { [`maas-${name}`]: '/data' },
    command,
  });
  return {
    zookeeper: {
      name: 'maas-zookeeper',
      image: images.zookeeper,
      address: at(10),
      env: {},
      hosts: {},
      volumes: { 'maas-zookeeper': '/data' },
      command: [],
    },
    journalnode: part('journalnode', 11, ['journalnode'], {}),
    namenodes: [
      part('namenode1', 12, ['namenode'], { NAMENODE_ID: 'nn1' }),
      part('namenode2', 13, ['namenode'], { NAMENODE_ID: 'nn2' }),
    ],
    datanodes: [
      part('datanode1', 14, ['datanode'], { SELF: at(14) }),
      part('datanode2', 15, ['datanode'], { SELF: at(15) }),
    ],
  };
}

/** ZooKeeper, answering `ruok`. */
export async function startZooKeeper(spec: ContainerSpec): Promise<void> {
  await ensureContainer(spec);
  await until(
    `ZooKeeper at ${spec.address}:2181 answers`,
    spec,
    async () => (await fourLetters(spec.address, 'ruok')) === 'imok',
  );
}

/** HDFS, with an active name node, two live data nodes and the user's directory. ZooKeeper has to run. */
export async function startHdfs(plan: HadoopPlan): Promise<void> {
  const containers = [plan.journalnode, ...plan.namenodes, ...plan.datanodes];
  await Promise.all(containers.map(ensureContainer));
  for (const namenode of plan.namenodes) {
    await until(`${namenode.name} answers`, namenode, async () => (await stateOf(namenode)) !== undefined);
  }
  let active = plan.namenodes[0];
  await until('one name node is active', plan.namenodes[0], async () => {
    const found = await activeOf(plan);
    active = found ?? active;
    return found !== undefined;
  });
  await until('HDFS is out of safe mode with two data nodes', active, async () => {
    const state = await fsState(active);
    return state !== undefined && state.FSState === 'Operational' && state.NumLiveDataNodes >= plan.datanodes.length;
  });
  await makeDirectories(active);
}

/** The name node that is active now. */
export async function activeOf(plan: HadoopPlan): Promise<ContainerSpec | undefined> {
  const states = await Promise.all(plan.namenodes.map(stateOf));
  return plan.namenodes[states.indexOf('active')];
}

async function makeDirectories(active: ContainerSpec): Promise<void> {
  const call = async (path: string, query: string) => {
    const url = `http://${active.address}:9870/webhdfs/v1${path}?user.name=${superuser}&${query}`;
    const answer = await fetch(url, { method: 'PUT', signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`HDFS refused PUT ${path} ${query}: ${await answer.text()}`);
  };
  await call('/tmp', 'op=MKDIRS&permission=1777');
  await call('/tmp', 'op=SETPERMISSION&permission=1777');
  await call(`/user/${hdfsUser}`, 'op=MKDIRS&permission=755');
  await call(`/user/${hdfsUser}`, `op=SETOWNER&owner=${hdfsUser}&group=${hdfsUser}`);
}

async function stateOf(namenode: ContainerSpec): Promise<string | undefined> {
  return (await bean(namenode, 'Hadoop:service=NameNode,name=NameNodeStatus'))?.['State']?.toString();
}

async function fsState(namenode: ContainerSpec): Promise<{ FSState: string; NumLiveDataNodes: number } | undefined> {
  const found = await bean(namenode, 'Hadoop:service=NameNode,name=FSNamesystemState');
  if (found === undefined) return undefined;
  return { FSState: String(found['FSState']), NumLiveDataNodes: Number(found['NumLiveDataNodes']) };
}

async function bean(namenode: ContainerSpec, name: string): Promise<Record<string, string | number> | undefined> {
  try {
    const answer = await fetch(`http://${namenode.address}:9870/jmx?qry=${name}`, {
      signal: AbortSignal.timeout(2_000),
    });
    const body = (await answer.json()) as { beans: Record<string, string | number>[] };
    return body.beans[0];
  } catch {
    return undefined;
  }
}

/** What ZooKeeper answers to one of its four-letter words; empty when it does not. */
export async function fourLetters(address: string, word: string): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect({ host: address, port: 2181, timeout: 2_000 }, () => socket.write(word));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

/** Waits for a condition; a container that ended meanwhile fails it at once, with the end of its log. */
async function until(what: string, container: ContainerSpec, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + readyDeadlineMs;
  while (!(await holds())) {
    const status = (await run('docker', ['inspect', '--format', '{{.State.Status}}', container.name])).trim();
    if (status !== 'running' || performance.now() > deadline) {
      const log = await run('sh', ['-c', 'docker logs --tail 15 "$0" 2>&1', container.name]);
      throw new Error(`waited for this in vain: ${what}. ${container.name} is ${status}; its log ends with\n${log}`);
    }
    await sleep(pollMs);
  }
}
