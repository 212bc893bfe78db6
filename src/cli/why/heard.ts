/** What others say about an instance that does not come up, in their own words: scheduler, kubelet, HDFS. Pure. */
import { heardReasonOf } from '../../contracts/reasons.ts';
import { conditionOf, type Model } from '../cluster/model.ts';
import type { InstanceFacts } from './facts.ts';
import type { EventFacts } from './pod-facts.ts';

export interface Heard {
  readonly from: string;
  /** Milliseconds since the epoch, of the last time; undefined where nobody says when. */
  readonly at: number | undefined;
  readonly times: number;
  readonly words: string;
}

/** Older ones have been said again since, or are over. */
const most = 4;

/** The latest last. */
export function heardOf({ pod, agent, events }: InstanceFacts): readonly Heard[] {
  const heard: Heard[] = [];
  const { scheduled } = pod;
  const warnings = (events?.known === true ? events.value : []).filter(tells);
  if (scheduled?.holds === false && !warnings.some(({ message }) => message === scheduled.message)) {
    heard.push({ from: 'scheduler', at: scheduled.at, times: 1, words: scheduled.message });
  }
  heard.push(...latestOfEach(warnings).map(byEvent));
  for (const container of [pod.agent, pod.model]) {
    const words = container?.waiting;
    // The event has said the same, mostly in more words.
    if (words === undefined || words === 'PodInitializing' || saysAlready(heard, words)) {
      continue;
    }
    heard.push({ from: 'kubelet', at: undefined, times: 1, words });
  }
  if (pod.dead !== undefined) heard.push({ from: 'kubelet', at: pod.ready?.at, times: 1, words: pod.dead });
  const problem = agent?.known === true ? agent.value.problem : undefined;
  if (problem?.code.startsWith('HDFS_') === true) {
    heard.push({ from: 'HDFS', at: undefined, times: 1, words: `${heardReasonOf(problem.code)}: ${problem.message}` });
  }
  return heard.slice(-most);
}

/** Of a pause before the next attempt the events say more: what the attempt before failed at. */
function saysAlready(heard: readonly Heard[], words: string): boolean {
  if (/^\w*BackOff\b/.test(words) && heard.some(({ from }) => from === 'kubelet')) return true;
  const tail = words.replace(/^\w+: /, '');
  return heard.some((each) => each.words.includes(tail) || tail.includes(each.words.replace(/^\w+: /, '')));
}

/** That an instance is not ready yet is what its steps tell; that an attempt failed, what is said of the attempt. */
function tells({ isWarning, reason, message }: EventFacts): boolean {
  if (reason === 'Unhealthy' && message.startsWith('Readiness probe failed')) return false;
  return isWarning && !/^Error: \w+$/.test(message);
}

/** A warning is repeated with other words in it; the last of each kind tells most. */
function latestOfEach(events: readonly EventFacts[]): readonly EventFacts[] {
  const latest = new Map<string, EventFacts>();
  for (const event of events) {
    const key = `${event.reason} ${event.field} ${event.message.slice(0, 40)}`;
    latest.delete(key);
    latest.set(key, event);
  }
  return [...latest.values()];
}

function byEvent({ from, at, count, reason, message }: EventFacts): Heard {
  return { from: from.replace(/^default-/, ''), at, times: count, words: `${reason}: ${message}` };
}

/** What HDFS says about the payload, where that is what keeps the model down or will. */
export function heardOfPayload(model: Model): string | undefined {
  const resolved = conditionOf(model, 'PayloadResolved');
  if (resolved === undefined || resolved.status === 'True') return undefined;
  return `${resolved.reason}: ${resolved.message}`;
}
