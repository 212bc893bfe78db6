/** Builders of what planner and operator tests talk about. Every part has a usable default. */
import type { PinnedPayload } from '../../src/api/payload.ts';
import { type ModelDeployment, type ModelDeploymentSpec, modelDeploymentSpec } from '../../src/api/resource.ts';
import { type OperatorSettings, operatorSettings } from '../../src/api/settings.ts';
import type { Observation, PodView } from '../../src/plan/observation.ts';

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
    model: { image: 'maas-runtime:1' },
  }),
  clusterId: 'c1',
};

export function anObservation(changes: Partial<Observation> = {}): Observation {
  return {
    now: start,
    resource: aResource(),
    peers: [],
    deployments: [],
    pins: [],
    pods: [],
    payload: { state: 'pending' },
    registrations: { known: true, byPod: new Map() },
    mode: { mode: 'active', agents: 'active' },
    agents: new Map(),
    ...changes,
  };
}
