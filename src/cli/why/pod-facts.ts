/** What is read of a pod, and of an event, for the story of an instance. Whatever is not understood is as if it was not there. */
import { z } from 'zod';
import { containers } from '../../contracts/pod-contract.ts';
import type { ApiObject } from '../ports.ts';

/** Times are milliseconds since the epoch. */
export interface PodFacts {
  readonly name: string;
  readonly uid: string;
  readonly node: string | undefined;
  readonly hostNetwork: boolean;
  readonly createdAt: number;
  readonly deleting: boolean;
  /** Why it ended as a whole, where it did. */
  readonly dead: string | undefined;
  readonly scheduled: ConditionFacts | undefined;
  readonly ready: ConditionFacts | undefined;
  readonly agent: ContainerFacts | undefined;
  readonly model: ContainerFacts | undefined;
}

interface ConditionFacts {
  readonly holds: boolean;
  readonly at: number | undefined;
  readonly message: string;
}

export interface ContainerFacts {
  readonly restarts: number;
  readonly state: 'waiting' | 'running' | 'terminated';
  /** When it started; undefined while it waits. */
  readonly startedAt: number | undefined;
  /** Why it waits. */
  readonly waiting: string | undefined;
  /** Its latest end, of this start or the one before. */
  readonly ended: EndFacts | undefined;
}

export interface EndFacts {
  readonly exitCode: number;
  readonly reason: string;
  readonly at: number | undefined;
  /** Its last lines, where the kubelet kept them. */
  readonly message: string;
}

export interface EventFacts {
  /** `kubelet`, `default-scheduler`. */
  readonly from: string;
  readonly isWarning: boolean;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  /** When it was last seen. */
  readonly at: number;
  readonly firstAt: number;
  /** Path of the field of the pod that it is about: of a container, say. */
  readonly field: string;
}

const text = z.string().catch('');
const time = z
  .string()
  .transform((value) => Date.parse(value))
  .refine((value) => !Number.isNaN(value))
  .optional()
  .catch(undefined);
const end = z
  .object({ exitCode: z.number().catch(-1), reason: text, finishedAt: time, startedAt: time, message: text })
  .optional()
  .catch(undefined);
const containerStatus = z.object({
  name: text,
  restartCount: z.number().catch(0),
  state: z
    .object({
      waiting: z.object({ reason: text, message: text }).optional().catch(undefined),
      running: z.object({ startedAt: time }).optional().catch(undefined),
      terminated: end,
    })
    .catch({}),
  lastState: z.object({ terminated: end }).catch({}),
});
type ContainerStatus = z.infer<typeof containerStatus>;
const statuses = z.array(containerStatus).catch([]);

const pod = z.object({
  metadata: z.object({ name: text, uid: text, creationTimestamp: time, deletionTimestamp: time }),
  spec: z.object({ nodeName: text, hostNetwork: z.boolean().catch(false) }).catch({ nodeName: '', hostNetwork: false }),
  status: z
    .object({
      phase: text,
      reason: text,
      message: text,
      conditions: z
        .array(z.object({ type: text, status: text, reason: text, message: text, lastTransitionTime: time }))
        .catch([]),
      containerStatuses: statuses,
      initContainerStatuses: statuses,
    })
    .catch({
      phase: '',
      reason: '',
      message: '',
      conditions: [],
      containerStatuses: [],
      initContainerStatuses: [],
    }),
});

/** Undefined for an object that is no pod. */
export function podFacts(object: ApiObject): PodFacts | undefined {
  const { data } = pod.safeParse(object);
  if (data === undefined) return undefined;
  const { metadata, spec, status } = data;
  const condition = (type: string): ConditionFacts | undefined => {
    const found = status.conditions.find((each) => each.type === type);
    return found && { holds: found.status === 'True', at: found.lastTransitionTime, message: found.message };
  };
  const isDead = status.phase === 'Failed' || status.phase === 'Succeeded';
  const words = [status.reason || status.phase, status.message].filter((each) => each !== '').join(': ');
  return {
    name: metadata.name,
    uid: metadata.uid,
    node: spec.nodeName || undefined,
    hostNetwork: spec.hostNetwork,
    createdAt: metadata.creationTimestamp ?? 0,
    deleting: metadata.deletionTimestamp !== undefined,
    dead: isDead ? words : undefined,
    scheduled: condition('PodScheduled'),
    ready: condition('Ready'),
    agent: containerFacts(status.initContainerStatuses, containers.agent),
    model: containerFacts(status.containerStatuses, containers.model),
  };
}

function containerFacts(all: readonly ContainerStatus[], name: string): ContainerFacts | undefined {
  const found = all.find((each) => each.name === name);
  if (found === undefined) return undefined;
  const { waiting, running, terminated } = found.state;
  const ended = terminated ?? found.lastState.terminated;
  const words = [waiting?.reason ?? '', waiting?.message ?? ''].filter((each) => each !== '').join(': ');
  return {
    restarts: found.restartCount,
    state: terminated !== undefined ? 'terminated' : running !== undefined ? 'running' : 'waiting',
    startedAt: running?.startedAt ?? terminated?.startedAt,
    waiting: words || undefined,
    ended: ended && {
      exitCode: ended.exitCode,
      reason: ended.reason,
      at: ended.finishedAt,
      message: ended.message,
    },
  };
}

const event = z.object({
  type: text,
  reason: text,
  message: text,
  count: z.number().optional().catch(undefined),
  involvedObject: z.object({ fieldPath: text }).catch({ fieldPath: '' }),
  source: z.object({ component: text }).catch({ component: '' }),
  reportingComponent: text,
  series: z.object({ count: z.number(), lastObservedTime: time }).optional().catch(undefined),
  lastTimestamp: time,
  eventTime: time,
  firstTimestamp: time,
});

/** The newest last. */
export function eventFacts(objects: readonly ApiObject[]): readonly EventFacts[] {
  return objects
    .flatMap((object) => {
      const { data } = event.safeParse(object);
      if (data === undefined) return [];
      const { series } = data;
      return {
        from: data.reportingComponent || data.source.component,
        isWarning: data.type === 'Warning',
        reason: data.reason,
        message: data.message,
        count: series?.count ?? data.count ?? 1,
        at: series?.lastObservedTime ?? data.lastTimestamp ?? data.eventTime ?? data.firstTimestamp ?? 0,
        firstAt: data.firstTimestamp ?? data.eventTime ?? data.lastTimestamp ?? 0,
        field: data.involvedObject.fieldPath,
      };
    })
    .sort((a, b) => a.at - b.at);
}
