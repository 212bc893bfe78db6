/** Which logs of a model somebody wants to see, and how a line of them is shown. Pure. */
import { containers } from '../../contracts/pod-contract.ts';
import { byText } from '../../kernel/text-order.ts';
import type { ApiObject, Output } from '../ports.ts';
import { agentLine } from '../why/agent-log.ts';
import { type ContainerFacts, type PodFacts, podFacts } from '../why/pod-facts.ts';
import { logLine } from './prefix.ts';

export interface LogWish {
  /** Name of a pod; undefined means all. */
  readonly instance: string | undefined;
  /** The agents' log in place of the scripts'. */
  readonly agent: boolean;
  readonly previous: boolean;
  /** How many lines of each. */
  readonly tail: number;
}

export function containerName({ agent }: LogWish): string {
  return agent ? containers.agent : containers.model;
}

export function containerIn(pod: PodFacts, { agent }: LogWish): ContainerFacts | undefined {
  return agent ? pod.agent : pod.model;
}

export function wantedPods(
  objects: readonly ApiObject[],
  { instance }: Pick<LogWish, 'instance'>,
): readonly PodFacts[] {
  return objects
    .flatMap((object) => podFacts(object) ?? [])
    .filter(({ name }) => instance === undefined || name === instance)
    .sort(byText(({ name }) => name));
}

/** What an agent prints is JSON, which people are spared. */
export function shownLine(line: string, { agent }: LogWish, { terminal }: Output): string {
  return `${logLine(agent && terminal ? agentLine(line) : line)}\n`;
}
