/**
 * `make bench-payload-cache [ROUNDS=3] [MB=200] [INSTANCES=10]`: how long many instances on one node take for their payload
 * without a cache on the node, with an empty one and with one that has it, turn by turn in one run; and how much of it
 * HDFS was asked for. Prints Markdown, asserts nothing.
 */
import { createHash, randomBytes } from 'node:crypto';
import { bringUp } from '../../deploy/local/bring-up.ts';
import { program } from '../../deploy/local/steps.ts';
import { containers } from '../../src/contracts/pod-contract.ts';
import { writeManifest } from '../../src/payload/upload-manifest.ts';
import { eventually, Stage } from '../e2e/stage.ts';
import { docker } from '../integration/hdfs-world.ts';
import { present } from '../integration/world.ts';
import { ratioOf, shownSpread, spreadOf, table } from './figures.ts';

const rounds = Number(process.env['ROUNDS'] ?? 3);
const megabytes = Number(process.env['MB'] ?? 200);
const instances = Number(process.env['INSTANCES'] ?? 10);
const model = 'large';

/** Of all instances of one round. */
interface Round {
  /** From the first question of an agent to its last verified byte: the agent in the middle, and the last one. */
  readonly middleMs: number;
  readonly lastMs: number;
  readonly bytesFetched: number;
}

await program(async () => {
  await bringUp();
  const { nodeContainer } = present('cluster');
  if (nodeContainer === null) throw new Error('agents are watched on the node, and this cluster has none at hand');
  await using without = await Stage.open('plain');
  await using cached = await Stage.open('cached', { payloadCache: { enabled: true, size: '4Gi' } });
  for (const stage of [without, cached]) await prepare(stage);
  const all: Record<'without' | 'empty' | 'warm', Round[]> = { without: [], empty: [], warm: [] };
  for (let round = 0; round < rounds; round++) {
    all.without.push(await start(without, nodeContainer));
    await emptyCache(cached);
    all.empty.push(await start(cached, nodeContainer));
    all.warm.push(await start(cached, nodeContainer));
  }
  process.stdout.write(`\n${report(all)}\n`);
});

/** As an upload leaves it, pinned, without an instance. */
async function prepare(stage: Stage): Promise<void> {
  const directory = `${stage.payloads}/${model}`;
  const weights = Array.from({ length: megabytes }, () => randomBytes(1_000_000));
  const script = [Buffer.from('#!/bin/sh\nexec sleep infinity\n')];
  const files: { path: string; length: number; sha256: string }[] = [];
  for (const [path, chunks] of [['model.bin', weights] as const, ['run.sh', script] as const]) {
    const hash = createHash('sha256');
    for (const chunk of chunks) hash.update(chunk);
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const content = async function* () {
      yield* chunks;
    };
    await stage.hdfs.write(`${directory}/${path}`, content, { length, blockSize: 128 * 1024 * 1024 });
    files.push({ path, length, sha256: hash.digest('hex') });
  }
  await writeManifest(stage.hdfs, { maasManifest: 1, files }, directory, undefined);
  await stage.apply(model, { instances: 0, memory: '32Mi', spec: { drain: '0s', stopTimeout: '1s' } });
  await eventually('it is pinned', async () => (await stage.k('get', 'deployments', '-o', 'name')).includes(model), {
    withinMs: 120_000,
  });
}

async function emptyCache(stage: Stage): Promise<void> {
  const where = ['-n', stage.operatorNamespace];
  await stage.kubectl('delete', 'pods', ...where, '-l', 'app.kubernetes.io/component=payload-cache', '--wait');
  const [name = ''] = (await stage.kubectl('get', 'daemonsets', ...where, '-o', 'name')).split('\n');
  await stage.kubectl('rollout', 'status', name, ...where, '--timeout=60s');
}

async function start(stage: Stage, node: string): Promise<Round> {
  await scale(stage, instances);
  const lines = await verified(stage, node);
  const pods = await stage.pods();
  const restarts = pods.reduce((sum, pod) => sum + pod.restarts, 0);
  if (restarts > 0) process.stdout.write(`Agents were started again: ${restarts}.\n`);
  await scale(stage, 0);
  await eventually('its pods are gone', async () => (await stage.k('get', 'pods', '-o', 'name')) === '', {
    withinMs: 120_000,
  });
  // The kubelet keeps them for a while, and the next round would read them as its own.
  await docker('exec', node, 'sh', '-c', `rm -rf /var/log/pods/${stage.namespace}_${model}-*`);
  const ms = lines.map((line) => line.ms).sort((a, b) => a - b);
  return {
    middleMs: ms[Math.floor(ms.length / 2)] ?? Number.NaN,
    lastMs: ms.at(-1) ?? Number.NaN,
    bytesFetched: lines.reduce((sum, line) => sum + line.bytesFetched, 0),
  };
}

async function scale(stage: Stage, count: number): Promise<void> {
  await stage.k('patch', 'mdl', model, '--type=merge', '-p', JSON.stringify({ spec: { instances: count } }));
}

/** As the agents' logs say it. On the node, because each look with kubectl costs more than an agent does. */
async function verified(stage: Stage, node: string): Promise<{ ms: number; bytesFetched: number }[]> {
  const logs = `/var/log/pods/${stage.namespace}_${model}-*/${containers.agent}/*.log`;
  const look = `
    for i in $(seq 600); do
      [ "$(grep -l 'payload verified' ${logs} 2>/dev/null | wc -l)" -ge ${instances} ] && break
      sleep 0.3
    done
    grep -h 'payload verified' ${logs}`;
  const text = await docker('exec', node, 'sh', '-c', look);
  return [...text.matchAll(/"bytesFetched":(\d+).*?"ms":(\d+)/g)].map(([, bytesFetched, ms]) => ({
    ms: Number(ms),
    bytesFetched: Number(bytesFetched),
  }));
}

function report(all: Readonly<Record<'without' | 'empty' | 'warm', readonly Round[]>>): string {
  const seconds = (values: readonly number[]) => shownSpread(spreadOf(values.map((ms) => ms / 1e3)), 1, ' s');
  const last = (of: readonly Round[]) => of.map(({ lastMs }) => lastMs);
  const row = (what: string, of: readonly Round[]) => [
    what,
    seconds(of.map(({ middleMs }) => middleMs)),
    seconds(last(of)),
    of === all.without ? '' : `${shownSpread(ratioOf(last(of), last(all.without)))}x`,
    shownSpread(spreadOf(of.map(({ bytesFetched }) => bytesFetched / 1e6)), 0, ' MB'),
  ];
  return [
    `${instances} instances at once on one node, ${megabytes} MB each, median of ${rounds} rounds (least to most):`,
    '',
    table(
      ['', 'the instance in the middle', 'the last one', 'of the time without', 'read from HDFS'],
      [row('without a cache', all.without), row('an empty cache', all.empty), row('a cache that has it', all.warm)],
    ),
  ].join('\n');
}
