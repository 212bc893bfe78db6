/** Clusters whose pods have IPv6 addresses, alone or beside IPv4 ones: a model is registered where clients reach it, or not at all. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { findEngine } from '../../deploy/local/engine.ts';
import {
  address6,
  createFamilyCluster,
  deleteFamilyCluster,
  families,
  familyNetwork,
  removeFamilies,
} from '../../deploy/local/family-cluster.ts';
import { load } from '../../deploy/local/images.ts';
import { present } from '../integration/world.ts';
import { cleanUp } from './clean-up.ts';
import { docker } from './docker.ts';
import { relayName, relayProgram } from './ipv6-relay.ts';
import { pythonModel } from './payloads.ts';
import { Stage } from './stage.ts';

const relayAddress = address6(0x100);
const ports = { zookeeper: 2181, nameNode: 9870, dataNode: 9864 };

async function startRelay(): Promise<void> {
  const { quorum } = present('zookeeper');
  const { namenodes, datanodes } = present('hdfs');
  const image = present('images').operator;
  if (image === null) throw new Error('there is no operator image; run `make images`');
  const hosts = (first: number, urls: readonly string[]) =>
    Object.fromEntries(urls.map((url, index) => [first + 10 * index, new URL(url).host]));
  const program = relayProgram({
    tcp: { [ports.zookeeper]: quorum },
    http: {
      ...hosts(
        ports.nameNode,
        namenodes.map((node) => node.webhdfs),
      ),
      ...hosts(
        ports.dataNode,
        datanodes.map((node) => node.http),
      ),
    },
    address: relayAddress,
  });
  await removeRelay();
  const where = ['--network', familyNetwork, '--ip6', relayAddress, '--label', 'maas.dev/local=true'];
  await docker('create', '--name', relayName, ...where, '--entrypoint', 'node', image, ...program);
  await docker('network', 'connect', present('engine').network, relayName);
  await docker('start', relayName);
}

async function removeRelay(): Promise<void> {
  const left = (await docker('ps', '--all', '--quiet', '--filter', `name=^${relayName}$`)).trim();
  if (left !== '') await docker('rm', '--force', left);
}

/** The files of a sample, as a user would upload them. */
function sample(name: string, ...files: string[]): Record<string, string> {
  const read = (file: string) => readFileSync(join(projectRoot, 'deploy/samples', name, file), 'utf8');
  return Object.fromEntries(files.map((file) => [file, read(file)]));
}

/** A model that binds as it is told, and to nothing else. */
function bound(family: 'AF_INET' | 'AF_INET6', address: string): Record<string, string> {
  const files = pythonModel('1.0', { host: address });
  const server = (files['server.py'] ?? '')
    .replace('import json,', 'import socket, json,')
    .replace('server = ', `ThreadingHTTPServer.address_family = socket.${family}\nserver = `);
  // Python leaves the choice to the kernel, which is both.
  const only =
    'ThreadingHTTPServer.server_bind = lambda s: (s.socket.setsockopt(41, 26, 1), s.socket.bind(s.server_address), setattr(s, "server_port", s.socket.getsockname()[1]))\n';
  return { ...files, 'server.py': family === 'AF_INET6' ? server.replace('server = ', `${only}server = `) : server };
}

afterAll(async () => {
  await cleanUp(removeRelay, removeFamilies);
});

describe.each(families)('in a cluster of the family %s', (family) => {
  let stage: Stage;
  beforeAll(async () => {
    await findEngine();
    const { nodeContainer } = present('cluster');
    if (nodeContainer === null) throw new Error('this test makes clusters like ours, and there is none on our engine');
    const cluster = await createFamilyCluster(family, present('tools'), nodeContainer);
    // Read once: somebody may build others meanwhile.
    const images = present('images');
    for (const image of [images.operator, images.runtime])
      if (image !== null) await load({ ...present('tools'), cluster: cluster.name }, image);
    await startRelay();
    const webhdfs = present('hdfs').namenodes.map(
      (_, index) => `http://[${relayAddress}]:${ports.nameNode + 10 * index}`,
    );
    stage = await Stage.open(
      family,
      {},
      { kubeconfig: cluster.kubeconfig, zookeeper: `[${relayAddress}]:${ports.zookeeper}`, webhdfs, images },
    );
  });
  afterAll(async () => {
    await cleanUp(
      () => stage?.[Symbol.asyncDispose](),
      () => deleteFamilyCluster(family),
    );
  });

  const address = family === 'ipv6' ? String.raw`\[fd00:10:244::[0-9a-f]+\]` : String.raw`10\.244\.0\.[0-9]+`;

  /** What a client gets that runs in another pod of the cluster. */
  async function get(url: string): Promise<string> {
    const [client] = (await stage.pods()).filter(({ name }) => name.startsWith('dga-'));
    return await stage.k(
      'exec',
      client?.name ?? '',
      '--container',
      'model',
      '--',
      'curl',
      '-gs',
      '--max-time',
      '5',
      url,
    );
  }

  it('the operator reaches ZooKeeper and HDFS at IPv6 addresses', async () => {
    await stage.helmTest();
  });

  it('the samples are registered at an address that clients reach', async () => {
    await stage.payload('dga', sample('dga', 'dga.sh', 'dga.py', 'legit.txt'));
    await stage.payload('echo', sample('echo', 'echo.sh'));
    await stage.apply('dga', { memory: '160Mi' });
    await stage.apply('echo', {});
    const [dga] = (await stage.serves('dga', 1)).status.endpoints;
    const [echo] = (await stage.serves('echo', 1)).status.endpoints;
    expect(dga?.url).toMatch(new RegExp(`^http://${address}:[0-9]+$`));
    expect(echo?.url).toMatch(new RegExp(`^http://${address}:1500$`));
    expect(JSON.parse(await get(`${dga?.url}/apply?host=yahoo.com`))).toEqual({ is_malicious: 'legit' });
    expect(await get(`${echo?.url}/echo/foobar`)).toBe('foobar');
  });

  it('a model of the family that clients are not told is not registered, and is told what to bind to', async () => {
    const [wrong, files, listens, advice] =
      family === 'ipv6'
        ? ['only-ipv4', bound('AF_INET', '0.0.0.0'), 'listens on 0.0.0.0 only', 'bind to ::']
        : ['only-ipv6', bound('AF_INET6', '::'), 'listens on :: for IPv6 only', 'bind to 0.0.0.0'];
    await stage.payload(wrong, files);
    await stage.apply(wrong, {});
    const message = await stage.reasonIs(wrong, 'EndpointNotReachable');
    expect(message).toContain(listens);
    expect(message).toMatch(new RegExp(`clients are told ${address}`));
    expect(message).toContain(advice);
    expect(await stage.chroot.nodes.children(stage.chroot.serviceRoot())).not.toContain(wrong);
  });
});
