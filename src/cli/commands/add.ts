/** `kubectl maas add`: its options and its help. */
import { readFromPlaces } from '../../contracts/payload.ts';
import { add as addInstances } from '../add.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { choice, option, or, repeated } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { everywhere, oneModel, waiting } from '../options/shared-options.ts';

export const add = defineCommand({
  name: 'add',
  summary: 'Adds instances of a model, or deploys a new one.',
  description:
    'Adds instances of a model. If this version is already deployed, it gets N more instances, and only the settings ' +
    'that you name change; otherwise it is deployed.',
  fields: {
    ...oneModel,
    /** How many more. */
    instances: or(
      option(
        '--instances <n>',
        'How many more instances. 0 changes only the other settings that you name. (default: 1)',
        value.countFromZero,
      ),
      1,
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
    ...waiting('until all instances are registered'),
    ...everywhere,
  },
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
    'With -o the resource itself is printed: as it is at the end with --wait, as a manifest with --dry-run.',
  ],
  refuse: ({ exclude, localPath }) =>
    exclude.length > 0 && localPath === undefined ? '--exclude is of --local-model-path' : undefined,
  async run({ memory, cpu, image, startupTimeout, drain, advertise, env, ...asked }, ports) {
    const options = { memory, cpu, image, startupTimeout, drain, advertise, env };
    await addInstances({ kind: 'add', ...asked, options }, ports, ports.connect(asked.cluster));
    return exitCodes.ok;
  },
});
