/** Reads what a story is made from, as far as the caller may. A few instances are looked at closely, the failing ones first. */
import { agentPort } from '../../contracts/agent-http.ts';
import { MaasError } from '../../contracts/errors.ts';
import { instanceId } from '../../contracts/names.ts';
import { containers, hostNetworkPorts } from '../../contracts/pod-contract.ts';
import { rankOf, traitsOf } from '../../contracts/reasons.ts';
import { mapBounded } from '../../kernel/bounded.ts';
import { readJson } from '../../kernel/schema-json.ts';
import { compareTexts } from '../../kernel/text-order.ts';
import { type Asked, asked } from '../cluster/asked.ts';
import { askAttendance, unattended } from '../cluster/attendance.ts';
import { conditionOf, type Model } from '../cluster/model.ts';
import type { Everywhere } from '../options/shared-options.ts';
import type { Cluster, InstanceReader, Ports } from '../ports.ts';
import { type InstanceFacts, type LogTail, type SaidStatus, saidStatus, type WhyFacts } from './facts.ts';
import { mostTelling } from './most-telling.ts';
import { eventFacts, type PodFacts, podFacts } from './pod-facts.ts';
import { hasEnded, kindOf, mostTold } from './story.ts';

const tailLines = 8;
const agentLines = 5;
/** Pods that are asked about at the same time. */
const atOnce = 4;

export async function readFacts(
  model: Model,
  options: Pick<Everywhere, 'cluster' | 'operatorNamespace'>,
  ports: Ports,
  cluster: Cluster,
): Promise<WhyFacts> {
  const { namespace, uid } = model.metadata;
  const reader = ports.instances(options.cluster);
  const [pods, attendance] = await Promise.all([
    asked(async () => (await reader.pods(namespace, uid)).flatMap((object) => podFacts(object) ?? [])),
    askAttendance(options, ports, cluster),
  ]);
  return {
    now: ports.clock.now(),
    model,
    instances: pods.known ? { known: true, value: await readInstances(model, pods.value, reader) } : pods,
    hdfsUser: attendance.settings.known ? attendance.settings.value.hdfs.user : undefined,
    unattended: unattended(namespace, attendance, ports.clock.now()),
  };
}

async function readInstances(
  model: Model,
  pods: readonly PodFacts[],
  reader: InstanceReader,
): Promise<readonly InstanceFacts[]> {
  const endpoints = new Map((model.status.endpoints ?? []).map((endpoint) => [endpoint.pod, endpoint]));
  const rank = ({ name, dead, deleting }: PodFacts) => {
    if (deleting) return -1;
    const { severity } = traitsOf(dead === undefined ? (endpoints.get(name)?.state ?? 'Starting') : 'PodFailed');
    return rankOf(severity);
  };
  const sorted = pods.toSorted((a, b) => rank(b) - rank(a) || compareTexts(a.name, b.name));
  const isUp = (pod: PodFacts) => rank(pod) === rankOf('up');
  const notUp = sorted.filter((pod) => !isUp(pod));
  const told = new Set(mostTelling(notUp, mostTold, ({ name }) => kindOf(endpoints.get(name))));
  const isWell = conditionOf(model, 'Ready')?.status === 'True';
  return await mapBounded([...sorted.entries()], atOnce, async ([at, pod]) => {
    // Of those that are up one is enough: it tells how they came up.
    const isTold = isUp(pod) ? at === 0 : told.has(pod);
    return isTold ? await readInstance(pod, reader, model, isUp(pod) && isWell) : untold(pod);
  });
}

function untold(pod: PodFacts): InstanceFacts {
  return { pod, agent: undefined, events: undefined, scriptLog: undefined, agentLog: undefined };
}

async function readInstance(
  pod: PodFacts,
  reader: InstanceReader,
  { metadata: { namespace } }: Model,
  isWell: boolean,
): Promise<InstanceFacts> {
  const answers = (container: PodFacts['agent']) => container?.state === 'running' && pod.dead === undefined;
  const hasLog = (container: PodFacts['agent']) =>
    container !== undefined && (container.state !== 'waiting' || container.ended !== undefined);
  const [agent, events, scriptLog, agentLog] = await Promise.all([
    answers(pod.agent) ? asked(() => askAgent(pod, reader, namespace)) : undefined,
    asked(async () => eventFacts(await reader.events(namespace, pod.uid))),
    isWell || !hasLog(pod.model) ? undefined : asked(() => scriptTail(pod, reader, namespace)),
    isWell || !hasLog(pod.agent)
      ? undefined
      : asked(() => tail(reader, namespace, pod.name, containers.agent, pod.agent?.state !== 'running', agentLines)),
  ]);
  return { pod, agent, events, scriptLog, agentLog };
}

/** On the node's network the agent has one of a few ports, and somebody else's may be at one of them. */
async function askAgent(pod: PodFacts, reader: InstanceReader, namespace: string): Promise<SaidStatus> {
  let failure: unknown;
  for (const port of pod.hostNetwork ? hostNetworkPorts(pod.uid) : [agentPort]) {
    try {
      const { value, problem } = readJson(await reader.agent(namespace, pod.name, port), saidStatus);
      if (value?.instance === instanceId(pod.name, pod.uid)) return value;
      failure ??= new MaasError(
        'CLUSTER_UNAVAILABLE',
        `what answers at port ${port} is not the agent: ${problem ?? 'it is another one'}`,
      );
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/** Of a script that ended and runs again the lines that tell are those of before. */
async function scriptTail(pod: PodFacts, reader: InstanceReader, namespace: string): Promise<LogTail> {
  const previous = pod.model?.state === 'running' && hasEnded(untold(pod));
  const answer = await asked(() => tail(reader, namespace, pod.name, containers.model, previous));
  if (answer.known) return answer.value;
  // The kubelet may have thrown them away; it keeps some in the status.
  const kept = pod.model?.ended?.message ?? '';
  if (kept === '') throw answer.error;
  return { lines: linesOf(kept), previous };
}

async function tail(
  reader: InstanceReader,
  namespace: string,
  pod: string,
  container: string,
  previous: boolean,
  most = tailLines,
): Promise<LogTail> {
  const text = async (ofPrevious: boolean) => {
    const log = await reader.log(namespace, pod, container, { tail: most, previous: ofPrevious });
    // What the kubelet says where it has thrown the log away already.
    if (log.startsWith(noLog)) throw new MaasError('CLUSTER_REFUSED', log.trim());
    return linesOf(log).slice(-most);
  };
  const first: Asked<readonly string[]> = await asked(() => text(previous));
  if (first.known) return { lines: first.value, previous };
  if (!previous) throw first.error;
  return { lines: await text(false), previous: false };
}

const noLog = 'unable to retrieve container logs for ';

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-tailLines);
}
