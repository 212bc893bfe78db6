/** `kubectl maas call`: calls a model as Stellar does. */

import { mapBounded } from '../../kernel/bounded.ts';
import { callInstance, type Reachable, ways, wayTo } from '../call/call-instance.ts';
import { findInstances } from '../call/find-instances.ts';
import { anyOf, candidates, type Instance, type Registered } from '../call/instances.ts';
import { aboutCall, callFields, callsReport, failedText, printAnswer, printCalls } from '../call/print-calls.ts';
import { defineCommand } from '../define-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { argument, choice, flag, option, or, required, type Values } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { output, whereabouts, zookeeper } from '../options/shared-options.ts';
import { note, say } from '../output/say.ts';
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
  ],
  notes: [
    'Instances are taken from the status of the resources, for which the Kubernetes API is enough. --from zookeeper looks ' +
      'where clients do, and so finds what others registered, too.',
    'An address that accepts no connection from here is called through the API server, for which you need the permission ' +
      'to get pods/proxy. The times are then those of both ways.',
  ],
  shape: {
    says: '`call -o json` prints `{"kind": "ModelCalls", "apiVersion": "cli.maas.dev/v1", ...}`:',
    fields: callFields,
  },
  /** @throws MaasError MODEL_NOT_FOUND, CLUSTER_*, and from ZooKeeper SETTINGS_*, ZOOKEEPER_* */
  async run(options, ports) {
    const found = await findInstances(
      { ...options, from: options.from ?? (options.zookeeper === undefined ? 'status' : 'zookeeper') },
      ports,
      ports.connect(options.cluster),
    );
    for (const text of found.notes) note(ports.err, text);
    const all = candidates(found, options.version);
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
  const reachable: Reachable = { ...instance, way: await wayTo(instance, options.way, ports) };
  const { timeoutMs } = options;
  const bounds = { timeoutMs, maxBytes: maxAnswerBytes, signal: ports.signal };
  return await callInstance(reachable, options, ports.models(options.cluster), bounds);
}
