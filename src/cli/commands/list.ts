/** `kubectl maas list`: the models, what clients see of them, and what is missing and why. */
import { notSeenReason } from '../../contracts/resource-status.ts';
import { type Attendance, askAttendance, away, unserved } from '../cluster/attendance.ts';
import { type Model, readModel } from '../cluster/model.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, type Values } from '../options/field.ts';
import { everywhere, someModels } from '../options/shared-options.ts';
import { listFields, type ModelView, viewOf } from '../output/model-view.ts';
import { printModels } from '../output/print-models.ts';
import { note, say } from '../output/say.ts';
import { lookOf, type Ports } from '../ports.ts';

const fields = {
  ...someModels,
  allNamespaces: flag('-A, --all-namespaces', 'In all namespaces.'),
  ...everywhere,
};
type ListOptions = Values<typeof fields>;

export const list = defineCommand({
  name: 'list',
  summary: 'Lists the models and what clients see of them.',
  description: 'Lists the models: what clients see of them in ZooKeeper, what is missing, and why.',
  fields,
  examples: [
    ['The models of this namespace', 'list'],
    ['Of all namespaces, with endpoints, functions and what is wrong', 'list -A -o wide'],
    ['The URLs of a model', "list --name dga -o json | jq -r '.items[].endpoints[] | select(.registered).url'"],
  ],
  notes: [
    'READY counts the instances that answer, REGISTERED those that clients see in ZooKeeper (? while ZooKeeper cannot ' +
      'be asked). Finding nothing is not a failure.',
  ],
  shape: {
    says: '`list -o json` and `-o yaml` print `{"kind": "ModelList", "apiVersion": "cli.maas.dev/v1", "items": [...]}`. Fields\nare added to an item, never renamed or removed:',
    fields: listFields,
  },
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const namespace = options.allNamespaces ? undefined : (options.namespace ?? cluster.namespace);
    const [objects, attendance] = await Promise.all([cluster.list(namespace), askAttendance(options, ports, cluster)]);
    const models = objects.map(readModel).filter(matching(options));
    const format = options.output ?? 'table';
    if (models.length === 0 && (format === 'table' || format === 'wide')) {
      say(ports.err, `No models found${namespace === undefined ? '' : ` in namespace ${namespace}`}.`);
      return exitCodes.ok;
    }
    const views = models.map((model) => unlookedAfter(viewOf(model), attendance)).sort(byName);
    ports.out.write(
      printModels(views, format, {
        now: ports.clock.now(),
        ...lookOf(ports.out),
        namespaces: options.allNamespaces,
      }),
    );
    tellUnattended(views, attendance, ports);
    return exitCodes.ok;
  },
});

/** Nobody but this command can say so: who does not serve a namespace writes nothing there. */
function unlookedAfter(view: ModelView, attendance: Attendance): ModelView {
  const why = view.state.reason === notSeenReason ? unserved(view.namespace, attendance) : undefined;
  if (why === undefined) return view;
  return { ...view, state: { ...view.state, reason: 'NotServed', message: why.message } };
}

/** What is shown may be old: of a namespace that is not served any more, or where no operator is at work. */
function tellUnattended(views: readonly ModelView[], attendance: Attendance, { err, clock }: Ports): void {
  const namespaces = [...new Set(views.map(({ namespace }) => namespace))];
  const reasons = namespaces.flatMap((namespace) => unserved(namespace, attendance) ?? []);
  const absent = away(attendance, clock.now());
  for (const { message, next } of absent === undefined ? reasons : [...reasons, absent]) {
    note(err, `${message}. ${next ?? 'What is shown may be old.'}`);
  }
}

/** During a switch a resource has two versions, and both are its own. */
function matching({ model, version }: ListOptions): (candidate: Model) => boolean {
  return ({ spec, status }) =>
    (model === undefined || spec.name === model) &&
    (version === undefined || spec.version === version || status.serving === version);
}

function byName(a: ModelView, b: ModelView): number {
  const key = ({ namespace, model, version, resource }: ModelView) =>
    [namespace, model, version, resource].join('\u0000');
  return key(a) < key(b) ? -1 : 1;
}
