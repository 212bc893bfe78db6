/** Does anybody stand behind the registered addresses? */
import type { EndpointFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/** How many of the nodes with one address are named. */
const shownPaths = 5;

export function checkEndpoints(endpoints: readonly EndpointFacts[]): readonly Finding[] {
  return endpoints.flatMap(({ host, port, paths, touch }) => {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const where = `registered at ${shownOf(paths)}`;
    if (touch === undefined) {
      return [finding('EndpointLocal', address, `${where}; ${host} is the machine of whoever calls it`)];
    }
    if (touch.outcome === 'connected') return [];
    return [finding(codes[touch.outcome], address, `${where}; ${touch.problem}`)];
  });
}

const codes = {
  refused: 'EndpointDead',
  unresolved: 'EndpointUnresolved',
  unreachable: 'EndpointUnreachable',
} as const;

function shownOf(paths: readonly string[]): string {
  const more = paths.length - shownPaths;
  return `${paths.slice(0, shownPaths).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
