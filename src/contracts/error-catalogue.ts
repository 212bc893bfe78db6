/**
 * Every error code with its meaning and the advice that goes with it. Codes are never renamed or reused; the
 * reference in docs/errors.md is generated from this table and a test holds the two together.
 */
interface Entry {
  /** What it means, in one sentence. */
  readonly means: string;
  /** What to do next, as an instruction. */
  readonly next: string;
  /** May the same thing succeed later by itself? */
  readonly transient: boolean;
}

const entry = (means: string, next: string, transient = false): Entry => ({ means, next, transient });

export const errorCatalogue = {
  INTERNAL: entry('Something failed that the program has no name for.', 'Report it with the log around it.', true),
  USAGE: entry('A command was called with arguments it does not take.', 'See the command with --help.'),
  SETTINGS_INVALID: entry(
    'The settings of the operator, agent or command cannot be used.',
    'Correct the named setting.',
  ),
  SETTINGS_NOT_FOUND: entry(
    "The operator's published settings were not found in the cluster.",
    'Check that the operator is installed and name its namespace with --operator-namespace.',
  ),
  MODES_INVALID: entry(
    'The modes in the ConfigMap maas-operator-modes cannot be read.',
    'Correct them with `kubectl edit`; until then the last good ones stay in force.',
  ),
  HELM_FAILED: entry('Helm failed.', 'Read what Helm printed, and correct that.'),
  RESOURCE_INVALID: entry('A ModelDeployment has a field that cannot be used.', 'Correct the named field.'),
  MODEL_NOT_FOUND: entry('No such model is deployed.', 'See what is deployed with `kubectl maas list -A`.'),
  MODEL_AMBIGUOUS: entry(
    'Several ModelDeployments are of the model that was named.',
    'Name one of them as `kubectl get mdl` shows it.',
  ),
  MODEL_STALLED: entry(
    'The model cannot come up by itself: somebody has to change something first.',
    'Correct what the message names.',
  ),
  UNDO_IMPOSSIBLE: entry(
    'There is no version to set the model back to, or it is set back already.',
    'See what there was with `kubectl maas history`.',
  ),
  PAYLOAD_PATH_DIFFERS: entry(
    'This version of the model is already deployed with another payload path.',
    'Give the other payload its own version, or leave the path out.',
  ),
  AUTOSCALED: entry(
    'An autoscaler decides how many instances there are, and keeps them within other bounds.',
    "Change the autoscaler's bounds, or delete it.",
  ),
  NAME_OWNED: entry(
    'The model name, or the name and version, belongs to another ModelDeployment.',
    'Choose another name, or remove the owner first.',
  ),
  NAMESPACE_NOT_SERVED: entry(
    'No operator looks after the models of the namespace.',
    'Choose a namespace that is served, or name the operator that serves it with --operator-namespace.',
  ),
  OPERATOR_AWAY: entry(
    'No operator is running that could do what was asked.',
    'Check that it is installed and runs: `kubectl maas doctor`. What was written to the cluster stays, and is carried out when it is back.',
    true,
  ),
  IMPORT_INCOMPLETE: entry(
    'Some of the models could not be created: something is not known, or the cluster refused it.',
    'Give --memory and --payload-path, or fill in what `kubectl maas import` prints, and apply that.',
  ),
  CONFLICT: entry('Somebody else changed the same object at the same time.', 'Run the command again.', true),
  INTERRUPTED: entry('The command was interrupted.', 'Look at what was done so far, and run it again.'),
  TIMEOUT: entry('What was waited for did not happen in time.', 'See why with `kubectl maas why`.', true),
  CLUSTER_UNREACHABLE: entry(
    'The Kubernetes API server did not answer.',
    'Check the kubeconfig and the cluster.',
    true,
  ),
  CLUSTER_UNAVAILABLE: entry(
    'The Kubernetes API server answered, but could not serve the call (overload or an internal error).',
    'Wait, or ask whoever runs the cluster.',
    true,
  ),
  CLUSTER_UNAUTHENTICATED: entry(
    'Kubernetes does not accept the credentials.',
    'Renew the credentials of the user in the kubeconfig; `kubectl auth whoami` tries the same ones.',
  ),
  CLUSTER_FORBIDDEN: entry('Kubernetes refused the call.', 'Ask for the named permission.'),
  CLUSTER_NOT_FOUND: entry(
    'Kubernetes does not have the object, its namespace or its kind.',
    'Check the namespace, and that the operator with its CRD is installed.',
  ),
  CLUSTER_REFUSED: entry('Kubernetes refused an object.', 'Correct what the message names.'),
  KUBECONFIG_INVALID: entry(
    'The kubeconfig cannot be used.',
    'Correct the named entry, or name another file or context.',
  ),
  CREDENTIAL_PLUGIN_FAILED: entry(
    'The credential plugin that the kubeconfig names returned no credentials.',
    'Read what it printed; `kubectl get --raw /version` runs the same one.',
  ),
  LEASE_LOST: entry(
    'The lease of the leader could not be renewed in time.',
    'Nothing: another replica takes over.',
    true,
  ),

  HDFS_UNREACHABLE: entry(
    'No configured name node answered.',
    'Check that HDFS runs and that its WebHDFS address is right.',
    true,
  ),
  HDFS_UNAVAILABLE: entry(
    'HDFS answered, but cannot serve now (safe mode, standby, overload).',
    'Wait, or ask whoever runs HDFS.',
    true,
  ),
  HDFS_FORBIDDEN: entry('HDFS refused the user.', 'Let the HDFS user read (or write) the named path.'),
  HDFS_UNAUTHENTICATED: entry(
    'HDFS requires credentials, or refused those that were given.',
    'Give a valid delegation token.',
  ),
  HDFS_PATH_MISSING: entry('There is nothing at the HDFS path.', 'Upload the payload, or correct the path.'),
  HDFS_PATH_EXISTS: entry(
    'There is already something at the HDFS path.',
    'Choose another path, or remove what is there.',
  ),
  HDFS_PATH_INVALID: entry('The HDFS path cannot be used.', 'Correct the path.'),
  HDFS_NAMESERVICE_UNKNOWN: entry(
    'The path names a nameservice or name node that the settings do not map to WebHDFS addresses.',
    "Add it to the chart's hdfs.nameservices.",
  ),
  HDFS_NO_SPACE: entry(
    'HDFS has no room for the files (quota, or full disks).',
    'Make room, or ask whoever runs HDFS for a larger quota.',
  ),
  HDFS_DATA_CORRUPT: entry(
    'The bytes received are not those that HDFS announced.',
    'Check the file with `hdfs fsck`.',
    true,
  ),
  HDFS_ERROR: entry('HDFS answered with an error that has no name of its own here.', 'Read the message of HDFS.', true),

  PAYLOAD_NOT_A_DIRECTORY: entry('The payload path is a file.', "Give the directory that holds the model's script."),
  PAYLOAD_NO_SCRIPT: entry('The payload has no *.sh at its top level.', "Put the model's start script there."),
  PAYLOAD_SEVERAL_SCRIPTS: entry(
    'The payload has several *.sh at its top level.',
    'Leave one there; move the others to a subdirectory.',
  ),
  PAYLOAD_NAME_INVALID: entry(
    'A file name in the payload cannot be used in HDFS or in a pod.',
    'Rename the file; an upload leaves it out with --exclude.',
  ),
  PAYLOAD_NAME_COLLISION: entry('Two files of the payload would have the same name.', 'Rename one of them.'),
  PAYLOAD_TOO_MANY_FILES: entry(
    'The payload has more files than fit into its list: about 10,000 always fit.',
    'Pack small files into an archive that the script unpacks, or put libraries into the image.',
  ),
  PAYLOAD_INCOMPLETE: entry(
    'The payload is still being written.',
    'Wait until the upload is done; upload to another path and rename it, so that it appears whole.',
    true,
  ),
  PAYLOAD_CHANGED: entry(
    'The files in HDFS are no longer those that this version was started with.',
    'Change version or payload.path to switch. Upload every version to a path of its own, or set payload.readFrom to Store.',
  ),
  PAYLOAD_PIN_MISMATCH: entry(
    'The list of files that a pod was given is not the one that its Deployment names.',
    'Delete the pod; if its successor says the same, delete the ConfigMap of the pin, which is then made again.',
  ),
  PAYLOAD_NO_SPACE: entry('The payload does not fit on the node.', 'Give the node or the pod more ephemeral storage.'),
  LOCAL_PATH_INVALID: entry(
    'The local model path cannot be uploaded.',
    'Give a directory that holds one *.sh and its files.',
  ),
  INPUTS_INVALID: entry(
    'The inputs of a comparison cannot be used.',
    'Give CSV whose first line names the arguments, or a JSON object a line.',
  ),
  LOCAL_FILE_UNREADABLE: entry(
    'Files or directories of the local model path cannot be read.',
    'Let your user read them, or leave them out with --exclude.',
  ),
  LOCAL_FILE_CHANGED: entry(
    'A file of the local model path was changed while it was uploaded.',
    'Upload again when nothing writes to the directory.',
  ),

  ZOOKEEPER_UNREACHABLE: entry('No ZooKeeper server answered.', 'Check the quorum and that ZooKeeper runs.', true),
  ZOOKEEPER_TIMEOUT: entry('ZooKeeper did not answer an operation in time.', 'Check the load of ZooKeeper.', true),
  ZOOKEEPER_SESSION_EXPIRED: entry('The ZooKeeper session expired.', 'Nothing: a new session is opened.', true),
  ZOOKEEPER_CONFLICT: entry(
    'A znode is not in the state that the operation needs.',
    'Nothing: it is tried again.',
    true,
  ),
  ZOOKEEPER_FORBIDDEN: entry('ZooKeeper refused the operation.', 'Check the ACLs of the named znode.'),
  ZOOKEEPER_ERROR: entry(
    'ZooKeeper answered with an error that has no name of its own here.',
    'Read its message.',
    true,
  ),
  SERVICE_CONFIG_INVALID: entry(
    'The configuration node in ZooKeeper cannot be read by Stellar clients.',
    'Write exactly the keys queue, queueConfig and serviceRoot into it, or remove it.',
  ),
  REQUEST_UNREADABLE: entry(
    'A request in the queue of the old deploy client is not what that client writes.',
    'Find out who writes to the queue, and send a complete request.',
  ),
  REQUEST_IMPOSSIBLE: entry(
    'A request in the queue of the old deploy client asks for something that cannot be done.',
    'Correct what the message names, and send the request again.',
  ),

  ENDPOINT_MISSING: entry(
    'endpoint.dat did not appear in time.',
    'Let the script write endpoint.dat, or raise startupTimeout.',
  ),
  ENDPOINT_NOT_JSON: entry(
    'endpoint.dat does not contain the expected JSON object.',
    'Write {"url": "http://0.0.0.0:PORT"} into it.',
  ),
  ENDPOINT_URL_INVALID: entry(
    'endpoint.dat names a URL that cannot be used.',
    'Write an http or https URL with a port.',
  ),
  ENDPOINT_UNSAFE: entry('endpoint.dat is a link, not a regular file, or too large.', 'Write a small regular file.'),
  ENDPOINT_NOT_LISTENING: entry(
    'Nothing listens on the port that endpoint.dat names.',
    'Start the service before or soon after writing the file.',
  ),
  ENDPOINT_LOOPBACK_ONLY: entry(
    'The model listens on localhost only.',
    'Let the service bind to ::, or to 0.0.0.0 if clients are told an IPv4 address.',
  ),
  ENDPOINT_NOT_REACHABLE: entry(
    'The model listens on another address, or for another address family, than the one that clients are told.',
    'Let the service bind to :: if clients are told an IPv6 address, and to :: or 0.0.0.0 if they are told an IPv4 address.',
  ),
  SHIELD_NOT_LISTENING: entry(
    'The shield before the model could not listen on its port, so there is nothing that clients could be told.',
    "See the agent's log for who has the port: a model under a shield must leave 8098 alone.",
    true,
  ),
  ENDPOINT_UNHEALTHY: entry(
    "The model's health check does not answer 2xx in time.",
    'See what the model answers at healthCheck.path, and correct the path or the model.',
  ),
  WARM_UP_FAILED: entry(
    'The call that spec.rollout.warmup asks for does not give what is expected, so the instance does not count as up.',
    'See in the message what the model answered, and correct the model, or function, arguments and expect of the warm-up.',
  ),
  AGENT_STATE_UNWRITABLE: entry(
    'The agent cannot store what it needs after a restart, so it does not register.',
    "Read its message. The volume is in memory and counts against the agent's memory limit.",
    true,
  ),
  REGISTRATION_REVOKED: entry(
    'The operator no longer allows this instance to be registered.',
    'Delete the pod: its replacement is registered.',
  ),
  SCRIPT_NOT_RUNNABLE: entry(
    "The model's script cannot run as it is stored: Windows line endings or encoding, or no usable first line.",
    'Save it as plain UTF-8 with Unix line endings and a first line like #!/bin/bash, and upload it again.',
  ),
  SCRIPT_INTERPRETER_MISSING: entry(
    "The image does not have the interpreter that the first line of the model's script names.",
    'Use an image that has it (spec.image), or name one that the image has, and upload the script again.',
  ),
  SCRIPT_ENDED: entry("The model's script ended.", 'Keep the script running as long as the model serves.'),
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof errorCatalogue;
