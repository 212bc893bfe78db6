/** `kubectl maas add`: N more instances of a model's version. */
import { MaasError } from '../../contracts/errors.ts';
import { readFromPlaces } from '../../contracts/payload.ts';
import { type AddDecision, type AddRefusal, decideAdd } from '../../deploy-rules/add.ts';
import { shownAutoscaler } from '../../deploy-rules/autoscaler.ts';
import { modelsMeant } from '../../deploy-rules/deployed-model.ts';
import { defaultPayloadPath, immutablePath } from '../../deploy-rules/payload-place.ts';
import { asked } from '../cluster/asked.ts';
import { askAttendance, away, errorOf, unserved } from '../cluster/attendance.ts';
import { type Deployed, deployedIn } from '../cluster/deployed.ts';
import { qualifiedName, readModel, stateOf, title, titleOf } from '../cluster/model.ts';
import { readSettings } from '../cluster/operator-settings.ts';
import { outrankedNote, registeredVersions } from '../cluster/outranked-note.ts';
import { untilUncontended, write } from '../cluster/retry.ts';
import { type AddWish, addPatch, newManifest } from '../cluster/spec-change.ts';
import { serves, waitUntil, waitUntilGone } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { choice, flag, option, repeated, type Values } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { everywhere, oneModel, waiting } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { type Change, printResult } from '../output/print-result.ts';
import { note } from '../output/say.ts';
import { tellUpload } from '../output/tell-upload.ts';
import type { Cluster, ModelManifest, ModelPatch, Ports } from '../ports.ts';

const shared = { ...waiting('until all instances are registered'), ...everywhere };

const fields = {
  ...oneModel,
  /** How many more; undefined where it is not said. */
  instances: option(
    '--instances <n>',
    'How many more instances. 0 changes only the other settings that you name. (default: 1)',
    value.countFromZero,
  ),
  memory: option(
    '--memory <amount>',
    'Memory of each instance: 512Mi, 2Gi; a bare number means megabytes (Mi).',
    value.memory,
  ),
  cpu: option('--cpu <cores>', "CPU of each instance: 2, 500m. (default: the operator's)", value.cpu),
  localPath: option(
    '--local-model-path <dir>',
    'Directory to upload to HDFS first: one *.sh and its files.',
    value.nonEmpty,
    { suggests: 'files' },
  ),
  /** What of it is not uploaded: patterns as in a .gitignore. */
  exclude: repeated(
    '--exclude <pattern>',
    'Do not upload what matches, as in a .gitignore; !PATTERN uploads it all the same. Repeatable.',
    value.pattern,
  ),
  immutable: flag(
    '--immutable',
    'Upload to a directory of its own by digest, and switch to it one that runs with other files.',
  ),
  hdfsPath: option(
    '--hdfs-model-path <path>',
    "The payload in HDFS: absolute, relative to the HDFS user's home, or hdfs://nameservice/path. " +
      "With --local-model-path the upload's target (default: PAYLOAD_ROOT/NAME/VERSION).",
    value.nonEmpty,
  ),
  /** Undefined leaves it as it is, or to the resource's default. */
  readFrom: choice(
    '--read-from <where>',
    'Where instances read the payload: Path, or Store for a copy, so that the path can be used again. (default: Path)',
    readFromPlaces,
  ),
  env: repeated(
    '--env <NAME=value>',
    'Set an environment variable of the script; NAME- removes it. Repeatable.',
    value.envChange,
  ),
  image: option('--image <image>', "Image that the script runs in. (default: the operator's)", value.nonEmpty),
  startupTimeout: option(
    '--startup-timeout <time>',
    'How long the script may take to write endpoint.dat. (default: 10m)',
    value.duration,
  ),
  drain: option(
    '--drain <time>',
    'How long an instance keeps serving after it is unregistered. (default: 5s)',
    value.duration,
  ),
  advertise: option(
    '--advertise <how>',
    'How clients reach it: PodIP, Node or a URL template. (default: PodIP)',
    value.advertise,
  ),
  ...shared,
};

export const add = defineCommand({
  name: 'add',
  summary: 'Adds instances of a model, or deploys a new one.',
  description:
    'Adds instances of a model. If this version is already deployed, it gets N more instances, and only the settings ' +
    'that you name change; otherwise it is deployed.',
  fields,
  examples: [
    [
      'Upload ./dga and run two instances',
      'add --name dga --version 1.0 --instances 2 --memory 512 --cpu 100m --local-model-path ./dga',
    ],
    [
      'The same without the training data',
      'add --name dga --version 1.0 --memory 512 --local-model-path ./dga --exclude training/',
    ],
    [
      'Run what is already in HDFS, and wait',
      'add --name dga --version 1.0 --memory 1Gi --hdfs-model-path /user/metron/models/dga --wait --timeout 5m',
    ],
    ['One more instance of what runs', 'add --name dga --version 1.0'],
    [
      'Run a copy of it, so that the next version may use the same path',
      'add --name dga --version 1.0 --memory 1Gi --hdfs-model-path /user/metron/models/dga --read-from Store',
    ],
    [
      'Deploy what is in ./dga now, however often you say it',
      'add --name dga --version 1.0 --memory 512 --local-model-path ./dga --immutable',
    ],
    [
      'Change the memory and a variable, but not the number of instances',
      'add --name dga --version 1.0 --instances 0 --memory 2Gi --env LEVEL=high',
    ],
    [
      'A manifest for a repository',
      'add --name dga --version 1.0 --memory 512 --hdfs-model-path models/dga --dry-run -o yaml',
    ],
  ],
  notes: [
    'An upload leaves out what version control, operating systems and editors keep in a directory (.git, .DS_Store, ' +
      '*.bak and so on), and what the patterns in its .maasignore match, which are written as in a .gitignore.',
    'With --immutable the directory is that of the version with @sha256- and a digest of the files behind it, so bytes ' +
      'under a version that runs never change. Files that are there already are not sent again. A version that runs with ' +
      'others is switched to these, and gets more instances only with --instances.',
    'With -o the resource itself is printed: as it is at the end with --wait, as a manifest with --dry-run.',
  ],
  refuse: ({ exclude, immutable, localPath }) => {
    if (localPath !== undefined) return undefined;
    if (exclude.length > 0) return '--exclude is of --local-model-path';
    return immutable ? '--immutable is of --local-model-path' : undefined;
  },
  async run({ instances: given, ...options }, ports) {
    const instances = given ?? 1;
    // Who says the same again means the same, unless more instances are named.
    const more = options.immutable ? (given ?? 0) : instances;
    await addInstances({ ...options, instances, more }, ports, ports.connect(options.cluster));
    return exitCodes.ok;
  },
});

/** What `add` is asked for; the old deploy client asks for less. */
export interface AddRequest extends AddWish, Values<typeof shared> {
  readonly localPath?: string | undefined;
  readonly exclude?: readonly string[];
  readonly hdfsPath: string | undefined;
  /** How many more of one that is there, where that is another number. */
  readonly more?: number;
  /** Upload to a directory by digest, and switch to it. */
  readonly immutable?: boolean;
}

/** @throws MaasError whatever stopped it; see the exit codes */
export async function addInstances(command: AddRequest, ports: Ports, cluster: Cluster): Promise<void> {
  const namespace = command.namespace ?? cluster.namespace;
  await checkServed(command, namespace, ports, cluster);
  const payloadPath =
    command.localPath === undefined
      ? command.hdfsPath
      : await sendPayload(command, command.localPath, namespace, ports, cluster);
  const change = await apply(command, namespace, payloadPath, command.dryRun, ports, cluster);
  await tellRank(change, namespace, ports, cluster);
  await printResult(ports, command, change, async () =>
    waitUntil(ports, cluster, change.model, {
      judge: serves(change.model.metadata.generation),
      timeoutMs: command.timeoutMs,
      wanted: 'up',
      operator: command,
    }),
  );
}

/** Nothing is written where it is certain that nobody would do anything about it. */
async function checkServed(command: AddRequest, namespace: string, ports: Ports, cluster: Cluster): Promise<void> {
  const attendance = await askAttendance(command, ports, cluster);
  const why = unserved(namespace, attendance);
  if (why !== undefined) throw errorOf(why);
  const absent = away(attendance, ports.clock.now());
  if (absent !== undefined) note(ports.err, `${absent.message}; it is done when one is`);
}

interface Added extends Change {
  readonly created: boolean;
}

/** Nobody is told more than once that an old version is old: whoever runs more of it knows that. */
async function tellRank({ model, created }: Added, namespace: string, ports: Ports, cluster: Cluster): Promise<void> {
  const { name, version } = model.spec;
  // The change is done; what could not be looked at is not told.
  const models = await asked(async () => (await cluster.list(namespace)).map(readModel));
  const registered = models.known ? registeredVersions(models.value, name) : [];
  const text = outrankedNote(version, registered, { older: created });
  if (text !== undefined) note(ports.err, text);
}

/** Uploads what the command names, after the cluster has said that it would take the rest. Returns the payload's path. */
async function sendPayload(
  command: AddRequest,
  localPath: string,
  namespace: string,
  ports: Ports,
  cluster: Cluster,
): Promise<string> {
  const settings = await readSettings(cluster, command.operatorNamespace);
  const [present] = modelsMeant(await deployedIn(cluster, namespace), command.model, command.version);
  const ordinary = command.hdfsPath ?? defaultPayloadPath(settings.payloadRoot, command.model, command.version);
  const uploader = ports.payloads(settings.hdfs);
  const exclude = command.exclude ?? [];
  const digest = command.immutable === true ? await uploader.digest(localPath, { exclude }) : undefined;
  const target =
    digest === undefined ? (command.hdfsPath ?? present?.path ?? ordinary) : immutablePath(ordinary, digest);
  if (command.dryRun) return target;
  // Gigabytes should not travel before somebody says that the memory has a typing mistake.
  await apply(command, namespace, target, true, ports, cluster);
  await tellUpload(ports, 'this payload', (watch) => uploader.upload(localPath, target, { exclude, digest, ...watch }));
  return target;
}

function apply(
  command: AddRequest,
  namespace: string,
  path: string | undefined,
  dryRun: boolean,
  ports: Ports,
  cluster: Cluster,
): Promise<Added> {
  const { model, version, instances, memory, readFrom, oldDefaults } = command;
  const memoryIs = oldDefaults === undefined ? ('exact' as const) : ('least' as const);
  const { more, immutable: switches } = command;
  const asked = { model, version, instances, more, memory, memoryIs, path, readFrom, switches };
  return untilUncontended(ports, async () => {
    for (;;) {
      const decided = decideAdd(asked, await deployedIn(cluster, namespace));
      switch (decided.kind) {
        case 'wait':
          await waitUntilGone(ports, cluster, decided.of.resource, command.timeoutMs);
          break;
        case 'refuse':
          throw refusal(decided.refusal, command, namespace);
        case 'create':
          return await create(newManifest(command, namespace, decided), dryRun, cluster);
        case 'change':
          if (decided.twin !== undefined && !dryRun) {
            const names = `${qualifiedName(decided.of.resource)} and ${qualifiedName(decided.twin.resource)}`;
            note(ports.err, `${names} are both ${title(command)}; the first one is changed`);
          }
          return await change(decided, addPatch(command, decided), dryRun, cluster);
      }
    }
  });
}

function refusal(refused: AddRefusal<Deployed>, command: AddRequest, namespace: string): MaasError {
  if (refused.why === 'incomplete') {
    const options = { memory: '--memory', path: '--local-model-path or --hdfs-model-path' };
    const missing = refused.missing.map((part) => options[part]).join(' and ');
    return new MaasError(
      'USAGE',
      `${title(command)} is not deployed in namespace ${namespace} yet; a new model needs ${missing}`,
      { next: 'Add what is missing, or correct --name, --version or --namespace.' },
    );
  }
  const { resource } = refused.of;
  const deployed = `${titleOf(resource)} is deployed already as ${qualifiedName(resource)}`;
  const { path, readFrom } = resource.spec.payload;
  switch (refused.why) {
    case 'name taken':
      // A manifest may have given the name that would be used here to another model.
      return new MaasError('NAME_OWNED', `${qualifiedName(resource)} exists already and is ${titleOf(resource)}`, {
        next: `Deploy ${title(command)} with a manifest under another metadata.name; from then on add and remove find it.`,
      });
    case 'autoscaled': {
      const total = counted(refused.instances, 'instance');
      return new MaasError(
        'AUTOSCALED',
        `${titleOf(resource)} would have ${total}, against ${shownAutoscaler(refused.by)}`,
      );
    }
    case 'other path':
      return new MaasError('PAYLOAD_PATH_DIFFERS', `${deployed} with the payload ${path}, not ${refused.asked}`, {
        next: 'Give the other payload a version of its own with --version, or leave --hdfs-model-path out.',
      });
    case 'other readFrom':
      return new MaasError('PAYLOAD_PATH_DIFFERS', `${deployed} and reads from ${readFrom}, not ${refused.asked}`, {
        next: 'Leave --read-from out, or change spec.payload.readFrom, which starts its instances anew.',
      });
  }
}

async function create(manifest: ModelManifest, dryRun: boolean, cluster: Cluster): Promise<Added> {
  const model = readModel(await write(cluster.create(manifest, dryRun)));
  return { model, did: `created with ${counted(model.spec.instances, 'instance')}`, created: true };
}

async function change(
  { of, leftTo }: Extract<AddDecision<Deployed>, { kind: 'change' }>,
  patch: ModelPatch | undefined,
  dryRun: boolean,
  cluster: Cluster,
): Promise<Added> {
  const present = of.resource;
  const left = leftTo && `left at ${counted(of.instances, 'instance')} by ${shownAutoscaler(leftTo)}`;
  if (patch === undefined) return { model: present, did: left ?? 'unchanged', created: false };
  const model = readModel(await write(cluster.patch(stateOf(present), patch, dryRun)));
  const others = Object.keys(patch.spec).filter((field) => field !== 'instances');
  const did = [
    ...('instances' in patch.spec
      ? [`scaled from ${present.spec.instances} to ${counted(model.spec.instances, 'instance')}`]
      : []),
    ...(left === undefined ? [] : [left]),
    ...(others.length > 0 ? [`${others.join(', ')} changed`] : []),
  ];
  return { model, did: did.join('; '), created: false };
}
