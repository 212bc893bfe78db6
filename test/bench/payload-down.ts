/**
 * `make bench-payload-down [ROUNDS=5] [MB=800] [FILES=5000]`: how fast an agent brings a payload into its pod, every byte
 * verified, against curl in a pod of the same shape and limits and against curl on the node without limits; all from the
 * data nodes that the name node names, onto the same disk, turn by turn in one run, with a cold page cache. Then many
 * small files against one archive of them. Prints Markdown, asserts nothing.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bringUp } from '../../deploy/local/bring-up.ts';
import { program } from '../../deploy/local/steps.ts';
import { containers, paths } from '../../src/contracts/pod-contract.ts';
import { mapBounded } from '../../src/kernel/bounded.ts';
import { writeManifest } from '../../src/payload/upload-manifest.ts';
import { eventually, Stage } from '../e2e/stage.ts';
import { activeNameNode, docker } from '../integration/hdfs-world.ts';
import { present } from '../integration/world.ts';
import { ratioOf, shownSpread, spreadOf, table } from './figures.ts';
import { modelsShape, sameShape } from './idle-deployments.ts';

const rounds = Number(process.env['ROUNDS'] ?? 5);
const megabytes = Number(process.env['MB'] ?? 800);
const smallFiles = Number(process.env['FILES'] ?? 5_000);
const smallBytes = 2_048;
const script = '#!/bin/sh\nexec sleep infinity\n';
const run = promisify(execFile);

await program(async () => {
  await bringUp();
  const { nodeContainer } = present('cluster');
  if (nodeContainer === null)
    throw new Error('its references are taken on the node, and this cluster has none at hand');
  await using stage = await Stage.open('down');
  await uploadLarge(stage);
  await settle(stage, 'large');
  await using idle = await curlPod(stage);
  const bench = { stage, idle: idle.pod, node: nodeContainer };
  print(await large(bench));
  await uploadSmall(stage);
  await settle(stage, 'small');
  print(await small(bench));
  print(await memory(bench));
});

function print(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

interface Bench {
  readonly stage: Stage;
  /** A pod of the agent's shape, with curl in the agent's place. */
  readonly idle: string;
  readonly node: string;
}

async function uploadLarge(stage: Stage): Promise<void> {
  const content = Array.from({ length: megabytes }, () => randomBytes(1_000_000));
  await putPayload(stage, 'large', new Map([['model.bin', content]]));
}

async function uploadSmall(stage: Stage): Promise<void> {
  const small = new Map<string, Buffer[]>();
  for (let i = 0; i < smallFiles; i++) small.set(`many/f${i}`, [randomBytes(smallBytes)]);
  await putPayload(stage, 'small', small);
  const local = await mkdtemp(join(tmpdir(), 'bench-down-'));
  try {
    await mkdir(join(local, 'small/many'), { recursive: true });
    for (const [path, chunks] of small) await writeFile(join(local, 'small', path), chunks);
    const archive = join(local, 'small.tar');
    await run('tar', ['--create', '--file', archive, '--directory', join(local, 'small'), '.']);
    await put(stage, 'small.tar', [await readFile(archive)]);
  } finally {
    await rm(local, { recursive: true });
  }
}

/** As an upload leaves it, with the SHA-256 of each file. */
async function putPayload(stage: Stage, name: string, content: ReadonlyMap<string, readonly Buffer[]>): Promise<void> {
  const all = [...content, ['run.sh', [Buffer.from(script)]] as const];
  const files = await mapBounded(all, 8, async ([path, chunks]) => {
    const hash = createHash('sha256');
    for (const chunk of chunks) hash.update(chunk);
    return { path, length: await put(stage, `${name}/${path}`, chunks), sha256: hash.digest('hex') };
  });
  await writeManifest(stage.hdfs, { maasManifest: 1, files }, `${stage.payloads}/${name}`, undefined);
}

async function put(stage: Stage, path: string, chunks: readonly Buffer[]): Promise<number> {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const content = async function* () {
    yield* chunks;
  };
  await stage.hdfs.write(`${stage.payloads}/${path}`, content, { length, blockSize: 128 * 1024 * 1024 });
  return length;
}

/** A model without instances, until the operator has pinned its payload. */
async function settle(stage: Stage, name: string): Promise<void> {
  await stage.apply(name, { instances: 0, memory: '32Mi', spec: { drain: '0s', stopTimeout: '1s' } });
  await eventually(
    `${name} is pinned`,
    async () => (await stage.k('get', 'deployments', '-o', 'name')).includes(`/${name}-`),
    { withinMs: 600_000 },
  );
}

async function curlPod(stage: Stage): Promise<{ readonly pod: string } & AsyncDisposable> {
  const selector = ['--selector', 'app.kubernetes.io/name=maas-model', '--output', 'jsonpath={.items[0]}'];
  const [deployment = '', pin = ''] = await Promise.all(
    ['deployments', 'configmaps'].map((kind) => stage.k('get', kind, ...selector)),
  );
  const shape = modelsShape.parse({ deployment: JSON.parse(deployment), pin: JSON.parse(pin) });
  const { spec } = shape.deployment.spec.template;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    // The agent's image has no curl.
    if (container.name === containers.agent) container['image'] = present('images').runtime;
  }
  const items = sameShape('curl', 1, shape);
  await stage.kubectlIn(
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    'apply',
    '--namespace',
    stage.namespace,
    '-f',
    '-',
  );
  await stage.k('rollout', 'status', 'deployment/curl', '--timeout=60s');
  const pod = await stage.k('get', 'pods', '-l', 'bench=curl', '-o', 'jsonpath={.items[0].metadata.name}');
  return { pod, [Symbol.asyncDispose]: async () => void (await stage.k('delete', 'deployment', 'curl', '--wait')) };
}

/** Where a data node has a file, as the name node says just now. */
async function dataNodeAddress(path: string): Promise<string> {
  const { webhdfs } = await activeNameNode();
  const asked = `${webhdfs}/webhdfs/v1${path}?op=OPEN&user.name=${present('hdfs').user}`;
  const { headers } = await fetch(asked, { redirect: 'manual' });
  const location = headers.get('location');
  if (location === null) throw new Error(`no data node for ${path}`);
  return location;
}

/** Nothing of the file is in memory, neither at the data node nor where it goes. */
async function coldCache({ node }: Bench): Promise<void> {
  await docker('exec', node, 'sh', '-c', 'sync; echo 3 > /proc/sys/vm/drop_caches');
}

/** Starts an instance, and gives the milliseconds that its agent took from the first question to the last verified byte. */
async function agentFetches(bench: Bench, name: string): Promise<number> {
  const { stage } = bench;
  await coldCache(bench);
  await stage.k('patch', 'mdl', name, '--type=merge', '-p', JSON.stringify({ spec: { instances: 1 } }));
  const ms = await verifiedMs(bench, name);
  const [pod] = (await stage.pods()).filter((each) => each.name.startsWith(`${name}-`));
  if (pod !== undefined && pod.restarts > 0) process.stdout.write(`The agent of ${pod.name} was started again.\n`);
  await stage.k('patch', 'mdl', name, '--type=merge', '-p', JSON.stringify({ spec: { instances: 0 } }));
  await eventually('its pod is gone', async () => !(await stage.k('get', 'pods', '-o', 'name')).includes(`/${name}-`));
  return ms;
}

/** As the agent's log says it. On the node, because each look with kubectl would cost more than the agent itself does. */
async function verifiedMs({ stage, node }: Bench, name: string): Promise<number> {
  const logs = `/var/log/pods/${stage.namespace}_${name}-*/${containers.agent}/*.log`;
  const look = `
    for i in $(seq 1500); do
      grep -ho '"ms":[0-9]*,"msg":"payload verified"' ${logs} 2>/dev/null && exit
      sleep 0.2
    done
    exit 1`;
  const found = /\d+/.exec(await docker('exec', node, 'sh', '-c', look));
  return Number(found?.[0] ?? Number.NaN);
}

function timed(command: string): string {
  return `s=$(date +%s%N); ${command}; e=$(date +%s%N); echo $(((e - s) / 1000000))`;
}

async function inPod(bench: Bench, command: string): Promise<number> {
  await coldCache(bench);
  const shell = ['sh', '-c', `cd ${paths.payload} && ${timed(command)} && rm -rf ./*`];
  return Number(await bench.stage.k('exec', bench.idle, '-c', containers.agent, '--', ...shell));
}

async function onNode(bench: Bench, command: string): Promise<number> {
  await coldCache(bench);
  const shell = `d=$(mktemp -d /var/lib/kubelet/bench.XXXXXX) && cd $d && ${timed(command)} && rm -rf $d`;
  return Number(await docker('exec', bench.node, 'sh', '-c', shell));
}

async function large(bench: Bench): Promise<string> {
  const path = `${bench.stage.payloads}/large/model.bin`;
  const [agent, pod, node]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    const curl = async () => `curl -sf -o model.bin '${await dataNodeAddress(path)}'`;
    node.push(await onNode(bench, await curl()));
    pod.push(await inPod(bench, await curl()));
    agent.push(await agentFetches(bench, 'large'));
  }
  const rate = (all: readonly number[]) => shownSpread(spreadOf(all.map((ms) => (megabytes * 1e3) / ms)), 0);
  const times = (all: readonly number[]) => shownSpread(ratioOf(all, agent));
  return [
    `${megabytes} MB into a pod, cold page cache, median of ${rounds} rounds (least to most):`,
    '',
    table(
      ['', 'MB/s', 'speed of the agent to it'],
      [
        ['agent, every byte verified', rate(agent), ''],
        ['curl in a pod of the same shape and limits', rate(pod), `${times(pod)}x`],
        ['curl on the node, without limits', rate(node), `${times(node)}x`],
      ],
    ),
  ].join('\n');
}

async function small(bench: Bench): Promise<string> {
  const [agent, pod]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const address = await dataNodeAddress(`${bench.stage.payloads}/small.tar`);
    pod.push(await inPod(bench, `curl -sf '${address}' | tar -x`));
    agent.push(await agentFetches(bench, 'small'));
  }
  const seconds = (all: readonly number[]) => shownSpread(spreadOf(all.map((ms) => ms / 1e3)), 2, ' s');
  const each = shownSpread(spreadOf(agent.map((ms) => (smallFiles * 1e3) / ms)), 0);
  return [
    `${smallFiles} files of ${smallBytes} bytes, median of ${rounds} rounds (least to most):`,
    '',
    table(
      ['', 'time', 'files a second'],
      [
        ['agent', seconds(agent), each],
        ['one curl of a tar of them, unpacked', seconds(pod), ''],
        ['ratio of the times', `${shownSpread(ratioOf(agent, pod), 1)}x`, ''],
      ],
    ),
  ].join('\n');
}

/** In rounds of their own, because looking costs processor: what the agent has of memory and connections at its peak. */
async function memory(bench: Bench): Promise<string> {
  const rows: string[][] = [];
  for (const name of ['large', 'small']) {
    const watched = watchAgent(bench.node);
    await agentFetches(bench, name);
    const { anonKiB, connections } = await watched.peak();
    rows.push([name, `${(anonKiB / 1_024).toFixed(0)} MiB`, String(connections)]);
  }
  const head = ['payload', 'RssAnon of the agent at its peak', 'connections to data nodes at once'];
  return table(head, rows);
}

/** Looks ten times a second, on the node. 2688 is the data nodes' port 9864, as the kernel writes it. */
function watchAgent(node: string): { peak(): Promise<{ anonKiB: number; connections: number }> } {
  const look = `
    for i in $(seq 600); do
      pid=$(pgrep -f '^node .*/app/agent.cjs' | head -1)
      if [ -z "$pid" ] && [ -n "$seen" ]; then exit; fi
      if [ -n "$pid" ]; then
        seen=1
        awk '/^RssAnon/ {print "anon", $2}' /proc/$pid/status
        awk '$4 == "01" && $3 ~ /:2688$/ {n++} END {print "open", n + 0}' /proc/$pid/net/tcp
      fi
      sleep 0.1
    done 2>/dev/null`;
  const looking = docker('exec', node, 'sh', '-c', look);
  return {
    peak: async () => {
      const lines = (await looking).split('\n').map((line) => line.split(' '));
      const most = (what: string) =>
        Math.max(0, ...lines.filter(([key]) => key === what).map(([, value]) => Number(value)));
      return { anonKiB: most('anon'), connections: most('open') };
    },
  };
}
