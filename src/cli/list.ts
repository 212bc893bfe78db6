/** `kubectl maas list`: the models, what clients see of them, and what is missing and why. */
import type { ListCommand } from './command.ts';
import { visible } from './escape.ts';
import { type Model, readModel } from './model.ts';
import { viewOf } from './model-view.ts';
import { type Cluster, type Ports, roomOf } from './ports.ts';
import { printModels } from './print-models.ts';

/** @throws MaasError CLUSTER_* */
export async function list(command: ListCommand, ports: Ports, cluster: Cluster): Promise<void> {
  const namespace = command.allNamespaces ? undefined : (command.namespace ?? cluster.namespace);
  const models = (await cluster.list(namespace)).map(readModel).filter(matching(command));
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
  ports.out.write(printModels(models.map(viewOf).sort(byName), format, options));
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
