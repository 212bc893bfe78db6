/** What a Pod takes, a ModelDeployment takes, and means the same by it: held against Pods on the real API server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameQuantity } from '../../src/contracts/quantity.ts';
import { type ModelDeploymentSpec, modelDeploymentSpec } from '../../src/contracts/resource.ts';
import { deploymentManifest } from '../../src/plan/children.ts';
import { driftOf } from '../../src/plan/drift.ts';
import { refusedPods } from '../../src/plan/kubernetes-words.ts';
import { aPin, aResource, someSettings } from '../builders/model-deployment.ts';
import { CliWorld } from './cli-process.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await CliWorld.open();
});
afterAll(async () => {
  await world.close();
});

interface Container {
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
}
interface Template {
  readonly metadata: object;
  readonly spec: { readonly initContainers: readonly [Container]; readonly containers: readonly [Container] };
}

/** The object as the API server would store it, or what it says against it. Nothing is stored. */
async function dryRun(yaml: string): Promise<Record<string, unknown> | string> {
  try {
    const args = ['create', '--dry-run=server', '-n', world.namespace, '-o', 'json', '-f', '-'];
    return JSON.parse((await world.kubectlWith({ input: yaml }, ...args)).out) as Record<string, unknown>;
  } catch (error) {
    return (error as Error).message;
  }
}

async function taken(object: object): Promise<Record<string, unknown>> {
  const answer = await dryRun(JSON.stringify(object));
  if (typeof answer === 'string') throw new Error(answer);
  return answer;
}

const modelYaml = (field: string) =>
  `{apiVersion: maas.dev/v1, kind: ModelDeployment, metadata: {name: m}, spec: {name: m, version: "1", payload: {path: /m}, ${field}}}`;
const podYaml = (resources: string) =>
  `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: ${resources}}]}}`;

function made(spec: Partial<ModelDeploymentSpec>, settings = someSettings) {
  const resource = aResource({ spec, metadata: { namespace: world.namespace } });
  return deploymentManifest(resource, aPin, settings);
}

const templateOf = (manifest: object) => (manifest as { spec: { template: Template } }).spec.template;

describe('a quantity', () => {
  /** As YAML: quotes are part of it. */
  const amounts = [
    ...['2', '0.5', '.5', '1.005', '"2"', "'0.5'", '500m', '1e3', '"1e3"', '1E3', '100u', '"+1"', '0', '"0"', '5.'],
    ...['-1', '"-1"', 'true', 'two', '1Ki', '1ki', '{}', '[1]', '0x10', '1_000', '"1,5"', '1e', '0.0000000001'],
  ];
  const bytes = [
    '536870912',
    '1e9',
    '1.5e9',
    '512M',
    '0.5Gi',
    '1024Mi',
    '"536870912"',
    '512Mib',
    '512 Mi',
    '512MB',
    '-512Mi',
    '1Ti',
  ];

  const row = async (yaml: string, resource: string, field: (amount: string) => string) => {
    const pod = await dryRun(podYaml(`{limits: {${resource}: ${yaml}}}`));
    const model = await dryRun(modelYaml(field(yaml)));
    const [podTakes, modelTakes] = [typeof pod !== 'string', typeof model !== 'string'];
    expect({ yaml, taken: modelTakes, said: model }).toMatchObject({ yaml, taken: podTakes });
    if (typeof pod === 'string' || typeof model === 'string') return;
    const parsed = modelDeploymentSpec.parse((model as { spec: unknown }).spec);
    const manifest = made({ ...parsed, name: 'm' });
    const live = await taken(manifest);
    // What is stored is no drift, or it would be applied for ever.
    expect(driftOf(manifest['spec'], live['spec'])).toBeUndefined();
    const wanted = (pod as unknown as { spec: Template['spec'] }).spec.containers[0].resources?.limits?.[resource];
    const { requests, limits } = templateOf(live).spec.containers[0].resources ?? {};
    const amount = field(yaml).startsWith('cpu') ? requests?.['cpu'] : limits?.[resource];
    expect(sameQuantity(String(amount), String(wanted)), `${amount} for ${wanted}`).toBe(true);
  };

  it.each(amounts)('of spec.cpu: %s', (yaml) => row(yaml, 'cpu', (amount) => `cpu: ${amount}, memory: 64Mi`));
  it.each(['1', '"1"', '2.0', '"0"', 'true', 'one', '-1'])('of GPUs in spec.resources.limits: %s', (yaml) =>
    row(yaml, 'nvidia.com/gpu', (amount) => `memory: 64Mi, resources: {limits: {nvidia.com/gpu: ${amount}}}`),
  );
  it.each(bytes)('of spec.memory: %s', (yaml) => row(yaml, 'memory', (amount) => `memory: ${amount}`));

  it.each([
    ['512', 'memory is 512 bytes, less than 16Mi: did you mean 512Mi?'],
    ['"512"', 'memory is 512 bytes, less than 16Mi: did you mean 512Mi?'],
    ['512k', 'memory is 512k, less than 16Mi'],
  ])('of memory that is hardly meant: %s', async (memory, said) => {
    expect(await dryRun(modelYaml(`memory: ${memory}`))).toContain(said);
  });

  it('of disk that is hardly meant', async () => {
    expect(await dryRun(modelYaml('memory: 64Mi, disk: 2'))).toContain(
      'disk is 2 bytes, less than 1Mi: did you mean 2Mi?',
    );
  });
});

describe('other values without quotes', () => {
  it.each([
    ['env: [{name: A, value: 5}]', /env\[0\]\.value.*must be of type string: "integer"/],
    ['podMetadata: {annotations: {a: true}}', /podMetadata\.annotations\.a.*must be of type string: "boolean"/],
    ['scheduling: {nodeSelector: {a: 1}}', /nodeSelector\.a.*must be of type string: "integer"/],
  ])('are refused as a Pod refuses them: %s', async (field, said) => {
    expect(await dryRun(modelYaml(`memory: 64Mi, ${field}`))).toMatch(said);
  });
});

describe('fields of a Pod', () => {
  it.each<[string, Partial<ModelDeploymentSpec>]>([
    [
      'shared memory',
      {
        volumes: [{ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '1024Mi' } }],
        volumeMounts: [{ name: 'shm', mountPath: '/dev/shm', readOnly: false }],
      },
    ],
    [
      'a claim',
      {
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'd', readOnly: false } }],
        volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'a' }],
      },
    ],
    [
      'a projected secret',
      {
        volumes: [{ name: 'p', projected: { sources: [{ secret: { name: 's', optional: false } }] } }],
        volumeMounts: [{ name: 'p', mountPath: '/p' }],
      },
    ],
    [
      'a volume of a network',
      {
        volumes: [{ name: 'n', nfs: { server: 'nfs.example', path: '/x', readOnly: false } }],
        volumeMounts: [{ name: 'n', mountPath: '/n' }],
      },
    ],
    [
      'a volume made for the pod',
      {
        volumes: [
          {
            name: 'e',
            ephemeral: {
              volumeClaimTemplate: {
                spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
              },
            },
          },
        ],
        volumeMounts: [{ name: 'e', mountPath: '/e' }],
      },
    ],
    [
      'names',
      {
        hostAliases: [{ ip: '10.0.0.1', hostnames: ['old.example'] }],
        dnsConfig: { options: [{ name: 'ndots', value: '2' }], searches: ['example'] },
      },
    ],
    ['its own name servers', { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.0.0.2'] } }],
    ['a scheduler', { scheduling: { schedulerName: 'yunikorn', affinity: { nodeAffinity: null } } }],
    [
      'an environment',
      {
        envFrom: [{ secretRef: { name: 's', optional: true }, prefix: 'S_' }],
        env: [{ name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1024Ki' } } }],
      },
    ],
    [
      'a read-only root file system',
      { securityContext: { readOnlyRootFilesystem: true, fsGroupChangePolicy: 'OnRootMismatch' } },
    ],
    ['a longer end', { stopTimeout: '90s', drain: '30s', imagePullPolicy: 'Always' }],
  ])('%s: is taken, and is no drift once it is stored', async (_what, spec) => {
    const manifest = made(spec);
    const live = await taken(manifest);
    expect(driftOf(manifest['spec'], live['spec'])).toBeUndefined();
    const { template } = manifest['spec'] as { template: Template };
    const asModel = Object.entries(spec).map(([field, value]) => `${field}: ${JSON.stringify(value)}`);
    await taken({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: 'p' },
      spec: { ...template.spec, runtimeClassName: undefined },
    });
    expect(await dryRun(modelYaml(['memory: 64Mi', ...asModel].join(', ')))).not.toBeTypeOf('string');
  });

  it.each([
    ['volumes: [{name: payload, emptyDir: {}}]', /one of the names that the operator's own have/],
    ['volumes: [{name: x, hostPath: {path: /}}]', /hostPath is refused/],
    ['volumeMounts: [{name: x, mountPath: /maas/payload/x}]', /a mountPath is absolute/],
    ['disruptionBudget: {maxUnavailable: 0}', /maxUnavailable.*greater than or equal to 1/],
    ['disruptionBudget: {maxUnavailable: 0%}', /maxUnavailable.*should match/],
    ['stopTimeout: 1h', /stopTimeout is counted in seconds or minutes/],
  ])('that can never work are refused at once: %s', async (field, said) => {
    expect(await dryRun(modelYaml(`memory: 64Mi, ${field}`))).toMatch(said);
  });
});

describe('what a namespace demands', () => {
  const namespaces: string[] = [];
  afterAll(async () => {
    for (const namespace of namespaces) await world.kubectl('delete', 'namespace', namespace, '--wait=false');
  });

  /** What the API server says to a pod of such a model in a namespace with such an object. */
  async function saidIn(object: object, spec: Partial<ModelDeploymentSpec>) {
    const namespace = `${world.namespace}-${namespaces.length}`;
    await world.kubectl('create', 'namespace', namespace);
    namespaces.push(namespace);
    await world.kubectlWith(
      { input: JSON.stringify({ apiVersion: 'v1', ...object }) },
      'create',
      '-n',
      namespace,
      '-f',
      '-',
    );
    return (asked: Partial<ModelDeploymentSpec>) => podIn(namespace, { ...spec, ...asked });
  }

  async function podIn(namespace: string, spec: Partial<ModelDeploymentSpec>) {
    const deployment = made(spec)['spec'] as Record<string, unknown> & { template: Template };
    const { template } = deployment;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: 'p' },
      spec: { ...template.spec, serviceAccountName: undefined },
    };
    try {
      await world.kubectlWith({ input: JSON.stringify(pod) }, 'create', '--dry-run=server', '-n', namespace, '-f', '-');
      return undefined;
    } catch (error) {
      return refusedPods((error as Error).message, { namespace, deployment });
    }
  }

  const limits = (...items: object[]) => ({ kind: 'LimitRange', metadata: { name: 'l' }, spec: { limits: items } });
  const quota = (hard: Record<string, string>) => ({ kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard } });

  it.each<[string, object, Partial<ModelDeploymentSpec>, string, RegExp, Partial<ModelDeploymentSpec>]>([
    [
      'a quota of processors',
      quota({ 'limits.cpu': '10' }),
      {},
      'QuotaUnmet',
      /agent: spec\.agent\.resources\.limits\.cpu .*model: spec\.resources\.limits\.cpu/,
      { agent: { resources: { limits: { cpu: '1' } } }, resources: { limits: { cpu: '1' } } },
    ],
    [
      'a bound of memory that the model is above',
      limits({ type: 'Container', max: { memory: '256Mi' } }),
      {},
      'LimitRangeRefused',
      /container model lower spec\.memory, maximum 256Mi/,
      { memory: '256Mi' },
    ],
    [
      'a bound of memory that the agent is above',
      limits({ type: 'Container', max: { memory: '100Mi' } }),
      { memory: '64Mi' },
      'LimitRangeRefused',
      /container agent lower spec\.agent\.resources\.limits\.memory/,
      { agent: { resources: { limits: { memory: '100Mi' } } } },
    ],
    [
      'a least processor that the agent is below',
      limits({ type: 'Container', min: { cpu: '50m' } }),
      {},
      'LimitRangeRefused',
      /container agent raise spec\.agent\.resources\.requests\.cpu/,
      { agent: { resources: { requests: { cpu: '50m' } } } },
    ],
    [
      'a ratio',
      limits({ type: 'Container', maxLimitRequestRatio: { memory: '1' } }),
      {},
      'LimitRangeRefused',
      /container agent raise spec\.agent\.resources\.requests\.memory/,
      { agent: { resources: { requests: { memory: '128Mi' } } } },
    ],
    [
      'a bound of what is written',
      limits({ type: 'Container', max: { 'ephemeral-storage': '1Gi' } }),
      {},
      'LimitRangeRefused',
      /container model lower spec\.disk/,
      { disk: '1Gi' },
    ],
    [
      'a bound of the pod',
      limits({ type: 'Pod', max: { memory: '600Mi' } }),
      {},
      'LimitRangeRefused',
      /counts both containers/,
      { memory: '400Mi' },
    ],
  ])(
    '%s: is told with the container and the field, and can be met so',
    async (_what, object, spec, reason, next, mended) => {
      const pod = await saidIn(object, spec);
      const trouble = await pod({});
      expect(trouble?.reason).toBe(reason);
      expect(trouble?.next).toMatch(next);
      expect(await pod(mended)).toBeUndefined();
    },
  );

  it('by default is met without a word: limits that are put in, also of what is written', async () => {
    const object = limits({
      type: 'Container',
      default: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '1Mi' },
      defaultRequest: { cpu: '100m', memory: '64Mi' },
    });
    expect(await (await saidIn(object, {}))({})).toBeUndefined();
  });
});
