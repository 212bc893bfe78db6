/** What the help says beside the options. */
import { exitCodeMeanings } from './exit-codes.ts';

export const programName = 'kubectl maas';

export const descriptions = {
  program: 'Runs the models that Stellar clients find in ZooKeeper.',
  add:
    'Adds instances of a model. A model and version that is deployed already gets N more instances, and only those ' +
    'other settings change that are named; otherwise it is deployed.',
  remove:
    'Takes instances of a model away. Without --instances all of them; with the last one the model is deleted. ' +
    'Its payload in HDFS stays.',
  list: 'Lists the models: what clients see of them in ZooKeeper, and what is missing and why.',
  status:
    'Shows both sides: for each model and version what is to run here, and what clients find in ZooKeeper, registered ' +
    'from here or by others. It only looks.',
  import:
    'Prints manifests of what the original runs: from the registrations and waiting requests in ZooKeeper, with the ' +
    'payloads looked for in HDFS. What nobody tells (memory, the payload) is left as a comment to be filled in. ' +
    'Registrations and requests stay as they are.',
  doctor:
    'Checks what a Stellar client would see in ZooKeeper, reading every registration as its library does, and what ' +
    'serves it: endpoints, the old queue, CRD, operator, permissions, HDFS. It only looks.',
  mode:
    'Prints or sets how far the operator goes with the models: with one of them, or with all that have no mode of ' +
    'their own. observe: the operator changes nothing. shadow: models run and are checked, but not registered. ' +
    'active: they are registered. drain: they are unregistered and run on.',
  version: 'Prints the version of this program, of the operator and of the cluster.',
} as const;

export const summaries = {
  add: 'Adds instances of a model; deploys it when it is new.',
  remove: 'Takes instances of a model away, or all of it.',
  list: 'Lists the models and what clients see of them.',
  status: 'Shows what runs here beside what clients find in ZooKeeper.',
  import: 'Prints manifests of what the original runs.',
  doctor: 'Checks what clients see and what serves it.',
  mode: 'Prints or sets how far the operator goes with the models.',
  version: 'Prints versions.',
} as const;

const examples = (...lines: readonly (readonly [string, string])[]): string =>
  ['', 'Examples:', ...lines.flatMap(([what, line]) => [`  # ${what}`, `  ${line}`])].join('\n');

export function exitCodeLines(): string {
  return [
    '',
    'Exit codes:',
    ...exitCodeMeanings.map(([code, means]) => `  ${String(code).padStart(3)}  ${means}`),
  ].join('\n');
}

export const afterProgram = `${examples(
  [
    'Upload a model, run two instances, wait until clients see them',
    `${programName} add --name dga --version 1.0 --instances 2 --memory 512 --local-model-path ./dga --wait`,
  ],
  ['What is there, and what is missing', `${programName} list -o wide`],
  ['One instance fewer', `${programName} remove --name dga --version 1.0 --instances 1`],
)}\n${exitCodeLines()}\n
Where HDFS wants a delegation token, MAAS_HDFS_TOKEN_FILE names the file that holds it.

Completion: put an executable kubectl_complete-maas on the PATH that holds
  #!/bin/sh
  exec kubectl-maas __complete "$@"`;

export const afterAdd = `${examples(
  [
    'Upload ./dga and run two instances',
    `${programName} add --name dga --version 1.0 --instances 2 --memory 512 --local-model-path ./dga`,
  ],
  [
    'Run what is in HDFS already, and wait',
    `${programName} add --name dga --version 1.0 --memory 1Gi --hdfs-model-path /user/metron/models/dga --wait --timeout 5m`,
  ],
  ['One more of what runs', `${programName} add --name dga --version 1.0`],
  [
    'Run a copy of it, so that the next version may be put at the same path',
    `${programName} add --name dga --version 1.0 --memory 1Gi --hdfs-model-path /user/metron/models/dga --read-from Store`,
  ],
  [
    'Change the memory and a variable, leave the number of instances',
    `${programName} add --name dga --version 1.0 --instances 0 --memory 2Gi --env LEVEL=high`,
  ],
  [
    'A manifest for a repository',
    `${programName} add --name dga --version 1.0 --memory 512 --hdfs-model-path models/dga --dry-run -o yaml`,
  ],
)}\n
With -o the resource itself is printed: with --wait as it is at the end, with --dry-run as a manifest.
${exitCodeLines()}`;

export const afterRemove = `${examples(
  ['One instance fewer', `${programName} remove --name dga --version 1.0 --instances 1`],
  ['All of them, and wait until they are gone', `${programName} remove --name dga --version 1.0 --wait`],
  ['What would be done', `${programName} remove --name dga --version 1.0 --dry-run`],
)}\n${exitCodeLines()}`;

export const afterList = `${examples(
  ['The models of this namespace', `${programName} list`],
  ['Of all namespaces, with endpoints, functions and what is wrong', `${programName} list -A -o wide`],
  [
    'The URLs of a model',
    `${programName} list --name dga -o json | jq -r '.items[].endpoints[] | select(.registered).url'`,
  ],
)}\n
READY counts instances that answer, REGISTERED those that clients see in ZooKeeper (? while ZooKeeper
cannot be asked). Nothing found is no failure.
${exitCodeLines()}`;

export const afterMode = `${examples(
  ['What holds', `${programName} mode`],
  ['Run everything without registering it', `${programName} mode shadow`],
  ['Let clients have one model', `${programName} mode --model dga active`],
  ['Take it back from them, and let it run', `${programName} mode --model dga drain`],
  ['From now on dga does as all others', `${programName} mode --model dga default`],
)}\n
Nothing is restarted by it, and it holds within seconds. The modes are in the ConfigMap
maas-operator-modes of the operator's namespace; without it all models are active.
${exitCodeLines()}`;

export const afterVersion = examples(
  ['All that is known', `${programName} version`],
  ['For a script', `${programName} version --client -o json`],
);

export const afterStatus = `${examples(
  ["Everything, ours and the original's", `${programName} status`],
  ['One model, with the addresses of others', `${programName} status --name dga -o wide`],
)}\n
SERVED is the version that clients get who name none. REGISTERED counts what agents of this cluster
registered, FOREIGN what anybody else did: the original on YARN, or somebody by hand.
${exitCodeLines()}`;

export const afterImport = `${examples(
  ['What would have to be filled in', `${programName} import`],
  [
    'All of it, where scripts put each model below one directory, and all have the same memory',
    `${programName} import --memory 512 --payload-path /user/metron/models/{name}`,
  ],
  ['Create what is complete', `${programName} import --memory 1Gi --payload-path models/{name}/{version} --apply`],
)}\n
Instances are those that are registered. Waiting requests tell memory and payload; they are left to
whoever consumes the queue, so --apply creates a model that is only asked for there only if the
operator does not consume it. A path of --payload-path is taken where a payload is there.
${exitCodeLines()}`;

export const afterDoctor = `${examples(
  ['All of it', `${programName} doctor`],
  ['In a script: errors fail, warnings too', `${programName} doctor --strict -o json`],
  ['Without a cluster that publishes settings', `${programName} doctor --zookeeper zk1:2181,zk2:2181`],
)}\n
Each registered address is connected to, without a byte being sent; one that refuses is tried again
for a second, since a server that takes one connection at a time may not listen for a moment. Such a
server is held up for that moment too: --no-connect leaves all of them alone.
Where an address cannot be reached from here, clients elsewhere may reach it: that is a warning.
${exitCodeLines()}`;
