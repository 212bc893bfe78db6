/** Ten instances on a node that read HDFS once, and that come up as well when the node's cache is gone. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeManifest } from '../../src/payload/upload-manifest.ts';
import { bytesRead } from '../integration/hdfs-world.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

const instances = 10;
const files = new Map<string, Buffer>([
  ...Object.entries(pythonModel('1.0')).map(([path, text]) => [path, Buffer.from(text)] as const),
  ['weights.bin', Buffer.alloc(40_000_000, 'weights ')],
]);
const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);

let stage: Stage;
let cache: string;
beforeAll(async () => {
  stage = await Stage.open('cache', { payloadCache: { enabled: true, size: '1Gi' } });
  const [found] = (await stage.kubectl('get', 'daemonset', '-n', stage.operatorNamespace, '-o', 'name')).split('\n');
  cache = found?.split('/')[1] ?? '';
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

/** As an upload leaves it, with the SHA-256 of each file. */
async function upload(name: string): Promise<void> {
  const directory = `${stage.payloads}/${name}`;
  const listed: { path: string; length: number; sha256: string }[] = [];
  for (const [path, content] of files) {
    const source = async function* () {
      yield content;
    };
    await stage.hdfs.write(`${directory}/${path}`, source, { length: content.length, blockSize: 128 * 1024 * 1024 });
    listed.push({ path, length: content.length, sha256: createHash('sha256').update(content).digest('hex') });
  }
  await writeManifest(stage.hdfs, { maasManifest: 1, files: listed }, directory, undefined);
}

const readFromHdfs = (name: string) => bytesRead(`${stage.payloads}/${name}`, 10);

/** What the agents of a model say of their payloads. */
async function agentLogs(name: string): Promise<string[]> {
  const pods = (await stage.pods()).filter((pod) => pod.name.startsWith(`${name}-`));
  return await Promise.all(pods.map((pod) => stage.k('logs', pod.name, '-c', 'agent')));
}

const fromCache = (logs: readonly string[]) =>
  logs.reduce((sum, log) => sum + Number(/"bytesFromCache":(\d+)/.exec(log)?.[1]), 0);

const patchCache = async (patch: object) =>
  stage.kubectl('patch', 'daemonset', cache, '-n', stage.operatorNamespace, '-p', JSON.stringify(patch));

describe('ten instances on a node', () => {
  it('read HDFS once', async () => {
    await upload('first');
    await stage.apply('first', { instances });
    await stage.serves('first', instances, 120_000);
    expect(await readFromHdfs('first')).toBe(bytes);
    expect(fromCache(await agentLogs('first'))).toBe((instances - 1) * bytes);
    const status = `/api/v1/namespaces/${stage.operatorNamespace}/services/${cache}:8090/proxy/metrics`;
    expect(await stage.kubectl('get', '--raw', status)).toContain(`maas_payload_cache_received_bytes_total ${bytes}\n`);
    await stage.k('delete', 'mdl', 'first', '--wait');
  });

  it('come up as well where the packets to the cache are dropped, as on a node that has none', async () => {
    await upload('second');
    await patchCache({ spec: { template: { spec: { nodeSelector: { 'no-such-node': 'yes' } } } } });
    const selector = ['-n', stage.operatorNamespace, '-l', 'app.kubernetes.io/component=payload-cache'];
    await eventually(
      'the cache is gone',
      async () => (await stage.kubectl('get', 'pods', ...selector, '-o', 'name')) === '',
    );
    await stage.kubectlIn(JSON.stringify(elsewhere()), 'apply', '-f', '-');
    await stage.apply('second', { instances });
    await stage.serves('second', instances, 120_000);
    expect(await readFromHdfs('second')).toBe(instances * bytes);
    const logs = await agentLogs('second');
    expect(logs.filter((log) => log.includes('no connection within 1 s'))).toHaveLength(instances);
    expect(fromCache(logs)).toBe(0);
  });
});

/** The cache of another node. */
function elsewhere(): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'elsewhere',
      namespace: stage.operatorNamespace,
      labels: { 'kubernetes.io/service-name': cache, 'endpointslice.kubernetes.io/managed-by': 'a-test' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.255.255.1'], nodeName: 'elsewhere', conditions: { ready: true } }],
    ports: [{ name: 'http', port: 8090, protocol: 'TCP' }],
  };
}
