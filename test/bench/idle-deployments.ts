/** What a model's start is measured against: Deployments of the same images in which nothing is done. */
import { z } from 'zod';
import { containers, pinnedVolume } from '../../src/contracts/pod-contract.ts';

type Json = Readonly<Record<string, unknown>>;

const idle = { command: ['/bin/sh', '-c', 'exec sleep infinity'] };

function deployment(name: string, replicas: number, podSpec: Json): Json {
  const labels = { bench: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...podSpec, terminationGracePeriodSeconds: 0 } },
    },
  };
}

/** As everybody's: one container, the token of a service account mounted, allowed under the restricted level. */
export function ordinary(name: string, replicas: number, image: string): Json[] {
  const container = {
    name: containers.model,
    image,
    ...idle,
    resources: { requests: { cpu: '20m', memory: '32Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const securityContext = { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } };
  return [deployment(name, replicas, { securityContext, containers: [container] })];
}

const container = z.looseObject({
  name: z.string(),
  lifecycle: z.unknown().optional(),
  readinessProbe: z.unknown().optional(),
});
const volume = z.looseObject({ name: z.string() });
/** A model's Deployment, as far as its pods' shape is concerned, and the ConfigMap with its pin. */
export const modelsShape = z.object({
  deployment: z.object({
    spec: z.object({
      template: z.object({
        spec: z.looseObject({
          initContainers: z.array(container).optional(),
          containers: z.array(container),
          volumes: z.array(volume),
          topologySpreadConstraints: z.unknown().optional(),
        }),
      }),
    }),
  }),
  pin: z.looseObject({
    data: z.unknown().optional(),
    binaryData: z.unknown().optional(),
    immutable: z.unknown().optional(),
  }),
});
export type ModelsShape = z.infer<typeof modelsShape>;

/** Pods just like a model's, from the Deployment of one, with a pin of their own: only nobody does or asks anything. */
export function sameShape(name: string, replicas: number, { deployment: ours, pin }: ModelsShape): Json[] {
  const { topologySpreadConstraints: _, ...spec } = ours.spec.template.spec;
  const still = ({ lifecycle: _hooks, readinessProbe: _probe, ...kept }: z.infer<typeof container>) => ({
    ...kept,
    ...idle,
  });
  const pod = {
    ...spec,
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(still) }),
    containers: spec.containers.map(still),
    volumes: spec.volumes.map((each) => (each.name === pinnedVolume ? { ...each, configMap: { name } } : each)),
  };
  const { data, binaryData, immutable } = pin;
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data, binaryData, immutable },
    deployment(name, replicas, pod),
  ];
}
