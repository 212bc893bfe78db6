/** The operator's writes to Kubernetes. Everything destructive is asked of the leadership first and tied to a UID. */
import { MaasError } from '../../contracts/errors.ts';
import { fieldManager } from '../../contracts/names.ts';
import { apiVersion, kind, type ModelDeployment, plural } from '../../contracts/resource.ts';
import type { ModelDeploymentStatus } from '../../contracts/resource-status.ts';
import type { KubeClient } from './client.ts';
import type { EventText } from './events.ts';
import {
  configMaps,
  deployments,
  type KubeObject,
  podDisruptionBudgets,
  pods,
  type ResourceKind,
} from './resource-kind.ts';

export interface ModelDeploymentObject extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

export const modelDeployments: ResourceKind<ModelDeploymentObject> = { apiVersion, kind, plural, namespaced: true };

const childKinds: Readonly<Record<string, ResourceKind<KubeObject>>> = {
  Deployment: deployments,
  ConfigMap: configMaps,
  PodDisruptionBudget: podDisruptionBudgets,
};

function childKind(name: string): ResourceKind<KubeObject> {
  const found = childKinds[name];
  if (found === undefined) throw new MaasError('INTERNAL', `a plan names an object of the kind ${name}`);
  return found;
}

export interface Child {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/**
 * @param leadership asked before each write
 * @param record takes an event; never throws
 */
export function modelCluster(
  client: KubeClient,
  leadership: { holds(): boolean },
  record: (resource: ModelDeployment, event: EventText) => void,
) {
  const lead = () => {
    if (!leadership.holds())
      throw new MaasError('LEASE_LOST', 'this process is not the leader any more, so it writes nothing');
  };
  return {
    async apply(manifest: AppliedObject): Promise<void> {
      lead();
      await client.apply(childKind(manifest.kind), manifest, { fieldManager });
    },
    async remove(child: Child): Promise<void> {
      lead();
      await client.delete(childKind(child.kind), { namespace: child.namespace, name: child.name }, { uid: child.uid });
    },
    async writeStatus(resource: ModelDeployment, status: ModelDeploymentStatus): Promise<void> {
      lead();
      const { namespace, name, uid } = resource.metadata;
      await client.applyStatus(modelDeployments, { metadata: { namespace, name, uid }, status }, { fieldManager });
    },
    event(resource: ModelDeployment, event: EventText): void {
      if (leadership.holds()) record(resource, event);
    },
    async podExists(namespace: string, name: string, uid: string): Promise<boolean> {
      const pod = await client.get(pods, { namespace, name });
      return pod?.metadata.uid === uid;
    },
  };
}
