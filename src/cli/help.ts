/** What the help says beside the options. */
import { exitCodeMeanings } from './exit-codes.ts';
import { foldTo } from './output/text-columns.ts';

export const programName = 'kubectl maas';

export const descriptions = {
  program: 'Runs the models that Stellar clients find in ZooKeeper.',
  add:
    'Adds instances of a model. If this version is already deployed, it gets N more instances, and only the settings ' +
    'that you name change; otherwise it is deployed.',
  remove:
    'Removes instances of a model: all of them without --instances. With the last instance the model is deleted. ' +
    'Its payload in HDFS stays.',
  list: 'Lists the models: what clients see of them in ZooKeeper, what is missing, and why.',
  status:
    'Shows both sides of each model and version: what should run here, and what clients find in ZooKeeper, whether it ' +
    'was registered from here or by others. It changes nothing.',
  import:
    'Prints manifests for what the original runs. They are made from the registrations and the waiting requests in ' +
    'ZooKeeper, and the payloads are looked for in HDFS. What cannot be found out (memory, the payload) is left as a ' +
    'comment for you to fill in. Registrations and requests stay as they are.',
  doctor:
    'Checks what a Stellar client would see in ZooKeeper, reading every registration as its library does, and what ' +
    'serves it: endpoints, the models, the old queue, the CRD, the operator, permissions, HDFS. It changes nothing.',
  mode:
    'Prints or sets how far the operator goes with the models: with one of them, or with all that have no mode of ' +
    'their own. observe: the operator changes nothing. shadow: models run and are checked, but not registered. ' +
    'active: they are registered. drain: they are unregistered and keep running.',
  version: 'Prints the version of this program, of the operator and of the cluster.',
  help: 'Prints the help of a command, or lists the commands.',
} as const;

export const summaries = {
  add: 'Adds instances of a model, or deploys a new one.',
  remove: 'Removes instances of a model, or the whole model.',
  list: 'Lists the models and what clients see of them.',
  status: 'Shows what runs here beside what clients find in ZooKeeper.',
  import: 'Prints manifests for what the original runs.',
  doctor: 'Checks what clients see and what serves it.',
  mode: 'Prints or sets how far the operator goes with the models.',
  version: 'Prints versions.',
  help: 'Prints the help of a command.',
} as const;

/** Columns that help takes: those of the smallest usual terminal. */
export const helpWidth = 80;

const examples = (...lines: readonly (readonly [string, string])[]): string =>
  ['', 'Examples:', ...lines.flatMap(([what, line]) => [...setIn('  # ', what, '  # '), shellLine(line)])].join('\n');

/** A command, on several lines where one is too short, as a shell reads it. */
function shellLine(command: string): string {
  const parts = command.split(/ (?=--|\| )/);
  const lines: string[] = [];
  let line = `  ${parts[0]}`;
  for (const part of parts.slice(1)) {
    if (`${line} ${part} \\`.length <= helpWidth) line += ` ${part}`;
    else {
      lines.push(`${line} \\`);
      line = `    ${part}`;
    }
  }
  return [...lines, line].join('\n');
}

function setIn(first: string, text: string, more = ' '.repeat(first.length)): string[] {
  return foldTo(helpWidth - first.length, text).map((line, at) => `${at === 0 ? first : more}${line}`);
}

const prose = (...sentences: readonly string[]): string => `\n${setIn('', sentences.join(' ')).join('\n')}\n`;

export function exitCodeLines(): string {
  return [
    '',
    'Exit codes:',
    ...exitCodeMeanings.flatMap(([code, means]) => setIn(`  ${String(code).padStart(3)}  `, means)),
  ].join('\n');
}

export const afterProgram = `${examples(
  [
    'Upload a model, run two instances, wait until clients see them',
    `${programName} add --name dga --version 1.0 --instances 2 --memory 512 --cpu 100m --local-model-path ./dga --wait`,
  ],
  ['What runs, and what is missing', `${programName} list -o wide`],
  ['One instance fewer', `${programName} remove --name dga --version 1.0 --instances 1`],
)}\n${exitCodeLines()}
${prose('If HDFS asks for a delegation token, MAAS_HDFS_TOKEN_FILE names the file that holds it.')}
For completion, put an executable kubectl_complete-maas on the PATH with
  #!/bin/sh
  exec kubectl-maas __complete "$@"`;

export const afterAdd = `${examples(
  [
    'Upload ./dga and run two instances',
    `${programName} add --name dga --version 1.0 --instances 2 --memory 512 --cpu 100m --local-model-path ./dga`,
  ],
  [
    'The same without the training data',
    `${programName} add --name dga --version 1.0 --memory 512 --local-model-path ./dga --exclude training/`,
  ],
  [
    'Run what is already in HDFS, and wait',
    `${programName} add --name dga --version 1.0 --memory 1Gi --hdfs-model-path /user/metron/models/dga --wait --timeout 5m`,
  ],
  ['One more instance of what runs', `${programName} add --name dga --version 1.0`],
  [
    'Run a copy of it, so that the next version may use the same path',
    `${programName} add --name dga --version 1.0 --memory 1Gi --hdfs-model-path /user/metron/models/dga --read-from Store`,
  ],
  [
    'Change the memory and a variable, but not the number of instances',
    `${programName} add --name dga --version 1.0 --instances 0 --memory 2Gi --env LEVEL=high`,
  ],
  [
    'A manifest for a repository',
    `${programName} add --name dga --version 1.0 --memory 512 --hdfs-model-path models/dga --dry-run -o yaml`,
  ],
)}
${prose(
  'An upload leaves out what version control, operating systems and editors keep in a directory (.git, .DS_Store,',
  '*.bak and so on), and what the patterns in its .maasignore match, which are written as in a .gitignore.',
)}${prose('With -o the resource itself is printed: as it is at the end with --wait, as a manifest with --dry-run.')}${exitCodeLines()}`;

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
)}
${prose(
  'READY counts the instances that answer, REGISTERED those that clients see in ZooKeeper (? while ZooKeeper cannot be',
  'asked). Finding nothing is not a failure.',
)}${exitCodeLines()}`;

export const afterMode = `${examples(
  ['Print the modes', `${programName} mode`],
  ['Run everything without registering it', `${programName} mode shadow`],
  ['Let clients have one model', `${programName} mode --model dga active`],
  ['Take it back from them, and let it run', `${programName} mode --model dga drain`],
  ['Treat dga like all other models again', `${programName} mode --model dga default`],
)}
${prose(
  'A change restarts nothing and takes effect within seconds. The modes are kept in the ConfigMap maas-operator-modes',
  "in the operator's namespace; without it all models are active.",
)}${exitCodeLines()}`;

export const afterVersion = examples(
  ['Print all of them', `${programName} version`],
  ['For a script', `${programName} version --client -o json`],
);

export const afterHelp = examples(
  ['The help of add', `${programName} help add`],
  ['All commands', `${programName} help`],
);

export const afterStatus = `${examples(
  ["Everything, ours and the original's", `${programName} status`],
  ['One model, with the addresses that others registered', `${programName} status --name dga -o wide`],
)}
${prose(
  'SERVED marks the version that clients get when they do not name one. REGISTERED counts what agents of this cluster',
  'registered, FOREIGN what anyone else did: the original on YARN, or somebody by hand. RESOURCE, READY and SERVED are',
  'left out on a terminal that is too narrow for them.',
)}${exitCodeLines()}`;

export const afterImport = `${examples(
  ['See what has to be filled in', `${programName} import`],
  [
    'Everything, when all models are below one directory and need the same memory',
    `${programName} import --memory 512 --payload-path /user/metron/models/{name}`,
  ],
  [
    'Create those that are complete',
    `${programName} import --memory 1Gi --payload-path models/{name}/{version} --apply`,
  ],
)}
${prose(
  'The number of instances is how many are registered. Waiting requests tell the memory and the payload; they are left',
  'to whoever consumes the queue. So --apply creates a model that is only requested there only if the operator does',
  'not consume the queue. A path made from --payload-path is used only if there is a payload at it.',
)}${exitCodeLines()}`;

export const afterDoctor = `${examples(
  ['Check everything', `${programName} doctor`],
  ['Check a manifest before you apply it', `${programName} doctor -f model.yaml`],
  ['In a script: fail for warnings too', `${programName} doctor --strict -o json`],
  ['Without an operator that publishes its settings', `${programName} doctor --zookeeper zk1:2181,zk2:2181`],
)}
${prose(
  'With -f only manifests are checked, and nothing is applied: their fields, the namespace, who owns the name, the payload',
  'in HDFS, whatever else they name, the image, the order of versions, and whether a node would do. What you may not',
  'look at is reported as not checked.',
)}${prose(
  'Doctor connects to each registered address without sending a byte. One that refuses is tried again for a second,',
  'because a server that takes one connection at a time may not be listening for a moment. Such a server is also busy',
  'for that moment: --no-connect leaves all of them alone.',
  'An address that cannot be reached from here may still be reachable for clients elsewhere, so that is a warning.',
)}${exitCodeLines()}`;
