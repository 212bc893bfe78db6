/** One size of the bench, from an empty cluster to a restarted operator. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../../deploy/local/cache.ts';
import { modelDeployments } from '../../../src/adapters/kube/model-cluster.ts';
import { configMaps, customResourceDefinitions, namespaces } from '../../../src/adapters/kube/resource-kind.ts';
import { markersPath } from '../../../src/contracts/names.ts';
import { defaultOperatorNamespace, settingsConfigMap, settingsKey } from '../../../src/contracts/settings.ts';
import { mapBounded } from '../../../src/kernel/bounded.ts';
import { systemClock } from '../../../src/kernel/system-clock.ts';
import { eventually } from '../../e2e/stage.ts';
import { present } from '../../integration/world.ts';
import { type Spread, spreadOf } from '../figures.ts';
import { ControlPlane } from './control-plane.ts';
import { type MeasuredOperator, type Metrics, sumOf } from './measured-operator.ts';
import { SimulatedPods } from './simulated-pods.ts';
import { clusterId, namespace, operatorRoot, patienceMs, type Setting, settingsOf, World } from './world.ts';

const changes = 5;
/** As many requests at once as the transport keeps connections for. */
const parallelism = 8;

/** What an operator with nothing to do does, while somebody looks. */
export interface Rest {
  /** Of one, percent. */
  readonly processor: number;
  readonly passesAMinute: number;
  readonly hdfsCallsAMinute: number;
  /** The operator's at the API server, but for its Lease. */
  readonly writesAMinute: number;
  /** Transactions of the whole ZooKeeper server: others may have had a part in them. */
  readonly transactionsAMinute: number;
  readonly memory: number;
}

export interface Phase {
  /** Seconds. */
  readonly asked: number;
  /** Seconds after that until everything was settled. */
  readonly settled: number;
  /** Milliseconds a resource. */
  readonly processor: number;
  readonly passes: number;
  readonly writes: number;
  readonly hdfsCalls: number;
  /** Until its Deployment says so, milliseconds. */
  readonly change: Spread;
}

export interface Figures {
  readonly size: number;
  readonly baseMemory: number;
  readonly empty: Phase & { readonly rest: Rest };
  readonly serving?: Phase & {
    readonly registrations: number;
    /** Seconds from the start of the process. */
    readonly inStep: number;
    readonly restartProcessor: number;
    /** After the restart. */
    readonly rest: Rest;
    /** Seconds. */
    readonly list: Spread;
    readonly status: Spread;
  };
}

/** @param life what is started ends with it, the last first */
export async function measure(setting: Setting, life: AsyncDisposableStack): Promise<Figures> {
  const { size, instances, tell } = setting;
  const plane = life.use(new ControlPlane(join(setting.directory, 'control-plane')));
  await plane.start();
  await prepare(plane, setting);
  const simulated = life.use(new SimulatedPods(plane.client, setting.quorum, markersPath(operatorRoot, clusterId)));
  await simulated.start();
  const world = life.use(new World(plane, setting));
  await world.watch();
  const operator = world.start();
  await eventually('it leads', async () => sumOf((await operator.metrics()) ?? new Map(), 'maas_leader') === 1);
  await systemClock.sleep(2_000);
  const baseMemory = operator.memory();
  tell('resources without instances');
  const created = await phase(world, operator, (index) => world.create(index), setting.aSecond);
  const empty = { ...created, rest: await rest(world, operator) };
  if (instances === 0) return { size, baseMemory, empty };
  tell(`${instances} instances each`);
  const full = await phase(world, operator, (index) => world.scale(index, instances));
  simulated.check();
  const registrations = simulated.registered;
  tell('commands');
  const list = await timed(plane, ['list', '-A']);
  const status = await timed(plane, ['status']);
  tell('restart');
  await operator[Symbol.asyncDispose]();
  const again = world.start();
  let inStep = Number.NaN;
  await eventually(
    'it is in step again',
    async () => {
      const metrics = await again.metrics();
      if (metrics === undefined || sumOf(metrics, 'maas_reconcile_total') < size || !isIdle(metrics)) return false;
      inStep = (performance.now() - again.startedAt) / 1_000;
      return true;
    },
    { withinMs: patienceMs },
  );
  const restartProcessor = again.processor();
  return {
    size,
    baseMemory,
    empty,
    serving: { ...full, registrations, inStep, restartProcessor, rest: await rest(world, again), list, status },
  };
}

async function prepare(plane: ControlPlane, setting: Setting): Promise<void> {
  const { client } = plane;
  const fieldManager = 'bench';
  await client.apply(customResourceDefinitions, setting.crd, { fieldManager });
  for (const name of [namespace, defaultOperatorNamespace]) {
    await client.apply(namespaces, { metadata: { name } }, { fieldManager });
  }
  await client.apply(
    configMaps,
    {
      metadata: { namespace: defaultOperatorNamespace, name: settingsConfigMap },
      data: { [settingsKey]: JSON.stringify(settingsOf(setting)) },
    },
    { fieldManager },
  );
  await eventually('the CRD is established', async () => {
    try {
      await client.list(modelDeployments, {});
      return true;
    } catch {
      return false;
    }
  });
}

async function phase(
  world: World,
  operator: MeasuredOperator,
  ask: (index: number) => Promise<number>,
  aSecond = Number.POSITIVE_INFINITY,
): Promise<Phase> {
  const { plane, setting } = world;
  const { size, tell } = setting;
  const before = { processor: operator.processor(), metrics: await operator.metrics(), writes: await writesIn(plane) };
  const began = performance.now();
  const indices = Array.from({ length: size }, (_, index) => index);
  const [wanted = 0] = await mapBounded(indices, parallelism, async (index) => {
    await systemClock.sleep(Math.max(0, began + (index / aSecond) * 1_000 - performance.now()));
    return await ask(index);
  });
  const askedAt = performance.now();
  let told = askedAt;
  await eventually(
    'all are settled',
    async () => {
      const settled = world.settledWith(wanted);
      if (performance.now() - told > 10_000) {
        told = performance.now();
        tell(`${settled} of ${size} are settled`);
      }
      return settled === size;
    },
    { withinMs: patienceMs },
  );
  const settledAt = world.lastSettledAt;
  await eventually('it has nothing to do', async () => isIdle((await operator.metrics()) ?? new Map()), {
    withinMs: patienceMs,
  });
  const after = { processor: operator.processor(), metrics: await operator.metrics(), writes: await writesIn(plane) };
  const more = (name: string) => sumOf(after.metrics ?? new Map(), name) - sumOf(before.metrics ?? new Map(), name);
  tell(`written so far: ${[...(await plane.writes())].map((each) => each.join(' ')).join(', ')}`);
  tell(
    `settled ${((settledAt - askedAt) / 1_000).toFixed(1)} s after the last of ${((askedAt - began) / 1_000).toFixed(1)} s, ` +
      `${(after.processor - before.processor).toFixed(1)} s of processor`,
  );
  tell('single changes');
  const single: number[] = [];
  for (let round = 0; round < changes; round++) {
    single.push(await world.change(Math.floor((size * round) / changes), wanted + 1));
    await eventually('it is settled', async () => world.settledWith(wanted + 1) === round + 1);
  }
  for (let round = 0; round < changes; round++) await world.scale(Math.floor((size * round) / changes), wanted);
  await eventually('all are as before', async () => world.settledWith(wanted) === size);
  return {
    asked: (askedAt - began) / 1_000,
    settled: Math.max(0, settledAt - askedAt) / 1_000,
    processor: ((after.processor - before.processor) * 1_000) / size,
    passes: more('maas_reconcile_total') / size,
    writes: (after.writes - before.writes) / size,
    hdfsCalls: more('maas_hdfs_requests_total'),
    change: spreadOf(single),
  };
}

function isIdle(metrics: Metrics): boolean {
  return metrics.size > 0 && sumOf(metrics, 'maas_workqueue_depth') + sumOf(metrics, 'maas_workqueue_active') === 0;
}

async function rest(world: World, operator: MeasuredOperator): Promise<Rest> {
  const { plane, setting } = world;
  setting.tell('rest');
  await systemClock.sleep(3_000);
  const read = async () => ({
    at: performance.now(),
    metrics: (await operator.metrics()) ?? new Map<string, number>(),
    writes: await writesIn(plane),
    transactions: await transactions(),
    processor: operator.processor(),
  });
  const before = await read();
  await systemClock.sleep(setting.restMs);
  const processor = operator.processor();
  const after = await read();
  const minutes = (after.at - before.at) / 60_000;
  const more = (name: string) => (sumOf(after.metrics, name) - sumOf(before.metrics, name)) / minutes;
  return {
    processor: ((processor - before.processor) / (minutes * 60)) * 100,
    passesAMinute: more('maas_reconcile_total'),
    hdfsCallsAMinute: more('maas_hdfs_requests_total'),
    writesAMinute: (after.writes - before.writes) / minutes,
    transactionsAMinute: (after.transactions - before.transactions) / minutes,
    memory: operator.memory(),
  };
}

async function writesIn(plane: ControlPlane): Promise<number> {
  let sum = 0;
  for (const [resource, count] of await plane.writes()) if (resource !== 'leases') sum += count;
  return sum;
}

/** How many transactions ZooKeeper has seen in this epoch, its last 32 bits of the zxid. */
async function transactions(): Promise<number> {
  const [host = '', port = ''] = present('zookeeper').quorum.split(':');
  const text = await new Promise<string>((resolve, reject) => {
    let all = '';
    const socket = connect(Number(port), host, () => socket.write('srvr'));
    socket.on('data', (chunk: Buffer) => {
      all += chunk.toString();
    });
    socket.on('end', () => resolve(all));
    socket.on('error', reject);
  });
  const zxid = /^Zxid: 0x([0-9a-f]+)$/m.exec(text)?.[1] ?? '0';
  return Number(BigInt(`0x${zxid}`) & 0xffff_ffffn);
}

/** How long a command takes, seconds. */
async function timed(plane: ControlPlane, args: readonly string[]): Promise<Spread> {
  const spent: number[] = [];
  for (let round = 0; round < changes; round++) {
    const began = performance.now();
    await promisify(execFile)(join(projectRoot, 'dist/kubectl-maas'), [...args], {
      env: { ...process.env, KUBECONFIG: plane.kubeconfig('harness') },
      maxBuffer: 256 * 1_024 ** 2,
    });
    spent.push((performance.now() - began) / 1_000);
  }
  return spreadOf(spent);
}
