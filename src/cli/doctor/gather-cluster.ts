/** Asks the cluster about itself. A question that is not answered leaves the others alone. */
import { z } from 'zod';
import { MaasError } from '../../contracts/errors.ts';
import { mapBounded } from '../../kernel/bounded.ts';
import { type Asked, asked } from '../cluster/asked.ts';
import { leaseFacts, leaseName } from '../cluster/operator-lease.ts';
import type { PublishedSettings } from '../cluster/operator-settings.ts';
import type { ApiObject, ClusterInspector, ServiceAccount } from '../ports.ts';
import { crdFacts } from './crd-facts.ts';
import type { ClusterFacts, OperatorFacts, PermissionFacts } from './facts.ts';
import { type WantedPermission, wantedByCaller, wantedByOperator } from './wanted-permissions.ts';

const parallelism = 8;

/**
 * @param namespaces the operator's, and the one that the caller works in
 * @param settings what decides which permissions are needed
 */
export async function gatherCluster(
  cluster: ClusterInspector,
  namespaces: { readonly operator: string; readonly caller: string },
  settings: Asked<PublishedSettings>,
): Promise<ClusterFacts> {
  const [crd, operators, lease, callerMay] = await Promise.all([
    asked(async () => {
      const found = await cluster.crd();
      return found === undefined ? undefined : crdFacts(found);
    }),
    asked(async () => (await cluster.operators(namespaces.operator)).map(operatorFacts)),
    asked(async () => {
      const found = await cluster.lease(namespaces.operator, leaseName);
      return found === undefined ? undefined : leaseFacts(found);
    }),
    asked(() => permissionFacts(cluster, wantedByCaller(namespaces.caller))),
  ]);
  const operatorMay = await asked(async () => {
    if (!settings.known) return [];
    if (!operators.known) throw operators.error;
    const accounts = new Set(operators.value.map(({ serviceAccount }) => serviceAccount));
    const wanted = wantedByOperator(settings.value, namespaces.operator);
    const answers = await mapBounded([...accounts], 1, (name) =>
      permissionFacts(cluster, wanted, { namespace: namespaces.operator, name }),
    );
    return answers.flat();
  });
  return { namespace: namespaces.operator, crd, operators, lease, operatorMay, callerMay };
}

function permissionFacts(
  cluster: ClusterInspector,
  wanted: readonly WantedPermission[],
  account?: ServiceAccount,
): Promise<readonly PermissionFacts[]> {
  return mapBounded(wanted, parallelism, async ({ asked: permission, resource, why }) => ({
    verb: permission.verb,
    resource,
    namespace: permission.namespace,
    allowed: await cluster.can(permission, account),
    why,
  }));
}

const deployment = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.int().default(1),
    template: z.object({ spec: z.object({ serviceAccountName: z.string().default('default') }) }),
  }),
  status: z.object({ readyReplicas: z.int().default(0) }).default({ readyReplicas: 0 }),
});

function operatorFacts(object: ApiObject): OperatorFacts {
  const parsed = deployment.safeParse(object);
  if (!parsed.success) {
    throw new MaasError('CLUSTER_REFUSED', 'the cluster answered with an object that is no Deployment', {
      cause: parsed.error,
    });
  }
  const { metadata, spec, status } = parsed.data;
  return {
    name: metadata.name,
    wanted: spec.replicas,
    ready: status.readyReplicas,
    serviceAccount: spec.template.spec.serviceAccountName,
  };
}
