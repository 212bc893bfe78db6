/** `kubectl maas call`: calls a model as Stellar does. */

import { formatDuration } from '../../contracts/duration.ts';
import { mapBounded } from '../../kernel/bounded.ts';
import type { ModelArguments } from '../../wire/model-call.ts';
import { callInstance, type Reachable, ways, wayTo } from '../call/call-instance.ts';
import { compare } from '../call/compare.ts';
import { findInstances } from '../call/find-instances.ts';
import { readInputs } from '../call/inputs.ts';
import { anyOf, candidates, type Instance, type Registered } from '../call/instances.ts';
import { load } from '../call/load.ts';
import { aboutCall, callFields, callsReport, failedText, printAnswer, printCalls } from '../call/print-calls.ts';
import { printComparison, printLoad } from '../call/print-comparison.ts';
import { defineCommand } from '../define-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { argument, choice, flag, option, or, repeated, required, type Values } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { output, whereabouts, zookeeper } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { note, say } from '../output/say.ts';
import { statusLine } from '../output/status-line.ts';
import { lookOf, type Ports } from '../ports.ts';

/** Instances that are asked at once with --all. */
const parallelism = 8;
const defaultTimeoutMs = 10_000;
/** More of an answer is not read. */
export const maxAnswerBytes = 2 ** 20;

const fields = {
  model: required(argument('<model>', 'The model, as Stellar names it.', value.modelName, { suggests: 'models' })),
  args: or(
    argument('[args...]', 'What the model is asked, as name=value.', value.callArgument, { repeatable: true }),
    [],
  ),
  function: option(
    '-f, --function <name>',
    'The function, as the second argument of MAAS_MODEL_APPLY. (default: apply)',
    value.nonEmpty,
  ),
  version: option(
    '--model-version <version>',
    'Version to call. (default: the one that clients take)',
    value.modelVersion,
    {
      suggests: 'versions',
    },
  ),
  all: flag('--all', 'Call each instance of the version.'),
  timeoutMs: or(
    option('--timeout <time>', 'How long an answer may take. Stellar has no limit. (default: 10s)', value.milliseconds),
    defaultTimeoutMs,
  ),
  from: choice(
    '--from <source>',
    'Where instances are looked for: status, that of the resources; or zookeeper, where clients look. (default: status)',
    ['status', 'zookeeper'],
  ),
  compare: or(
    option(
      '--compare <versions...>',
      'Run the rows of --inputs through two versions, and show where they differ.',
      value.versions,
      {
        suggests: 'versions',
      },
    ),
    [],
  ),
  inputs: option(
    '--inputs <file>',
    'CSV whose first line names the arguments, or a JSON object a line; - is standard input.',
    value.nonEmpty,
    { suggests: 'files' },
  ),
  ignore: repeated('--ignore <field>', 'A field of the answers that --compare passes over. Repeatable.', value.words),
  parallel: or(
    option(
      '--parallel <n>',
      'How many calls --compare has under way at once, 64 at most. (default: 4)',
      value.parallelCalls,
    ),
    4,
  ),
  load: option('--load <n>', 'Call n times a second for a while, 1000 at most.', value.callsASecond),
  forMs: or(option('--for <time>', 'How long --load goes on, 10m at most. (default: 10s)', value.loadTime), 10_000),
  way: choice(
    '--via <way>',
    'How instances are reached. (default: direct where the address accepts a connection)',
    ways,
  ),
  ...zookeeper,
  ...whereabouts('Only resources of this namespace. (default: all)'),
  ...output(),
};
type CallOptions = Values<typeof fields>;

export const call = defineCommand({
  name: 'call',
  summary: 'Calls a model as Stellar does.',
  description:
    'Calls a model as Stellar does: the same choice of version and instance, the same URL, the same encoding. It prints ' +
    'the answer, and says who answered, how long it took, and what Stellar would make of an answer that is no map.',
  fields,
  examples: [
    ['Ask a model', 'call dga host=yahoo.com'],
    ['Another function of another version', 'call dga -f score --model-version 1.0 host=yahoo.com'],
    ['Ask each instance', 'call dga --all host=yahoo.com'],
    ['Ask what clients see, with what others registered', 'call dga --from zookeeper host=yahoo.com'],
    ['What would change for a week of hosts', 'call dga --compare 1.0 2.0 --inputs hosts.csv'],
    ['How fast it answers at 50 calls a second', 'call dga --load 50 --for 30s host=yahoo.com'],
  ],
  notes: [
    'Instances are taken from the status of the resources, for which the Kubernetes API is enough. --from zookeeper looks ' +
      'where clients do, and so finds what others registered, too.',
    'An address that accepts no connection from here is called through the API server, for which you need the permission ' +
      'to get pods/proxy. The times are then those of both ways.',
    'With --compare, arguments on the command line are those of each row that has none of that name. Answers are the same ' +
      'if their fields are, in whatever order, or if neither is a map. --load has at most 64 calls under way, leaves out ' +
      'those that would be more, and gives up when 20 in a row gave no map. Ctrl-C ends either, and prints what there is.',
  ],
  refuse: ({ compare, inputs, load, all, version }) => {
    if (compare.length > 0 && compare.length !== 2) return '--compare takes two versions';
    if (compare.length > 0 && inputs === undefined) return '--compare needs --inputs';
    if (inputs !== undefined && compare.length === 0) return '--inputs is of --compare';
    if (compare.length > 0 && (all || version !== undefined)) return '--compare names the versions itself';
    return load !== undefined && (all || compare.length > 0)
      ? '--load goes with neither --all nor --compare'
      : undefined;
  },
  shape: {
    says: '`call -o json` prints `{"kind": "ModelCalls", "apiVersion": "cli.maas.dev/v1", ...}`:',
    fields: callFields,
  },
  /** @throws MaasError MODEL_NOT_FOUND, INPUTS_INVALID, LOCAL_PATH_INVALID, CLUSTER_*, and from ZooKeeper SETTINGS_*, ZOOKEEPER_* */
  async run(options, ports) {
    const found = await findInstances(
      { ...options, from: options.from ?? (options.zookeeper === undefined ? 'status' : 'zookeeper') },
      ports,
      ports.connect(options.cluster),
    );
    for (const text of found.notes) note(ports.err, text);
    const [left, right] = options.compare;
    if (left !== undefined && right !== undefined) return await compareVersions(options, ports, found, [left, right]);
    const all = candidates(found, options.version);
    if (options.load !== undefined) return await loadModel(options, ports, found, options.load);
    const one = anyOf(all, ports.random());
    return options.all || one === undefined
      ? await callAll(options, ports, found, all)
      : await callOne(options, ports, found, one);
  },
});

async function callOne(options: CallOptions, ports: Ports, found: Registered, one: Instance): Promise<ExitCode> {
  const called = await callFrom(options, ports, one);
  if (options.output !== undefined) {
    ports.out.write(printCalls(callsReport(found, [called]), options.output, lookOf(ports.out)));
  } else {
    for (const line of aboutCall(found, called)) say(ports.err, line);
    ports.out.write(printAnswer(called));
  }
  return called.gives === 'map' ? exitCodes.ok : exitCodes.failed;
}

async function callAll(
  options: CallOptions,
  ports: Ports,
  found: Registered,
  all: readonly Instance[],
): Promise<ExitCode> {
  const calls = await mapBounded(all, parallelism, (each) => callFrom(options, ports, each), ports.signal);
  ports.out.write(printCalls(callsReport(found, calls), options.output, lookOf(ports.out)));
  const failed = failedText(calls);
  if (failed !== undefined) say(ports.err, failed);
  return failed === undefined ? exitCodes.ok : exitCodes.failed;
}

async function callFrom(options: CallOptions, ports: Ports, instance: Instance) {
  return await callWith(options, ports, await reach(options, ports, instance), options.args, ports.signal);
}

async function reach(options: CallOptions, ports: Ports, instance: Instance): Promise<Reachable> {
  return { ...instance, way: await wayTo(instance, options.way, ports) };
}

async function reachAll(options: CallOptions, ports: Ports, all: readonly Instance[]): Promise<readonly Reachable[]> {
  return await mapBounded(all, parallelism, (each) => reach(options, ports, each), ports.signal);
}

function callWith(options: CallOptions, ports: Ports, instance: Reachable, args: ModelArguments, signal: AbortSignal) {
  const bounds = { timeoutMs: options.timeoutMs, maxBytes: maxAnswerBytes, signal };
  return callInstance(instance, { function: options.function, args }, ports.models(options.cluster), bounds);
}

async function compareVersions(
  options: CallOptions,
  ports: Ports,
  found: Registered,
  versions: readonly [string, string],
): Promise<ExitCode> {
  const rows = readInputs(await ports.readFile(options.inputs ?? '-'), options.args);
  const instances = new Map<string, readonly Reachable[]>();
  for (const version of versions) {
    instances.set(version, await reachAll(options, ports, candidates(found, version)));
  }
  say(ports.err, `comparing ${found.model} ${versions.join(' with ')}: ${counted(rows.length, 'row')}`);
  const line = statusLine(ports.err, ports.clock);
  const result = await compare(rows, {
    versions,
    parallel: options.parallel,
    ignore: options.ignore,
    signal: ports.signal,
    onRow: (done, differing) => line.show(`comparing  ${done} of ${rows.length} rows  ${differing} different`),
    call: (version, args, signal) => callWith(options, ports, one(instances.get(version) ?? [], ports), args, signal),
  });
  line.clear();
  ports.out.write(printComparison(found.model, result, options.output, lookOf(ports.out)));
  if (ports.signal.aborted) return exitCodes.interrupted;
  // Two versions that answer nothing have not been compared.
  return result.differing > 0 || result.neither === result.compared ? exitCodes.failed : exitCodes.ok;
}

async function loadModel(options: CallOptions, ports: Ports, found: Registered, rate: number): Promise<ExitCode> {
  const instances = await reachAll(options, ports, candidates(found, options.version));
  const who = counted(instances.length, 'instance');
  say(
    ports.err,
    `calling ${found.model} ${instances[0]?.version} for ${formatDuration(options.forMs)}: ${who}, ${rate} a second`,
  );
  const line = statusLine(ports.err, ports.clock);
  const result = await load({
    rate,
    forMs: options.forMs,
    clock: ports.clock,
    signal: ports.signal,
    onTick: (done, seconds) =>
      line.show(`calling  ${done} answered  ${Math.floor(seconds)} of ${options.forMs / 1_000} s`),
    call: (signal) => callWith(options, ports, one(instances, ports), options.args, signal),
  });
  line.clear();
  ports.out.write(printLoad(found.model, rate, result, options.output, lookOf(ports.out)));
  if (ports.signal.aborted) return exitCodes.interrupted;
  return result.maps < result.calls || result.givenUp ? exitCodes.failed : exitCodes.ok;
}

/** Any of them, as clients choose anew for each call. */
function one(instances: readonly Reachable[], ports: Ports): Reachable {
  const found = anyOf(instances, ports.random());
  if (found === undefined) throw new Error('there is no instance');
  return found;
}
