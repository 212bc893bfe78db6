/**
 * `make bench`: how long it takes from `kubectl apply` of a ModelDeployment with a ready payload until a Stellar client
 * sees its instances, against a bare Deployment of the same image until it is available, turn by turn in one run; and
 * where the time goes: beside the bare one there is a Deployment with pods of the same shape (containers and volumes) in
 * which nothing is done. Then what agent and operator need of memory. Prints Markdown, asserts nothing.
 */
import { bringUp } from '../../deploy/local/bring-up.ts';
import { program } from '../../deploy/local/steps.ts';
import { KubeClient } from '../../src/adapters/kube/client.ts';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';
import { deployments, pods } from '../../src/adapters/kube/resource-kind.ts';
import { createTransport } from '../../src/adapters/kube/transport.ts';
import { startWatch } from '../../src/adapters/kube/watch.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { script } from '../e2e/payloads.ts';
import { eventually, Stage } from '../e2e/stage.ts';
import { Followers } from '../integration/java.ts';
import { present } from '../integration/world.ts';
import { ratioOf, shownSpread, spreadOf } from './figures.ts';

const rounds = 5;
const sizes = [1, 10];
/** Answers as soon as its shell has started, so that what is measured is not the model's own start. */
const instant = script(`echo '{"url": "http://0.0.0.0:18080"}' > endpoint.dat\nexec nc -l -k 0.0.0.0 18080`);
const silentLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The moments of a start, milliseconds since 1970, each the last of all instances. */
interface Moments {
  applied: number;
  deployment?: number;
  podsMade?: number;
  podsScheduled?: number;
  agentsRun?: number;
  modelsRun?: number;
  ready?: number;
  visible?: number;
}

await program(async () => {
  await bringUp();
  await using stage = await Stage.open('bench');
  await stage.payload('instant', instant);
  const cluster = present('cluster');
  const kubeconfig = () => loadKubeconfig({ env: {}, path: cluster.kubeconfig });
  const client = new KubeClient(createTransport(kubeconfig, systemClock, 'maas-bench'), systemClock);

  for (const instances of sizes) {
    const models: Moments[] = [];
    const bare: Moments[] = [];
    const shape: Moments[] = [];
    for (let round = 0; round < rounds; round++) {
      bare.push(await startIdle(stage, client, `bare-${instances}-${round}`, instances, bareShape));
      shape.push(await startIdle(stage, client, `shape-${instances}-${round}`, instances, sameShape));
      models.push(await startModel(stage, client, `m-${instances}-${round}`, instances));
    }
    report(instances, models, shape, bare);
  }
  await reportMemory(stage);
});

/** Notes when all pods of a Deployment had reached each stage; `until` decides when it is over. */
async function noting(
  stage: Stage,
  client: KubeClient,
  name: string,
  count: number,
  moments: Moments,
  until: () => Promise<void>,
) {
  const seen = {
    made: new Set<string>(),
    scheduled: new Set<string>(),
    agent: new Set<string>(),
    model: new Set<string>(),
    ready: new Set<string>(),
  };
  const common = { client, clock: systemClock, log: silentLog, namespaces: [stage.namespace] };
  const podWatch = startWatch({
    ...common,
    kind: pods,
    project: (pod) => pod,
    onChange: ({ type, object }) => {
      if (type === 'deleted' || !object.metadata.name.startsWith(`${name}-`)) return;
      const at = Date.now();
      const { uid } = object.metadata;
      const condition = (wanted: string) =>
        object.status?.conditions?.some((c) => c.type === wanted && c.status === 'True') ?? false;
      const running = (statuses: readonly { readonly state?: { readonly running?: object } }[] | undefined) =>
        statuses !== undefined &&
        statuses.length > 0 &&
        statuses.every((status) => status.state?.running !== undefined);
      const note = (stageSet: Set<string>, reached: boolean, tell: (ms: number) => void) => {
        if (!reached || stageSet.has(uid)) return;
        stageSet.add(uid);
        if (stageSet.size === count) tell(at);
      };
      note(seen.made, true, (ms) => (moments.podsMade = ms));
      note(seen.scheduled, condition('PodScheduled'), (ms) => (moments.podsScheduled = ms));
      note(seen.agent, running(object.status?.initContainerStatuses), (ms) => (moments.agentsRun = ms));
      note(seen.model, running(object.status?.containerStatuses), (ms) => (moments.modelsRun = ms));
      note(seen.ready, condition('Ready'), (ms) => (moments.ready = ms));
    },
  });
  const deploymentWatch = startWatch({
    ...common,
    kind: deployments,
    project: (deployment) => deployment.metadata.name,
    onChange: ({ type, object }) => {
      if (type === 'added' && (object === name || object.startsWith(`${name}-`))) moments.deployment ??= Date.now();
    },
  });
  await Promise.all([podWatch.synced, deploymentWatch.synced]);
  moments.applied = Date.now();
  try {
    await until();
  } finally {
    await Promise.all([podWatch.stop(), deploymentWatch.stop()]);
  }
}

/** The containers and volumes of a pod, of containers that do nothing. */
type Shape = (idle: Record<string, unknown>) => Record<string, unknown>;

function bareShape(idle: Record<string, unknown>): Record<string, unknown> {
  return { containers: [{ name: 'model', image: present('images').runtime, ...idle }] };
}

/** As src/plan/children.ts makes it; the ConfigMap is one that every namespace has. */
function sameShape(idle: Record<string, unknown>): Record<string, unknown> {
  const memory = { medium: 'Memory', sizeLimit: '1Mi' };
  const volumes = [
    { name: 'payload', emptyDir: {} },
    { name: 'control', emptyDir: memory },
    { name: 'session', emptyDir: memory },
    { name: 'pinned', configMap: { name: 'kube-root-ca.crt' } },
  ];
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/maas/${name}` }));
  const container = { ...idle, volumeMounts };
  return {
    volumes,
    initContainers: [{ name: 'agent', image: present('images').operator, restartPolicy: 'Always', ...container }],
    containers: [{ name: 'model', image: present('images').runtime, ...container }],
  };
}

async function startIdle(
  stage: Stage,
  client: KubeClient,
  name: string,
  count: number,
  shape: Shape,
): Promise<Moments> {
  const labels = { bench: name };
  const idle = {
    command: ['/bin/sh', '-c', 'exec sleep infinity'],
    resources: { requests: { cpu: '20m', memory: '32Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: stage.namespace },
    spec: {
      replicas: count,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
          ...shape(idle),
        },
      },
    },
  };
  const moments: Moments = { applied: 0 };
  await noting(stage, client, name, count, moments, async () => {
    await stage.kubectlIn(JSON.stringify(manifest), 'apply', '-f', '-');
    await eventually('all are ready', async () => moments.ready !== undefined);
  });
  await stage.k('delete', 'deployment', name, '--wait');
  await podsGone(stage, name);
  return moments;
}

async function startModel(stage: Stage, client: KubeClient, name: string, count: number): Promise<Moments> {
  await using followers = await Followers.start(stage.chroot.connect());
  const moments: Moments = { applied: 0 };
  await noting(stage, client, name, count, moments, async () => {
    await stage.apply(name, {
      path: `${stage.payloads}/instant`,
      instances: count,
      memory: '32Mi',
      spec: { drain: '0s' },
    });
    await eventually('clients see all', async () => {
      const appeared = followers.lines.filter((line) => line.event === 'appeared' && line.endpoint.model === name);
      if (appeared.length < count) return false;
      moments.visible = Math.max(...appeared.map((line) => line.at));
      return moments.ready !== undefined;
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

/** Median milliseconds from the apply until a moment. */
function spent(all: readonly Moments[], what: keyof Moments): number {
  return spreadOf(all.map((moments) => (moments[what] ?? Number.NaN) - moments.applied)).median;
}

function shown(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function report(
  instances: number,
  models: readonly Moments[],
  shape: readonly Moments[],
  bare: readonly Moments[],
): void {
  const visible = spent(models, 'visible');
  const available = spent(bare, 'ready');
  const since = (all: readonly Moments[], what: 'visible' | 'ready') =>
    all.map((moments) => (moments[what] ?? Number.NaN) - moments.applied);
  const ratio = ratioOf(since(models, 'visible'), since(bare, 'ready'));
  const lines = [
    `\n## ${instances} instance${instances === 1 ? '' : 's'}, median of ${rounds} (least to most)`,
    '',
    `From apply to visible for a Stellar client: ${shown(visible)}. A bare Deployment to Ready: ${shown(available)}; ` +
      `one of the same shape: ${shown(spent(shape, 'ready'))}.`,
    `Ratio, pair by pair: ${shownSpread(ratio)}.`,
    '',
    '| after the apply, all instances | model | same shape, idle | bare |',
    '|---|---|---|---|',
    ...(
      [
        ['deployment', 'Deployment exists'],
        ['podsMade', 'pods exist'],
        ['podsScheduled', 'scheduled'],
        ['agentsRun', 'agents run'],
        ['modelsRun', 'models run'],
        ['visible', 'visible to the client'],
        ['ready', 'pods Ready'],
      ] as const
    ).map(([moment, label]) => {
      const cells = [models, shape, bare].map((all) => spent(all, moment));
      return `| ${label} | ${cells.map((ms) => (Number.isNaN(ms) ? '' : shown(ms))).join(' | ')} |`;
    }),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function reportMemory(stage: Stage): Promise<void> {
  await stage.apply('memory', { path: `${stage.payloads}/instant`, memory: '32Mi' });
  await stage.serves('memory', 1);
  const [pod] = await stage.pods();
  const read = ['--', 'sh', '-c', "awk '/^RssAnon/ {print $2}' /proc/1/status"];
  const agent = Number(await stage.k('exec', pod?.name ?? '', '-c', 'agent', ...read));
  const name = (await stage.kubectl('get', 'pods', '-n', stage.operatorNamespace, '-o', 'name')).trim();
  const operator = Number(await stage.kubectl('exec', '-n', stage.operatorNamespace, name, ...read));
  const mib = (kib: number) => `${(kib / 1_024).toFixed(0)} MiB`;
  process.stdout.write(
    `\nAnonymous memory (RssAnon): agent ${mib(agent)}, operator after this run ${mib(operator)}.\n`,
  );
}
