/** The instances of a model as the commands read them: pods, events, logs, agents, each of which may be refused. */
import type { ApiObject, InstanceReader, LogChoice, LogLine } from '../../src/cli/ports.ts';
import { MaasError } from '../../src/contracts/errors.ts';
import { labels } from '../../src/contracts/names.ts';
import { part } from './model-store.ts';

type Question = 'pods' | 'events' | 'agent' | 'log';

export class FakeInstances {
  readonly pods: ApiObject[] = [];
  readonly events: ApiObject[] = [];
  /** By pod. */
  readonly agents = new Map<string, object>();
  /** By `pod/container`, and `pod/container/previous`. */
  readonly logs = new Map<string, string>();
  /** What the caller may not read. */
  readonly refused = new Set<Question>();
  readonly asked: string[] = [];

  reader(rest: Partial<InstanceReader> = {}): InstanceReader {
    return {
      pods: async (namespace, ownerUid) => {
        this.#ask('pods', `${namespace} ${ownerUid}`);
        return this.pods.filter((pod) => part(part(pod, 'metadata'), 'labels')[labels.owner] === ownerUid);
      },
      events: async (namespace, uid) => {
        this.#ask('events', `${namespace} ${uid}`);
        return this.events.filter((event) => part(event, 'involvedObject')['uid'] === uid);
      },
      agent: async (namespace, pod, port) => {
        this.#ask('agent', `${namespace} ${pod}:${port}`);
        const said = this.agents.get(pod);
        if (said === undefined) throw new MaasError('CLUSTER_UNAVAILABLE', 'get pods/proxy: connection refused');
        return JSON.stringify(said);
      },
      log: async (namespace, pod, container, { previous, tail }: LogChoice) => {
        this.#ask('log', `${namespace} ${pod} ${container} ${tail}${previous === true ? ' previous' : ''}`);
        const log = this.logs.get(`${pod}/${container}${previous === true ? '/previous' : ''}`);
        if (log === undefined) throw new MaasError('CLUSTER_REFUSED', `get pods/log ${namespace}/${pod}: no such log`);
        return log;
      },
      followLog: () => nothing<LogLine>(),
      livePods: () => nothing<readonly ApiObject[]>(),
      liveModels: () => nothing<readonly ApiObject[]>(),
      ...rest,
    };
  }

  #ask(question: Question, about: string): void {
    this.asked.push(`${question} ${about}`);
    if (!this.refused.has(question)) return;
    throw new MaasError('CLUSTER_FORBIDDEN', `${question} is forbidden: User "eve" cannot get it`);
  }
}

async function* nothing<T>(): AsyncGenerator<T> {}

/** @param at seconds after 2026-01-01T00:59:00Z */
export function time(at: number): string {
  return new Date(Date.parse('2026-01-01T00:59:00Z') + at * 1_000).toISOString();
}

interface PodParts {
  readonly status?: ApiObject;
  readonly spec?: ApiObject;
  readonly metadata?: ApiObject;
}

/** A pod of the resource with this UID, made at the beginning of that minute. */
export function podObject(name: string, ownerUid: string, { status, spec, metadata }: PodParts = {}): ApiObject {
  return {
    metadata: {
      name,
      uid: `uid-of-${name}`,
      creationTimestamp: time(0),
      labels: { [labels.owner]: ownerUid },
      ...metadata,
    },
    spec: { nodeName: 'node-1', ...spec },
    status: {
      phase: 'Running',
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: time(0) }],
      ...status,
    },
  };
}

export function eventObject(
  pod: string,
  from: string,
  reason: string,
  message: string,
  at: number,
  count = 1,
): ApiObject {
  return {
    type: reason === 'Pulled' ? 'Normal' : 'Warning',
    reason,
    message,
    count,
    involvedObject: { uid: `uid-of-${pod}` },
    source: { component: from },
    lastTimestamp: time(at),
  };
}

export function runningSince(name: string, at: number, rest: ApiObject = {}): ApiObject {
  return { name, restartCount: 0, state: { running: { startedAt: time(at) } }, ...rest };
}
