/**
 * Which of a pod's two containers a quota or a LimitRange is about, and where its number is set. Kubernetes names the
 * container for a quota alone; for a LimitRange it is the one that has the amount that was refused.
 */
import { containers } from '../contracts/pod-contract.ts';
import { exceedsQuantity, parseQuantity, sameQuantity } from '../contracts/quantity.ts';

type Part = 'requests' | 'limits';

interface ContainerAmounts {
  readonly name: string;
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

/** The containers of a Deployment's pods, as it was applied or as it is live. */
export function containersOf(deployment: Readonly<Record<string, unknown>>): readonly ContainerAmounts[] {
  const spec = recordAt(recordAt(deployment, 'template'), 'spec');
  return [spec['initContainers'], spec['containers']].flatMap((list) =>
    (Array.isArray(list) ? list : []).map((container: Record<string, unknown>) => {
      const resources = recordAt(container, 'resources');
      const amounts = (part: Part) =>
        Object.fromEntries(Object.entries(recordAt(resources, part)).map(([name, amount]) => [name, String(amount)]));
      return { name: String(container['name']), requests: amounts('requests'), limits: amounts('limits') };
    }),
  );
}

function recordAt(value: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> {
  const below = value[key];
  return typeof below === 'object' && below !== null ? (below as Record<string, unknown>) : {};
}

/** Where a person sets it: for one model, and (in the chart) for all. */
function placeOf(container: string, part: Part, resource: string): string {
  const field = `resources.${part}.${resource}`;
  if (container === containers.agent) return `spec.agent.${field} (for all models: agent.${field} of the chart)`;
  if (resource === 'memory') return 'spec.memory';
  if (resource === 'cpu' && part === 'requests') return 'spec.cpu (for all models: model.cpu of the chart)';
  if (resource === 'ephemeral-storage' && part === 'limits')
    return 'spec.disk (for all models: model.disk of the chart)';
  return `spec.${field} (for all models: model.${field} of the chart)`;
}

/**
 * What a quota wants every container to say.
 *
 * @param wanted `limits.cpu for: agent,model; requests.cpu for: model`
 */
export function sayTo(wanted: string): string {
  const places = wanted.split(';').flatMap((item) => {
    const [, resource = '', names = ''] = /^\s*(\S+) for: (\S+)\s*$/.exec(item) ?? [];
    const [, part = 'requests', name = resource] = /^(requests|limits)\.(.+)$/.exec(resource) ?? [];
    return names === ''
      ? []
      : names.split(',').map((container) => `the container ${container}: ${placeOf(container, part as Part, name)}`);
  });
  return places.length === 0
    ? 'Say it in spec.resources for the container model and in spec.agent.resources for the container agent.'
    : `Set it, for ${places.join('; for ')}.`;
}

const perContainer =
  /\b(maximum|minimum) (\S+) usage per Container is (\S+?)(?:, but (limit|request) is ([^\s,\]]+)|\.\s+No (limit|request) is specified)/g;
const ratioPerContainer =
  /(?:^|[\s[])(\S+) max limit to request ratio per Container is (\S+?), but (?:provided ratio is ([\d.]+)|no (request|limit) is specified)/g;
const perPod = /\bper Pod is /;

/** What to change so that a LimitRange takes the pods; undefined where its words say nothing of containers. */
export function fitInto(words: string, all: readonly ContainerAmounts[]): string | undefined {
  const advice = [
    ...[...words.matchAll(perContainer)].map(([, bound = '', resource = '', is = '', kind, amount, lacking]) => {
      const part: Part = (kind ?? lacking) === 'limit' ? 'limits' : 'requests';
      const concerned = all.filter((container) => {
        const own = container[part][resource];
        return amount === undefined ? own === undefined : own !== undefined && sameQuantity(own, amount);
      });
      const change = amount === undefined ? 'give' : bound === 'maximum' ? 'lower' : 'raise';
      return each(concerned, all, ({ name }) => `${change} ${placeOf(name, part, resource)}, ${bound} ${is}`);
    }),
    ...[...words.matchAll(ratioPerContainer)].map(([, resource = '', is = '', ratio, lacking]) => {
      const part: Part = lacking === 'limit' ? 'limits' : 'requests';
      const concerned = all.filter(({ requests, limits }) =>
        ratio === undefined
          ? (lacking === 'limit' ? limits : requests)[resource] === undefined
          : exceeds(limits, requests, resource, is),
      );
      return each(
        concerned,
        all,
        ({ name }) => `raise ${placeOf(name, part, resource)}: the limit may be ${is} times the request`,
      );
    }),
    ...(perPod.test(words) ? ['the bound of a Pod counts both containers, agent and model'] : []),
  ];
  return advice.length === 0 ? undefined : `${[...new Set(advice)].join('; ')}.`;
}

/** One that the words cannot be told apart by stands for all. */
function each(
  concerned: readonly ContainerAmounts[],
  all: readonly ContainerAmounts[],
  say: (container: ContainerAmounts) => string,
): string {
  return (concerned.length === 0 ? all : concerned)
    .map((container) => `for the container ${container.name} ${say(container)}`)
    .join('; ');
}

function exceeds(
  limits: ContainerAmounts['limits'],
  requests: ContainerAmounts['requests'],
  resource: string,
  ratio: string,
): boolean {
  const [limit, request] = [limits[resource], requests[resource]];
  if (limit === undefined || request === undefined) return true;
  const times = (parseQuantity(limit) ?? 0) / (parseQuantity(request) ?? 0);
  return times > Number(ratio);
}

/** Resources of which one pod asks for more than a quota has in all: `exceeded quota: q, requested: a=1,b=2, used: ..., limited: ...`. */
export function beyondQuota(words: string): readonly string[] {
  const [, requested = '', limited = ''] = /requested: (.*?), used: .*?, limited: (\S+)/.exec(words) ?? [];
  const read = (list: string) => new Map(list.split(',').map((item) => item.split('=') as [string, string]));
  const most = read(limited);
  return [...read(requested)]
    .filter(([name, amount]) => exceedsQuantity(amount, most.get(name) ?? ''))
    .map(([name]) => name);
}
