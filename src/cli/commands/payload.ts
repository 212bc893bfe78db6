/** `kubectl maas payload`: which payloads of a model are in HDFS, how two differ, and which may go. */
import { formatDuration } from '../../contracts/duration.ts';
import { MaasError } from '../../contracts/errors.ts';
import { formatBytes } from '../../contracts/quantity.ts';
import type { StoredPayload } from '../../contracts/stored-payload.ts';
import { defineCommand } from '../define-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { argument, flag, option, or, required, type Values } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { output, whereabouts } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { note, say } from '../output/say.ts';
import { diffPayloads, placeOf } from '../payloads/diff-payloads.ts';
import { fateOf } from '../payloads/garbage.ts';
import {
  lookForReferences,
  missingIn,
  type PayloadWorld,
  payloadsIn,
  payloadWorld,
  type ReferenceView,
} from '../payloads/look.ts';
import { payloadFields, payloadView, printDiff, printPayloads } from '../payloads/print-payloads.ts';
import { type Cluster, lookOf, type Ports } from '../ports.ts';

const actions = ['ls', 'diff', 'gc'] as const;
const dayMs = 24 * 60 * 60 * 1_000;

const fields = {
  action: required(argument('<action>', 'ls, diff or gc.', value.oneOf(actions), { suggests: actions })),
  args: required(
    argument('<args...>', 'The model; for diff also two versions, or two paths.', value.words, { suggests: 'models' }),
  ),
  yes: flag('--yes', 'gc: remove what it would only name otherwise.'),
  olderThanMs: or(
    option('--older-than <time>', 'gc: leave what was changed since. (default: 24h)', value.milliseconds),
    dayMs,
  ),
  ...whereabouts("Namespace to look in, where you may not look in all. (default: the context's)"),
  ...output(),
};
type PayloadOptions = Values<typeof fields>;

export const payload = defineCommand({
  name: 'payload',
  summary: 'Shows the payloads of a model, compares two, and clears up.',
  description:
    'Shows which payloads of a model are in HDFS and who refers to them (ls), which files differ between two versions ' +
    '(diff), and which of them nothing refers to (gc), to remove those.',
  fields,
  examples: [
    ['Which are there', 'payload ls dga'],
    ['What changed between two versions', 'payload diff dga 1.0 2.0'],
    ['What nothing refers to', 'payload gc dga'],
    ['Remove that', 'payload gc dga --yes'],
  ],
  notes: [
    "They are those in the model's directory below the payload root, where add uploads to, and those elsewhere that its " +
      'resources name. Who refers to them: the spec of a resource, what its status and history name, and the pins of ' +
      'versions that have pods. The digest is one of the files; it is in the directory that add --immutable uploads to.',
    "gc is about the model's directory alone, about what an upload of add put there whole or did not finish, and about " +
      'what was not changed for a day. It looks again at everything before each removal. It needs to see the resources of ' +
      'all namespaces; those of another cluster with the same HDFS it cannot see.',
  ],
  shape: {
    says: '`payload ls -o json`, and `gc`, print `{"kind": "PayloadList", "apiVersion": "cli.maas.dev/v1", "items": [...]}`:',
    fields: payloadFields,
  },
  refuse: ({ action, args, yes }) => {
    if (action === 'diff' && args.length !== 3) return 'diff takes a model and two versions';
    if (action !== 'diff' && args.length !== 1) return `${action} takes one model`;
    return yes && action !== 'gc' ? '--yes is of gc' : undefined;
  },
  /** @throws MaasError SETTINGS_*, CLUSTER_*, HDFS_*, MODEL_NOT_FOUND */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const [model = '', from = '', to = ''] = options.args;
    const world = await payloadWorld(model, options, ports, cluster);
    const view = await lookForReferences(world, options, ports, cluster);
    if (options.action === 'diff') return await diff(options, ports, world, view, [from, to]);
    if (options.action === 'gc') return await collect(options, ports, cluster, world, view);
    if (view.narrowed) note(ports.err, 'only references of your namespace are known: you may not list those of all');
    const there = await payloadsIn(model, world, view);
    for (const { by, use, place } of await missingIn(model, there, world, view)) {
      note(ports.err, `${place.directory} is not there, and ${by} refers to it (${use})`);
    }
    const items = there.map((each) => payloadView(each, view.references));
    if (items.length === 0 && options.output === undefined)
      say(ports.err, `There is no payload in ${world.base.directory}.`);
    else ports.out.write(printPayloads(items, ports.clock.now(), options.output, lookOf(ports.out)));
    return exitCodes.ok;
  },
});

async function diff(
  { args: [model = ''], output }: PayloadOptions,
  ports: Ports,
  world: PayloadWorld,
  view: ReferenceView,
  [from, to]: readonly [string, string],
): Promise<ExitCode> {
  const places = [await placeOf(model, from, world, view), await placeOf(model, to, world, view)] as const;
  ports.out.write(printDiff(await diffPayloads(world.catalogue, ...places), output));
  return exitCodes.ok;
}

type GoesIn = (view: ReferenceView) => (payload: StoredPayload) => boolean;

async function collect(
  options: PayloadOptions,
  ports: Ports,
  cluster: Cluster,
  world: PayloadWorld,
  view: ReferenceView,
): Promise<ExitCode> {
  if (view.narrowed) {
    const what = 'you may not list the models and ConfigMaps of all namespaces, and any of them may refer to a payload';
    throw new MaasError('CLUSTER_FORBIDDEN', what, { next: 'Let somebody do it who may.' });
  }
  const goes: GoesIn =
    ({ references }) =>
    (each) =>
      fateOf(each, references, ports.clock.now(), options.olderThanMs).go;
  const garbage = (await world.catalogue.below(world.base)).filter(goes(view));
  if (!options.yes) {
    nameAll(options, ports, garbage, view);
    return exitCodes.ok;
  }
  const removed: StoredPayload[] = [];
  for (const each of garbage) {
    ports.signal.throwIfAborted();
    // Somebody may have deployed it since.
    const may = goes(await lookForReferences(world, options, ports, cluster))(each);
    if (await removeOne(each, may, ports, world)) removed.push(each);
  }
  say(ports.err, `${sum(removed)} removed`);
  return exitCodes.ok;
}

function nameAll(options: PayloadOptions, ports: Ports, garbage: readonly StoredPayload[], view: ReferenceView): void {
  const items = garbage.map((each) => payloadView(each, view.references));
  if (items.length > 0 || options.output !== undefined) {
    ports.out.write(printPayloads(items, ports.clock.now(), options.output, lookOf(ports.out)));
  }
  const age = formatDuration(options.olderThanMs);
  say(ports.err, `${sum(garbage)}: nothing refers to it, and nothing changed it for ${age}`);
  if (items.length > 0) say(ports.err, 'With --yes it is removed.');
}

async function removeOne(
  each: StoredPayload,
  may: boolean,
  { out, err }: Ports,
  world: PayloadWorld,
): Promise<boolean> {
  const outcome = may ? await world.catalogue.remove(each) : 'used';
  if (outcome === 'removed') {
    say(out, `${each.directory} removed`);
    return true;
  }
  const why = {
    used: 'stays: something refers to it by now',
    gone: 'is gone already',
    changed: 'stays: it was changed',
  };
  note(err, `${each.directory} ${why[outcome]}`);
  return false;
}

function sum(payloads: readonly StoredPayload[]): string {
  const bytes = payloads.reduce((total, each) => total + each.bytes, 0);
  return `${counted(payloads.length, 'payload')}, ${formatBytes(bytes)}`;
}
