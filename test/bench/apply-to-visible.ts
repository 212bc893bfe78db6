/**
 * `make bench-start [SIZES="1 10"] [ROUNDS=5]`: how long it takes from `kubectl apply` of a ModelDeployment with a ready
 * payload until a Stellar client sees its instances and until they are Ready; against an ordinary Deployment until it is
 * Ready, and against one whose pods have the shape of ours and do nothing. Turn by turn in one run, ratios pair by pair.
 * Prints Markdown, asserts nothing.
 */
import { bringUp } from '../../deploy/local/bring-up.ts';
import { program } from '../../deploy/local/steps.ts';
import { KubeClient } from '../../src/adapters/kube/client.ts';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';
import { createTransport } from '../../src/adapters/kube/transport.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { script } from '../e2e/payloads.ts';
import { eventually, Stage } from '../e2e/stage.ts';
import { Followers } from '../integration/java.ts';
import { present } from '../integration/world.ts';
import { ratioOf, shownSpread, spreadOf, table } from './figures.ts';
import { type ModelsShape, modelsShape, ordinary, sameShape } from './idle-deployments.ts';
import { type Moment, type Moments, momentsOf, since } from './start-moments.ts';

const rounds = Number(process.env['ROUNDS'] ?? 5);
const sizes = (process.env['SIZES'] ?? '1 10').split(/\s+/).map(Number);
/** Answers as soon as its shell has started, so that what is measured is not the model's own start. */
const instant = script(`echo '{"url": "http://0.0.0.0:18080"}' > endpoint.dat\nexec nc -l -k 0.0.0.0 18080`);

interface Bench {
  readonly stage: Stage;
  readonly client: KubeClient;
  readonly followers: Followers;
}

await program(async () => {
  await bringUp();
  await using stage = await Stage.open('bench');
  await stage.payload('instant', instant);
  await using followers = await Followers.start(stage.chroot.connect());
  const kubeconfig = () => loadKubeconfig({ env: {}, path: present('cluster').kubeconfig });
  const client = new KubeClient(createTransport(kubeconfig, systemClock, 'maas-bench'), systemClock);
  const bench = { stage, client, followers };

  const shape = await shapeOfOurs(bench);
  for (const size of sizes) {
    const ours: Moments[] = [];
    const shaped: Moments[] = [];
    const usual: Moments[] = [];
    for (let round = 0; round < rounds; round++) {
      const name = `${size}-${round}`;
      usual.push(await startIdle(bench, ordinary(`o-${name}`, size, present('images').runtime), `o-${name}`, size));
      shaped.push(await startIdle(bench, sameShape(`s-${name}`, size, shape), `s-${name}`, size));
      ours.push(await startModel(bench, `m-${name}`, size));
    }
    process.stdout.write(`${report(size, { ours, shaped, usual })}\n`);
  }
  process.stdout.write(`\n${await memory(bench)}\n`);
});

/** Of a model that is started for it; what only the first start costs is paid then, too. */
async function shapeOfOurs({ stage }: Bench): Promise<ModelsShape> {
  await stage.apply('first', { path: `${stage.payloads}/instant`, memory: '32Mi', spec: { drain: '0s' } });
  await stage.serves('first', 1);
  const selector = ['--selector', 'app.kubernetes.io/name=maas-model', '--output', 'jsonpath={.items[0]}'];
  const [deployment = '', pin = ''] = await Promise.all(
    ['deployments', 'configmaps'].map((kind) => stage.k('get', kind, ...selector)),
  );
  await stage.k('delete', 'mdl', 'first', '--wait');
  await podsGone(stage, 'first');
  return modelsShape.parse({ deployment: JSON.parse(deployment), pin: JSON.parse(pin) });
}

async function startIdle(
  { stage, client }: Bench,
  manifests: readonly Readonly<Record<string, unknown>>[],
  name: string,
  count: number,
): Promise<Moments> {
  const moments = await momentsOf({ client, namespace: stage.namespace }, name, count, async (reached) => {
    const list = { apiVersion: 'v1', kind: 'List', items: manifests };
    await stage.kubectlIn(JSON.stringify(list), 'apply', '--namespace', stage.namespace, '-f', '-');
    await eventually('all are ready', async () => reached.ready !== undefined);
  });
  await stage.k('delete', 'deployment', name, '--wait');
  await podsGone(stage, name);
  return moments;
}

async function startModel({ stage, client, followers }: Bench, name: string, count: number): Promise<Moments> {
  const moments = await momentsOf({ client, namespace: stage.namespace }, name, count, async (reached) => {
    const spec = { drain: '0s' };
    await stage.apply(name, { path: `${stage.payloads}/instant`, instances: count, memory: '32Mi', spec });
    await eventually('clients see all', async () => {
      const appeared = followers.lines.filter((line) => line.event === 'appeared' && line.endpoint.model === name);
      if (appeared.length < count) return false;
      reached.visible = Math.max(...appeared.map((line) => line.at));
      return reached.ready !== undefined;
    });
  });
  await stage.k('delete', 'mdl', name, '--wait');
  await podsGone(stage, name);
  return moments;
}

async function podsGone(stage: Stage, name: string): Promise<void> {
  await eventually(
    'its pods are gone',
    async () => !(await stage.k('get', 'pods', '-o', 'name')).includes(`/${name}-`),
  );
}

interface Runs {
  readonly ours: readonly Moments[];
  readonly shaped: readonly Moments[];
  readonly usual: readonly Moments[];
}

function report(instances: number, { ours, shaped, usual }: Runs): string {
  const visible = since(ours, 'visible');
  const difference = (one: readonly number[], other: readonly number[]) =>
    shownSpread(spreadOf(one.map((ms, round) => (ms - (other[round] ?? Number.NaN)) / 1_000)), 2, ' s');
  const cell = (all: readonly Moments[], moment: Moment) => {
    const ms = since(all, moment);
    return ms.every(Number.isFinite) ? shownSpread(spreadOf(ms.map((each) => each / 1_000)), 2, ' s') : '';
  };
  const moments: readonly (readonly [Moment, string])[] = [
    ['deployment', 'Deployment exists'],
    ['podsMade', 'pods exist'],
    ['podsScheduled', 'scheduled'],
    ['agentsRun', 'agents run'],
    ['modelsRun', 'models run'],
    ['visible', '**visible to the client**'],
    ['ready', 'pods Ready'],
  ];
  return [
    `\n## ${instances} instance${instances === 1 ? '' : 's'}, ${rounds} rounds: median (least to most)\n`,
    table(
      ['apply → visible', 'seen'],
      [
        ['by ordinary Deployment → Ready', shownSpread(ratioOf(visible, since(usual, 'ready')))],
        ['by idle pods of the same shape → Ready', shownSpread(ratioOf(visible, since(shaped, 'ready')))],
        ['visible → pods Ready', difference(since(ours, 'ready'), visible)],
        ['apply → Deployment, above kubectl’s', difference(since(ours, 'deployment'), since(usual, 'deployment'))],
      ],
    ),
    '',
    table(
      ['after the apply, all instances', 'model', 'same shape, idle', 'ordinary'],
      moments.map(([moment, label]) => [label, ...[ours, shaped, usual].map((all) => cell(all, moment))]),
    ),
  ].join('\n');
}

async function memory({ stage }: Bench): Promise<string> {
  await stage.apply('memory', { path: `${stage.payloads}/instant`, memory: '32Mi' });
  await stage.serves('memory', 1);
  const [pod] = await stage.pods();
  const read = ['--', 'sh', '-c', "awk '/^RssAnon/ {print $2}' /proc/1/status"];
  const agent = Number(await stage.k('exec', pod?.name ?? '', '-c', 'agent', ...read));
  const name = (await stage.kubectl('get', 'pods', '-n', stage.operatorNamespace, '-o', 'name')).trim();
  const operator = Number(await stage.kubectl('exec', '-n', stage.operatorNamespace, name, ...read));
  const mib = (kib: number) => `${(kib / 1_024).toFixed(0)} MiB`;
  return `Anonymous memory (RssAnon): agent ${mib(agent)}, operator after this run ${mib(operator)}.`;
}
