/** Builders of what planner and operator tests talk about. Every part has a usable default. */
import type { PinnedPayload } from '../../src/contracts/payload.ts';
import { type ModelDeployment, type ModelDeploymentSpec, modelDeploymentSpec } from '../../src/contracts/resource.ts';
import { type OperatorSettings, operatorSettings } from '../../src/contracts/settings.ts';
import { deploymentManifest, keyOf, pinManifest, revisionOf } from '../../src/plan/children.ts';
import type { DeploymentView, Observation, Pin, PinView, PodView } from '../../src/plan/observation.ts';
import { pinOf } from '../../src/plan/pins.ts';

export const start = Date.parse('2026-03-01T12:00:00Z');

export function aSpec(changes: Partial<ModelDeploymentSpec> = {}): ModelDeploymentSpec {
  return {
    ...modelDeploymentSpec.parse({ name: 'dga', version: '1.0', memory: '512Mi', payload: { path: '/models/dga' } }),
    ...changes,
  };
}

export function aResource(
  changes: { spec?: Partial<ModelDeploymentSpec>; metadata?: Partial<ModelDeployment['metadata']> } = {},
  status: ModelDeployment['status'] = {},
): ModelDeployment {
  return {
    metadata: {
      name: 'dga',
      namespace: 'fraud',
      uid: '11111111-1111-4111-8111-111111111111',
      generation: 1,
      resourceVersion: '1',
      creationTimestamp: '2026-03-01T11:00:00Z',
      labels: {},
      annotations: {},
      ...changes.metadata,
    },
    spec: aSpec(changes.spec),
    status,
  };
}

export function aPayload(changes: Partial<PinnedPayload> = {}): PinnedPayload {
  return {
    path: '/models/dga',
    nameservice: 'main',
    script: 'run.sh',
    bytes: 1_024,
    digest: 'sha256:aa',
    files: [
      {
        path: 'run.sh',
        length: 1_024,
        fileId: '16400',
        modificationTime: start,
        blockSize: 134_217_728,
        checksum: { algorithm: 'MD5-of-0MD5-of-512CRC32C', bytes: '00' },
      },
    ],
    ...changes,
  };
}

export function aPod(changes: Partial<PodView> = {}): PodView {
  return {
    namespace: 'fraud',
    name: 'dga-x-1',
    uid: '22222222-2222-4222-8222-222222222221',
    versionKey: 'k',
    createdAt: start,
    deleting: false,
    ready: false,
    ip: '10.0.0.9',
    nodeIp: '10.0.1.1',
    hostNetwork: false,
    agent: { restarts: 0, state: { kind: 'running' } },
    model: { restarts: 0, state: { kind: 'running' } },
    ...changes,
  };
}

export const someSettings: OperatorSettings & { clusterId: string } = {
  ...operatorSettings.parse({
    zookeeper: { quorum: 'zk:2181' },
    hdfs: { nameservices: { main: { webhdfs: ['http://nn1:9870'] } } },
    agent: { image: 'maas-operator:1' },
    // One object less to be there before a world has settled; tests about budgets want one.
    model: { image: 'maas-runtime:1', disruptionBudget: null },
  }),
  clusterId: 'c1',
};

/** A pin of `aPayload`, where nothing depends on its name. */
export const aPin: Pin = { name: 'pin', payload: aPayload() };

/** What the operator has made of a resource, as it is seen once all of it is out. */
export function deployed(
  resource = aResource(),
  payload = aPayload(),
): { readonly pin: PinView; readonly deployment: DeploymentView; readonly revision: string } {
  const pinned = pinManifest(resource, payload);
  const { name } = pinned.metadata;
  const manifest = deploymentManifest(resource, { name, payload }, someSettings);
  const spec = manifest['spec'] as DeploymentView['spec'];
  const versionKey = keyOf(resource.spec);
  return {
    pin: { name, uid: 'c1', versionKey, deleting: false, payload },
    deployment: {
      name: manifest.metadata.name,
      uid: 'd1',
      versionKey,
      version: resource.spec.version,
      createdAt: start,
      deleting: false,
      replicas: resource.spec.instances,
      annotations: { ...manifest.metadata.annotations },
      spec,
      // So that a test may change it in any way.
      asApplied: false,
      rolledOut: true,
      stuck: false,
      everComplete: true,
    },
    revision: revisionOf(spec) ?? '',
  };
}

export function anObservation(changes: Partial<Observation> = {}): Observation {
  const { resource = aResource(), pins = [], deployments = [] } = changes;
  const key = keyOf(resource.spec);
  return {
    now: start,
    resource,
    peers: [],
    key,
    pin: pinOf({ pins, deployments }, key),
    deployments,
    pins,
    budgets: [],
    pods: [],
    payload: { state: 'pending' },
    registrations: { known: true, byPod: new Map() },
    holds: { known: true, versions: {} },
    mode: { mode: 'active', agents: 'active' },
    agents: new Map(),
    shields: new Map(),
    ...changes,
  };
}
