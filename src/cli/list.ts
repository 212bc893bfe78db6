/** `kubectl maas list`: the models, what clients see of them, and what is missing and why. */
import { notSeenReason } from '../contracts/resource.ts';
import { visible } from '../kernel/shown-text.ts';
import { type Attendance, askAttendance, away, unserved } from './cluster/attendance.ts';
import { type Model, readModel } from './cluster/model.ts';
import type { ListCommand } from './command.ts';
import { type ModelView, viewOf } from './output/model-view.ts';
import { printModels } from './output/print-models.ts';
import { type Cluster, type Ports, roomOf } from './ports.ts';

/** @throws MaasError CLUSTER_* */
export async function list(command: ListCommand, ports: Ports, cluster: Cluster): Promise<void> {
  const namespace = command.allNamespaces ? undefined : (command.namespace ?? cluster.namespace);
  const [objects, attendance] = await Promise.all([cluster.list(namespace), askAttendance(command, ports, cluster)]);
  const models = objects.map(readModel).filter(matching(command));
  const format = command.output ?? 'table';
  if (models.length === 0 && (format === 'table' || format === 'wide')) {
    ports.err.write(`${visible(`No models found${namespace === undefined ? '' : ` in namespace ${namespace}`}.`)}\n`);
    return;
  }
  const options = {
    now: ports.clock.now(),
    colour: ports.out.colour,
    width: roomOf(ports.out),
    namespaces: command.allNamespaces,
  };
  const views = models.map((model) => unlookedAfter(viewOf(model), attendance));
  ports.out.write(printModels(views.sort(byName), format, options));
  tellUnattended(views, attendance, ports);
}

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
    err.write(`${visible(`note: ${message}. ${next ?? 'What is shown may be old.'}`)}\n`);
  }
}

/** During a switch a resource has two versions, and both are its own. */
function matching({ model, version }: ListCommand): (candidate: Model) => boolean {
  return ({ spec, status }) =>
    (model === undefined || spec.name === model) &&
    (version === undefined || spec.version === version || status.serving === version);
}

function byName(a: ReturnType<typeof viewOf>, b: ReturnType<typeof viewOf>): number {
  const key = ({ namespace, model, version, resource }: ReturnType<typeof viewOf>) =>
    [namespace, model, version, resource].join('\u0000');
  return key(a) < key(b) ? -1 : 1;
}
