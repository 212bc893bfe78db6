import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  anObservation,
  aPayload,
  aPin,
  aResource,
  deployed,
  someSettings,
} from '../../test/builders/model-deployment.ts';
import { agentInstructions, agentInstructionsVariable } from '../contracts/pod-contract.ts';
import type { ModelDeploymentSpec } from '../contracts/resource.ts';
import { deploymentManifest, inputsOf, keyOf, pinManifest } from './children.ts';
import type { DeploymentView } from './observation.ts';
import { pinIn } from './pins.ts';
import { plan } from './plan.ts';

const manifest = (spec: Partial<ModelDeploymentSpec> = {}, settings = someSettings) =>
  deploymentManifest(aResource({ spec }), aPin, settings);

interface Container {
  readonly name: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly command: readonly string[];
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly volumeMounts: readonly { readonly name: string; readonly readOnly?: boolean }[];
}
interface PodSpec {
  readonly initContainers: readonly [Container];
  readonly containers: readonly [Container];
  readonly hostNetwork?: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: object;
  readonly volumes: readonly { readonly name: string }[];
}
const podOf = (made: ReturnType<typeof manifest>): PodSpec =>
  (made['spec'] as { template: { spec: PodSpec } }).template.spec;

describe('the children of a version', () => {
  it('are, for a usual model, exactly these', async () => {
    const made = manifest({ instances: 2 });
    // What is applied stands in an annotation, too; once is enough to read.
    const { annotations, ...metadata } = made.metadata;
    const { 'maas.dev/applied': applied, ...shown } = annotations ?? {};
    const { replicas: _replicas, paused: _paused, ...spec } = made['spec'] as { replicas: number; paused: boolean };
    expect(JSON.parse(applied ?? '')).toEqual(spec);
    const text = stringify(
      [pinManifest(aResource(), aPayload()), { ...made, metadata: { ...metadata, annotations: shown } }],
      {
        lineWidth: 0,
        aliasDuplicateObjects: false,
      },
    );
    await expect(text).toMatchFileSnapshot('../../test/goldens/children.yaml');
  });

  it("give the agent instructions that it can read, and no other nameservice's addresses", () => {
    const hdfs = {
      ...someSettings.hdfs,
      nameservices: { ...someSettings.hdfs.nameservices, secret: { webhdfs: ['http://other:9870'], authorities: [] } },
    };
    const [agent] = podOf(
      manifest({ startupTimeout: '1m', healthCheck: { path: '/health' } }, { ...someSettings, hdfs }),
    ).initContainers;
    const value = agent.env.find((each) => each.name === agentInstructionsVariable)?.value ?? '';
    expect(agentInstructions.parse(JSON.parse(value))).toMatchObject({
      model: 'dga',
      startupTimeoutMs: 60_000,
      healthPath: '/health',
      hostNetwork: false,
    });
    expect(value).not.toContain('http://other');
  });

  it.each([
    ['has none', undefined, undefined, undefined],
    ['has one', { url: 'http://cache:8090', withTokens: false }, undefined, 'http://cache:8090'],
    ['has one, and the model a token of its own', { url: 'http://cache:8090', withTokens: false }, 'own', undefined],
    ['caches that, too', { url: 'http://cache:8090', withTokens: true }, 'own', 'http://cache:8090'],
  ])('tell the agent of a cache of payloads where the site %s', (_what, payloadCache, tokenSecret, told) => {
    const settings = payloadCache === undefined ? someSettings : { ...someSettings, payloadCache };
    const payload = { path: '/models/dga', ...(tokenSecret === undefined ? {} : { tokenSecret }) };
    const [agent] = podOf(manifest({ payload }, settings)).initContainers;
    const value = agent.env.find((each) => each.name === agentInstructionsVariable)?.value ?? '';
    expect(agentInstructions.parse(JSON.parse(value)).payloadCache?.url).toBe(told);
  });

  it('mount a token into the agent alone', () => {
    const pod = podOf(manifest({ payload: { path: '/models/dga', tokenSecret: 'hdfs-token' } }));
    expect(pod.volumes.map((volume) => volume.name)).toContain('token');
    expect(pod.initContainers[0].volumeMounts.map((mount) => mount.name)).toContain('token');
    expect(pod.containers[0].volumeMounts.map((mount) => mount.name)).toEqual(['payload', 'control']);
  });

  it("are on the node's network where that is asked for, without a fixed port", () => {
    const pod = podOf(manifest({ advertise: 'Node' }));
    expect(pod.hostNetwork).toBe(true);
    expect(JSON.stringify(pod.initContainers[0])).not.toContain('containerPort');
    expect(JSON.stringify(pod.initContainers[0])).not.toContain('httpGet');
  });

  it('leave users to the platform where the settings say so', () => {
    const settings = { ...someSettings, model: { ...someSettings.model, runAsUser: null } };
    expect(podOf(manifest({}, settings)).securityContext).toEqual({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('let a resource replace defaults: environment, GPUs, drain', () => {
    const pod = podOf(
      manifest({
        env: [{ name: 'HOME', value: '/tmp' }],
        resources: { limits: { 'nvidia.com/gpu': '1' }, requests: { memory: '1Gi' } },
        drain: '60s',
      }),
    );
    const [model] = pod.containers;
    expect(model.env.filter((each) => each.name === 'HOME')).toEqual([{ name: 'HOME', value: '/tmp' }]);
    expect(model.resources).toEqual({
      requests: { memory: '1Gi', cpu: '1', 'ephemeral-storage': '16Mi' },
      limits: { memory: '512Mi', 'nvidia.com/gpu': '1', 'ephemeral-storage': '10Gi' },
    });
    expect(pod.terminationGracePeriodSeconds).toBe(75);
  });
});

describe('the names of children', () => {
  const nameOf = (uid: string, digest: string) => {
    const resource = aResource({ metadata: { uid } });
    const pin = pinManifest(resource, aPayload({ digest })).metadata.name;
    return {
      pin,
      deployment: deploymentManifest(resource, { name: pin, payload: aPayload() }, someSettings).metadata.name,
    };
  };
  it('are the same for the same, and never those of other content or of a predecessor of the resource', () => {
    const first = nameOf('1', 'sha256:aa');
    expect(nameOf('1', 'sha256:aa')).toEqual(first);
    expect(nameOf('1', 'sha256:bb').pin).not.toBe(first.pin);
    expect(nameOf('2', 'sha256:aa').pin).not.toBe(first.pin);
    expect(nameOf('2', 'sha256:aa').deployment).not.toBe(first.deployment);
  });

  it('stay those of the Deployment and the pin that are there, which an earlier release named', () => {
    const resource = aResource();
    const key = keyOf(resource.spec);
    const { deployment, pin } = deployed(resource);
    const earlier = { ...pin, name: `dga-${key}` };
    const made = deploymentManifest(resource, { name: earlier.name, payload: aPayload() }, someSettings);
    const live = {
      ...deployment,
      name: `dga-${key}`,
      spec: made['spec'] as Record<string, unknown>,
      annotations: { ...made.metadata.annotations },
    };
    const settled = plan(
      anObservation({ resource, deployments: [live], pins: [earlier], payload: { state: 'pinned', looked: true } }),
      someSettings,
    );
    expect([settled.apply, settled.remove]).toEqual([[], []]);
  });

  it('follow a pin that was lost and could not be made again as it was', () => {
    const { deployment } = deployed();
    const other = aPayload({ files: [] });
    const { apply } = plan(
      anObservation({ deployments: [deployment], payload: { state: 'resolved', payload: other } }),
      someSettings,
    );
    expect(apply.map(({ manifest }) => manifest.kind)).toEqual(['ConfigMap', 'Deployment']);
    expect(pinIn(apply[1]?.manifest['spec'] as Record<string, unknown>)).toBe(apply[0]?.manifest.metadata.name);
  });

  it('are let go on where somebody paused the Deployment', () => {
    const { deployment, pin } = deployed();
    const seen = { pins: [pin], payload: { state: 'pinned', looked: true } } as const;
    const stored = ({ paused: _, ...spec }: DeploymentView['spec']): DeploymentView => ({ ...deployment, spec });
    expect(plan(anObservation({ ...seen, deployments: [stored(deployment.spec)] }), someSettings).apply).toEqual([]);
    const paused = { ...deployment, spec: { ...deployment.spec, paused: true } };
    const { apply } = plan(anObservation({ ...seen, deployments: [paused] }), someSettings);
    expect(apply.map(({ why, manifest }) => [why, (manifest['spec'] as { paused: boolean }).paused])).toEqual([
      ['somebody changed paused', false],
    ]);
  });

  it('are free again before a damaged pin is made anew', () => {
    const { deployment, pin } = deployed();
    const { payload: _, ...damaged } = pin;
    const seen = { deployments: [deployment], payload: { state: 'resolved', payload: aPayload() } } as const;
    const first = plan(anObservation({ ...seen, pins: [damaged] }), someSettings);
    expect([first.apply, first.remove.map(({ name }) => name)]).toEqual([[], [pin.name]]);
    const then = plan(anObservation({ ...seen, pins: [] }), someSettings);
    expect(then.apply.map(({ manifest }) => manifest.metadata.name)).toEqual([pin.name]);
  });
});

describe('what a site and a resource add to the pods', () => {
  const settingsWith = (model: Partial<typeof someSettings.model>) => ({
    ...someSettings,
    model: { ...someSettings.model, ...model },
  });
  const volumeNames = (pod: PodSpec) => pod.volumes.map(({ name }) => name);

  it.each<[string, Partial<ModelDeploymentSpec>, object]>([
    ['hostAliases', { hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] }, {}],
    ['dnsPolicy', { dnsPolicy: 'None' }, {}],
    ['dnsConfig', { dnsConfig: { nameservers: ['10.0.0.2'] } }, {}],
    ['runtimeClassName', { runtimeClassName: 'gvisor' }, {}],
    ['schedulerName', { scheduling: { schedulerName: 'yunikorn' } }, { schedulerName: 'yunikorn' }],
    ['stopTimeout', { stopTimeout: '30s', drain: '10s' }, { terminationGracePeriodSeconds: 45 }],
    [
      'fsGroupChangePolicy',
      { securityContext: { fsGroupChangePolicy: 'OnRootMismatch' } },
      { securityContext: { fsGroupChangePolicy: 'OnRootMismatch', runAsUser: 10_001 } },
    ],
  ])('%s reaches the pod', (_field, spec, expected) => {
    expect(podOf(manifest(spec))).toMatchObject(Object.keys(expected).length > 0 ? expected : spec);
  });

  it('envFrom and imagePullPolicy reach the model', () => {
    const asked = { envFrom: [{ secretRef: { name: 's' } }], imagePullPolicy: 'Always' as const };
    expect(podOf(manifest(asked)).containers[0]).toMatchObject(asked);
  });

  it('a name resolution asked for goes before that of the host network', () => {
    expect(podOf(manifest({ advertise: 'Node' }))).toMatchObject({ dnsPolicy: 'ClusterFirstWithHostNet' });
    expect(podOf(manifest({ advertise: 'Node', dnsPolicy: 'Default' }))).toMatchObject({ dnsPolicy: 'Default' });
  });

  it("volumes come first, so that an index in the API server's words is one of the resource, and into the model alone", () => {
    const volumes = [{ name: 'shm', emptyDir: { medium: 'Memory' } }];
    const volumeMounts = [{ name: 'shm', mountPath: '/dev/shm' }];
    const pod = podOf(manifest({ volumes, volumeMounts }));
    expect(pod.volumes[0]).toEqual(volumes[0]);
    expect(pod.containers[0].volumeMounts[0]).toEqual(volumeMounts[0]);
    expect(pod.initContainers[0].volumeMounts.map(({ name }) => name)).not.toContain('shm');
  });

  it('pull secrets of both, because the agent has an image of its own', () => {
    const settings = settingsWith({ imagePullSecrets: ['site', 'shared'] });
    expect(podOf(manifest({}, settings))).toMatchObject({ imagePullSecrets: [{ name: 'site' }, { name: 'shared' }] });
    expect(podOf(manifest({ imagePullSecrets: [{ name: 'own' }, { name: 'shared' }] }, settings))).toMatchObject({
      imagePullSecrets: [{ name: 'own' }, { name: 'shared' }, { name: 'site' }],
    });
    expect(podOf(manifest())).not.toHaveProperty('imagePullSecrets');
  });

  it('a read-only root file system leaves the script its directory and /tmp', () => {
    const settings = settingsWith({ readOnlyRootFilesystem: true });
    const pod = podOf(manifest({}, settings));
    expect(pod.containers[0]).toMatchObject({ securityContext: { readOnlyRootFilesystem: true } });
    expect(pod.containers[0].volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
    expect(pod.volumes).toContainEqual({ name: 'tmp', emptyDir: { sizeLimit: '10Gi' } });
    const spared = podOf(manifest({ securityContext: { readOnlyRootFilesystem: false } }, settings));
    expect(volumeNames(spared)).not.toContain('tmp');
    const own = { volumes: [{ name: 'big', emptyDir: {} }], volumeMounts: [{ name: 'big', mountPath: '/tmp/' }] };
    expect(volumeNames(podOf(manifest(own, settings)))).not.toContain('tmp');
  });

  it('labels and annotations, of which those of the resource go first and our own last', () => {
    const settings = settingsWith({ podLabels: { team: 'site', tier: 'a', 'maas.dev/model': 'x' } });
    const template = (
      manifest({ podMetadata: { labels: { team: 'own' }, annotations: { a: 'b' } } }, settings)['spec'] as {
        template: { metadata: { labels: object; annotations: object } };
      }
    ).template.metadata;
    expect(template.labels).toMatchObject({ team: 'own', tier: 'a', 'maas.dev/model': 'dga' });
    expect(template.annotations).toMatchObject({ a: 'b', 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' });
  });

  it('an annotation against eviction, where the resource wants it', () => {
    const key = 'cluster-autoscaler.kubernetes.io/safe-to-evict';
    const made = manifest({ podMetadata: { annotations: { [key]: 'false' } } });
    expect(made).toMatchObject({ spec: { template: { metadata: { annotations: { [key]: 'false' } } } } });
  });

  it('no more on disk than was asked for: directory, log and payload count together', () => {
    const pod = podOf(manifest({ disk: '1Gi' }));
    expect(pod.volumes).toContainEqual({ name: 'payload', emptyDir: { sizeLimit: '1041Mi' } });
    expect(pod.containers[0].resources.limits).toMatchObject({ 'ephemeral-storage': '1Gi' });
    expect(pod.initContainers[0].resources).toMatchObject({
      requests: { 'ephemeral-storage': '17Mi' },
      limits: { 'ephemeral-storage': '81Mi' },
    });
    const unlimited = podOf(manifest({}, settingsWith({ disk: null })));
    expect(unlimited.volumes).toContainEqual({ name: 'payload', emptyDir: {} });
    expect(JSON.stringify(unlimited.initContainers[0].resources.limits)).not.toContain('ephemeral');
    expect(JSON.stringify(unlimited.containers[0].resources)).not.toContain('ephemeral');
  });

  it("resources of the agent, which a namespace's quota may ask for", () => {
    const settings = {
      ...someSettings,
      agent: { ...someSettings.agent, resources: { requests: { cpu: '20m' }, limits: { cpu: '1', memory: '128Mi' } } },
    };
    const [agent] = podOf(manifest({ agent: { resources: { limits: { cpu: '500m' } } } }, settings)).initContainers;
    expect(agent.resources).toMatchObject({ requests: { cpu: '20m' }, limits: { cpu: '500m', memory: '128Mi' } });
  });

  it('one core for who says nothing, or what the site says', () => {
    const cpu = (spec: Partial<ModelDeploymentSpec>, settings = someSettings) =>
      (podOf(manifest(spec, settings)).containers[0].resources.requests as { cpu?: string }).cpu;
    expect(cpu({})).toBe('1');
    expect(cpu({}, settingsWith({ cpu: '250m' }))).toBe('250m');
    expect(cpu({ cpu: '2' }, settingsWith({ cpu: '250m' }))).toBe('2');
  });
});

describe('inputsOf', () => {
  it('is what it was before cpu had no default and before there were further fields, so that an upgrade restarts nothing', () => {
    expect(inputsOf(aResource({ spec: { cpu: '1' } }), aPayload())).toBe('2cpsfth6neb6pgo6');
    expect(inputsOf(aResource({ spec: { cpu: '1', stopTimeout: '10s' } }), aPayload())).toBe('2cpsfth6neb6pgo6');
  });

  it('tells one core from none said, whatever the default is', () => {
    const of = (cpu: string | undefined) => inputsOf(aResource({ spec: cpu === undefined ? {} : { cpu } }), aPayload());
    expect(new Set([of('1'), of('2'), of(undefined)]).size).toBe(3);
  });

  it('does not follow the budget, which concerns no pod', () => {
    const disruptionBudget = { maxUnavailable: 2 };
    expect(inputsOf(aResource({ spec: { disruptionBudget } }), aPayload())).toBe(inputsOf(aResource(), aPayload()));
  });

  const of = (spec: Partial<ModelDeploymentSpec>, digest = 'sha256:aa', annotations = {}) =>
    inputsOf(aResource({ spec, metadata: { annotations } }), aPayload({ digest }));
  it('follows what the user decides, not how many there are', () => {
    expect(of({ instances: 5 })).toBe(of({ instances: 1 }));
    expect(of({ paused: true })).toBe(of({}));
    expect(of({ drain: '5s', advertise: 'PodIP' })).toBe(of({}));
    expect(of({ drain: '6s' })).not.toBe(of({}));
    const affinity = { nodeAffinity: { a: 1, b: 2 } };
    const sorted = { nodeAffinity: { b: 2, a: 1 } };
    expect(of({ scheduling: { affinity } })).toBe(of({ scheduling: { affinity: sorted } }));
    expect(of({ memory: '1Gi' })).not.toBe(of({}));
    expect(of({}, 'sha256:bb')).not.toBe(of({}));
    expect(of({}, 'sha256:aa', { 'maas.dev/refresh': 'now' })).not.toBe(of({}));
  });
});

describe('a restart that was asked for', () => {
  it('changes the template of the pods, though nothing else has changed', () => {
    const templateOf = (refresh: string) => {
      const resource = aResource({ metadata: { annotations: { 'maas.dev/refresh': refresh } } });
      const { spec } = deploymentManifest(resource, { name: 'pin', payload: aPayload() }, someSettings);
      return JSON.stringify(spec);
    };
    expect(templateOf('1')).not.toBe(templateOf('2'));
    expect(templateOf('1')).toBe(templateOf('1'));
  });
});
