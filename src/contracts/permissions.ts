/**
 * What the operator may do in Kubernetes, listed once. The chart grants exactly this, which a test holds; who makes the
 * code call something new adds it here first and then in the chart.
 *
 * Not in the list, on purpose: secrets, pods/exec, service accounts, roles, nodes. The operator never needs to read what
 * a model's pod is given secretly: the kubelet mounts it.
 */

export interface Permission {
  /** '' is the core group. */
  readonly group: string;
  /** Plural, with the subresource after a slash. */
  readonly resource: string;
  readonly verbs: readonly string[];
  /** Where the resource is namespaced and only one object of it is meant. */
  readonly name?: string;
  /** What it is for. */
  readonly why: string;
}

export interface OperatorPermissions {
  /** In every namespace whose ModelDeployments are served. */
  readonly watched: readonly Permission[];
  /** In the operator's own namespace. */
  readonly own: readonly Permission[];
  /** In the whole cluster, when the settings give no clusterId. */
  readonly clusterId: readonly Permission[];
  /** Where the requests of the old deploy client are taken: in the namespaces of their models. */
  readonly queueModels: readonly Permission[];
  /** The same: in the operator's own namespace. */
  readonly queueRecord: readonly Permission[];
}

/** What a watch needs. */
const follow = ['list', 'watch'] as const;
/** What a server-side apply needs, and the removal of what was applied. */
const own = ['create', 'patch', 'delete'] as const;

export const operatorPermissions: OperatorPermissions = {
  watched: [
    {
      group: 'maas.dev',
      resource: 'modeldeployments',
      verbs: follow,
      why: 'What is wanted. It is the user who writes it; the operator only for requests of the old deploy client.',
    },
    { group: 'maas.dev', resource: 'modeldeployments/status', verbs: ['patch'], why: 'What is.' },
    {
      group: 'maas.dev',
      resource: 'modeldeployments/finalizers',
      verbs: ['update'],
      why: 'Clusters such as OpenShift ask it of whoever makes an object that blocks the deletion of its owner.',
    },
    {
      group: 'apps',
      resource: 'deployments',
      verbs: [...follow, ...own],
      why: 'One for each version that is served.',
    },
    {
      group: '',
      resource: 'configmaps',
      verbs: [...follow, ...own],
      why: 'The pinned payload of each version.',
    },
    {
      group: 'policy',
      resource: 'poddisruptionbudgets',
      verbs: [...follow, ...own],
      why: 'One for each version that is served, so that drains take its instances away one after the other.',
    },
    {
      group: '',
      resource: 'pods',
      verbs: ['get', ...follow],
      why: 'What became of the instances; before a registration is swept, the API server itself is asked.',
    },
    {
      group: '',
      resource: 'events',
      verbs: ['list', 'create', 'patch'],
      why: 'What `kubectl describe` tells; and what the node says of a pod that does not start, a missing secret, say.',
    },
  ],
  own: [
    {
      group: 'coordination.k8s.io',
      resource: 'leases',
      verbs: ['get', 'create', 'patch'],
      why: 'Which replica leads.',
    },
    {
      group: '',
      resource: 'configmaps',
      verbs: follow,
      name: 'maas-operator-modes',
      why: 'How far operator and agents go with each model. It is people who write it, never the operator.',
    },
    {
      group: '',
      resource: 'events',
      verbs: ['create', 'patch'],
      why: 'What `kubectl describe` tells of the ConfigMaps there.',
    },
  ],
  clusterId: [
    {
      group: '',
      resource: 'namespaces',
      verbs: ['get'],
      name: 'kube-system',
      why: 'Its UID tells the instances of this cluster from those of another with the same ZooKeeper.',
    },
  ],
  queueModels: [
    {
      group: 'maas.dev',
      resource: 'modeldeployments',
      verbs: ['get', 'create', 'patch', 'delete'],
      why: 'What the requests ask for.',
    },
    {
      group: 'autoscaling',
      resource: 'horizontalpodautoscalers',
      verbs: ['list'],
      why: 'Requests for instances that an autoscaler decides about respect its bounds.',
    },
  ],
  queueRecord: [
    { group: '', resource: 'configmaps', verbs: ['create'], why: 'The record of the queue, when there is none yet.' },
    {
      group: '',
      resource: 'configmaps',
      verbs: ['get', 'patch'],
      name: 'maas-operator-queue',
      why: 'Which requests were rejected, and which models were removed.',
    },
  ],
};
