/** Everything that `kubectl maas doctor` can find: how bad it is, what it means, what cures it. Codes are never renamed. */

/** `error`: clients, or the operator, cannot do their work. `warning`: something will surprise. `info`: good to know. */
export const severities = ['error', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

interface Entry {
  readonly severity: Severity;
  readonly means: string;
  readonly cure: string;
}

const entry = (severity: Severity, means: string, cure: string): Entry => ({ severity, means, cure });

export const findingCatalogue = {
  NotChecked: entry(
    'info',
    'Something could not be checked, so it may be all right or not.',
    'Run the command as someone who may look at it.',
  ),

  ZooKeeperUnreachable: entry(
    'error',
    'ZooKeeper cannot be read from here with these settings.',
    'Check the quorum, the network between here and ZooKeeper, and that it runs.',
  ),
  ConfigurationUnreadable: entry(
    'error',
    'Clients cannot read the configuration node: each one that starts fails for as long as it lives.',
    'Write exactly the keys queue, queueConfig and serviceRoot into it, or remove it; then restart the clients.',
  ),
  ConfigurationElsewhere: entry(
    'warning',
    'The operator uses a different configuration node from the one that Stellar always reads, and the two differ.',
    'Let both name the same serviceRoot, or set zookeeper.configPath to the node that Stellar reads.',
  ),
  ConfigurationMissing: entry(
    'info',
    'There is no configuration node; clients and operator use the defaults.',
    'Nothing, if the defaults are what you want.',
  ),
  ServiceRootMissing: entry(
    'info',
    'The node below which models are registered does not exist: no model is registered, or none was ever.',
    'Nothing: the first registration makes it.',
  ),
  ServiceRootHidden: entry(
    'error',
    'Clients may not list the models: they see none.',
    'Let everybody read the node (world:anyone:r).',
  ),
  RegistrationUnreadable: entry(
    'error',
    'Clients cannot read a registration. It hides every model from new clients and freezes running ones.',
    'Remove the node, or let whoever made it write it again.',
  ),
  RegistrationHidden: entry(
    'error',
    'Clients may not read a registration. It hides every model from new clients and freezes running ones.',
    'Let everybody read the node (world:anyone:r), or remove it.',
  ),
  RegistrationUnusable: entry(
    'warning',
    'Clients read a registration, but it does not do all that it should.',
    'Let whoever made it write it again, or remove it.',
  ),
  RegistrationsMany: entry(
    'warning',
    'There are so many registrations that a client takes long to get its first view; the time grows with the square of their number.',
    'Run fewer, larger instances.',
  ),
  VersionOutranked: entry(
    'warning',
    'Clients compare versions as plain text, and so use a version that is not the newest.',
    'Name versions so that they sort as text (1.09 before 1.10), or remove the version that is served by mistake.',
  ),

  EndpointDead: entry(
    'error',
    'Nothing listens at a registered address; clients that are sent there get no answer.',
    'Restart the instance, or remove the registration if the instance no longer exists.',
  ),
  EndpointLocal: entry(
    'error',
    'A registered address means "this machine" to whoever uses it, so every client calls itself.',
    'Register an address that clients can reach.',
  ),
  EndpointUnresolved: entry(
    'warning',
    'The host of a registered address has no address here; clients may see another DNS.',
    'Check that the machines of the clients know the name.',
  ),
  EndpointUnreachable: entry(
    'warning',
    'A registered address cannot be reached from here; clients may be elsewhere.',
    'Run doctor where the clients run; if it finds the same there, open the network or advertise another address.',
  ),

  ModelStalled: entry(
    'error',
    'The operator cannot get any further with a model: somebody has to change something first.',
    'Correct what the evidence names.',
  ),
  ModelFailing: entry(
    'error',
    'A model is not up, and something is wrong with it.',
    'Correct what the evidence names; docs/reasons.md says more about each reason.',
  ),
  ModelStuck: entry(
    'warning',
    'A model has been starting, or waiting, for longer than usual.',
    'See what it is waiting for with `kubectl maas why`.',
  ),
  ModelPaused: entry(
    'warning',
    'A model is paused: whatever is changed in its resource waits.',
    'Let it go on with `kubectl maas resume NAME`, once whoever paused it is done.',
  ),
  ModelNotSeen: entry(
    'error',
    'No operator has looked at a model since it was made or changed.',
    'Check that the operator runs, and that its role covers the namespace.',
  ),
  ModelOrphaned: entry(
    'warning',
    'What belonged to a ModelDeployment is still there without it, as after `kubectl delete --cascade=orphan`. Its instances go on, and no operator looks after them.',
    'Delete it, by the label maas.dev/owner-uid, unless it is to go on serving.',
  ),
  NamespaceNotServed: entry(
    'error',
    'Models are, or would be, in a namespace that the operator does not serve: nothing will happen to them.',
    "Add the namespace to the chart's `namespaces`, or deploy the models in one that is served.",
  ),
  ReferenceMissing: entry(
    'error',
    'A model names something that does not exist. Running instances keep running; new ones cannot start.',
    'Create it, or correct the name in the spec.',
  ),

  ManifestUnreadable: entry('error', 'A manifest cannot be read.', 'Correct the file.'),
  ManifestInvalid: entry('error', 'A manifest has a field that cannot be used.', 'Correct the named field.'),
  ManifestFieldUnknown: entry(
    'warning',
    'A manifest has a field that does not exist. kubectl refuses it, other tools drop it silently.',
    'Correct its name, or remove it; `kubectl explain mdl.spec` lists all fields.',
  ),
  ManifestRefused: entry('error', 'The API server would refuse a manifest.', 'Correct what its words name.'),
  NamespaceMissing: entry(
    'error',
    'The namespace of a manifest does not exist.',
    'Create it with `kubectl create namespace`.',
  ),
  NameTaken: entry(
    'error',
    'The model name, or this version of it, belongs to another ModelDeployment: this one would do nothing.',
    'Choose another name or version, change the resource that has it, or remove that first.',
  ),
  PayloadMissing: entry(
    'warning',
    'There is nothing at the payload path of a manifest. The model would wait for it.',
    'Upload the payload, or correct payload.path.',
  ),
  PayloadUnusable: entry('error', 'What is at the payload path of a manifest cannot be run.', 'Correct the payload.'),
  ImageInvalid: entry('error', 'The image of a manifest has no valid name.', 'Correct spec.image.'),
  NoNodeFits: entry(
    'warning',
    'No node of the cluster would do for a manifest, even if it were empty.',
    'Correct spec.scheduling, lower memory or cpu, or add a node.',
  ),

  QueuePathUnusable: entry(
    'warning',
    'The configuration node names no usable path for the request queue: the old deploy client cannot submit anything.',
    'Set queueConfig.zk_path in the configuration node.',
  ),
  QueueHidden: entry(
    'warning',
    'The request queue may not be listed.',
    'Let everybody read the node (world:anyone:r).',
  ),
  QueueNotDrained: entry(
    'warning',
    'Requests of the old deploy client have been waiting for a while, in its queue or in the second one, and nobody takes them.',
    'Start whatever consumes the queue; see what waits with `kubectl maas import`.',
  ),
  QueueWaiting: entry(
    'info',
    'Requests of the old deploy client wait; the oldest is recent.',
    'Look again in a minute.',
  ),
  QueueRequestUnusable: entry(
    'warning',
    'A request in the queue asks for something that cannot be done.',
    'Nothing, if the queue is consumed by the operator, which takes it off; otherwise remove the node.',
  ),

  ClusterUnreachable: entry(
    'error',
    'The Kubernetes API server cannot be asked.',
    'Check the kubeconfig and the cluster.',
  ),
  SettingsMissing: entry(
    'error',
    "The operator's published settings were not found.",
    'Install the operator, or name its namespace with --operator-namespace.',
  ),
  SettingsUnreadable: entry(
    'error',
    "The operator's published settings cannot be used.",
    "Correct the chart's values and upgrade.",
  ),
  CrdMissing: entry(
    'error',
    'The cluster has no CRD for ModelDeployments.',
    'Install the chart, or apply crds/modeldeployments.maas.dev.yaml.',
  ),
  CrdNotServed: entry(
    'error',
    'The cluster has the CRD for ModelDeployments, but does not serve the version that is used here.',
    'Upgrade the chart, or apply crds/modeldeployments.maas.dev.yaml.',
  ),
  CrdOlder: entry(
    'warning',
    'The CRD in the cluster lacks fields that this program knows; their values are dropped silently.',
    'Upgrade the chart, or apply crds/modeldeployments.maas.dev.yaml; then the operator.',
  ),
  OperatorMissing: entry(
    'error',
    "There is no Deployment of the operator in the operator's namespace.",
    'Install the chart, or name the namespace with --operator-namespace.',
  ),
  OperatorNotRunning: entry(
    'error',
    'No pod of the operator is ready: changes have no effect.',
    "See why with `kubectl describe pods` and `kubectl logs` in the operator's namespace.",
  ),
  OperatorDegraded: entry(
    'warning',
    'Fewer pods of the operator are ready than should be.',
    "See why with `kubectl describe pods` in the operator's namespace.",
  ),
  OperatorNotLeading: entry(
    'error',
    'No replica of the operator leads: changes have no effect.',
    "See the operator's log; a lease is taken over within 20 seconds.",
  ),
  ClusterIdTwice: entry(
    'error',
    "Two clusters share a ZooKeeper and have the same cluster id: neither can tell its own registrations from the other's.",
    "Give each cluster its own `clusterId` in the chart's values; a cluster that was copied keeps the id of kube-system.",
  ),
  ClusterIdShared: entry(
    'warning',
    'Several releases in one cluster have the same cluster id, so the modes of one apply to the models of both.',
    "Give each release its own `clusterId` in the chart's values.",
  ),
  NamespacesOverlap: entry(
    'error',
    'Two releases serve the same namespaces: both write to the same models.',
    'List each namespace in the `namespaces` of one release only.',
  ),
  QueueShared: entry(
    'error',
    'Two operators take requests off the same queue, so each request goes to whichever is faster.',
    'Enable legacy.queue in one of them only, or give them different configuration nodes.',
  ),
  OperatorPermissionMissing: entry(
    'error',
    'The operator lacks a permission that it needs.',
    'Upgrade the chart with rbac.create, or grant the permission.',
  ),
  CallerPermissionMissing: entry(
    'info',
    'You may not do something that `kubectl maas` does for you.',
    'Ask for the cluster role edit (or view, to look only) in the namespace.',
  ),

  HdfsUnreachable: entry(
    'error',
    'HDFS cannot be used from here with these settings.',
    'Check hdfs.nameservices, the network between here and HDFS, and that it runs.',
  ),
  NameNodeUnreachable: entry(
    'warning',
    'A name node does not answer; if the active one fails, it cannot take over.',
    'Start it, or correct its address in hdfs.nameservices.',
  ),
  NameNodesNoneActive: entry(
    'error',
    'No name node of a nameservice is active: payloads can be neither read nor written.',
    'Look at `hdfs haadmin -getAllServiceState` and the failover controllers.',
  ),
  NameNodesSeveralActive: entry(
    'warning',
    'Several name nodes of a nameservice say that they are active: they belong to different clusters, or are observers.',
    'List only the name nodes of one nameservice under its name.',
  ),
  NameNodeSafeMode: entry(
    'error',
    'The active name node is in safe mode: nothing can be uploaded, and blocks may be missing.',
    'Wait until its data nodes have reported, or see `hdfs dfsadmin -safemode get` and -report.',
  ),
} as const satisfies Record<string, Entry>;

export type FindingCode = keyof typeof findingCatalogue;
