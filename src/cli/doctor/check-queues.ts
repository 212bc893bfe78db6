/** Does anybody take the requests of the old deploy client? */
import { formatAge } from '../../contracts/duration.ts';
import { readQueueRequest } from '../../wire/queue-request.ts';
import { counted } from '../output/counted.ts';
import type { QueueReading } from '../zookeeper/zookeeper-side.ts';
import type { ZooKeeperFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/** Whoever consumes the queue takes what it can do at once; a minute covers a change of the leader. */
const patienceMs = 60_000;

export function checkQueues({ side: { queue, secondQueue } }: ZooKeeperFacts, now: number): readonly Finding[] {
  return [queue, secondQueue].flatMap((each) => (each === undefined ? [] : checkQueue(each, now)));
}

function checkQueue({ path, requests }: QueueReading, now: number): readonly Finding[] {
  if (path === undefined || requests.state === 'missing') return [];
  if (requests.state === 'hidden') return [finding('QueueHidden', path, requests.problem)];
  const found = requests.value.flatMap(({ name, data }) => {
    const request = readQueueRequest(data);
    return request.kind === 'unreadable'
      ? [finding('QueueRequestUnusable', `${path}/${name}`, `it ${request.why}`)]
      : [];
  });
  const [oldest] = requests.value;
  if (oldest === undefined) return found;
  // Clocks differ: one from the future is a recent one.
  const age = Math.max(0, now - oldest.createdAt);
  const evidence = `${counted(requests.value.length, 'request')}, the oldest is ${oldest.name}, there for ${formatAge(age)}`;
  return [...found, finding(age > patienceMs ? 'QueueNotDrained' : 'QueueWaiting', path, evidence)];
}
