/**
 * Asks the agents of instances that are not up what they are doing, over the pod network and in the background. What
 * they say is advice for the status only; an agent that cannot be reached means nothing.
 */

import { instanceId } from '../contracts/names.ts';
import { type AgentStatus, agentPaths, agentPort, agentStatus, hostNetworkPorts } from '../contracts/pod-contract.ts';
import type { Clock } from '../kernel/clock.ts';
import { readJson } from '../kernel/schema-json.ts';
import type { PodView } from '../plan/observation.ts';

/** Gets a URL's body, at most 64 KiB, or throws; bounded in time. */
export type Get = (url: string, timeoutMs: number) => Promise<string>;

interface Entry {
  status?: AgentStatus;
  askedAt: number;
  answeredAt: number;
  busy: boolean;
}

const everyMs = 900;
const timeoutMs = 2_000;
/** One that is ready and has said what it verified has nothing more to say. */
const settledEveryMs = 30_000;
/** An answer this old is not shown any more. */
const staleMs = 10_000;
/** An agent that did not answer is asked less often. */
const silentEveryMs = 5_000;

export class AgentPoll {
  readonly #get: Get;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(get: Get, clock: Clock) {
    this.#get = get;
    this.#clock = clock;
  }

  /** What is known of these pods' agents now; asks where that is due. `onNews` is called when an answer differs. */
  view(pods: readonly PodView[], onNews: () => void): Map<string, AgentStatus> {
    const now = this.#clock.monotonic();
    const known = new Map<string, AgentStatus>();
    for (const pod of pods) {
      if (pod.deleting || (pod.hostNetwork ? pod.nodeIp : pod.ip) === undefined) continue;
      let entry = this.#entries.get(pod.uid);
      if (entry === undefined) {
        entry = { askedAt: Number.NEGATIVE_INFINITY, answeredAt: now, busy: false };
        this.#entries.set(pod.uid, entry);
      }
      const settled = pod.ready && entry.status?.verifiedDigest !== undefined;
      const silent = now - entry.answeredAt > staleMs;
      if (entry.status !== undefined && (settled || !silent)) known.set(pod.uid, entry.status);
      const pause = settled ? settledEveryMs : silent ? silentEveryMs : everyMs;
      if (!entry.busy && now - entry.askedAt >= pause) void this.#ask(pod, entry, onNews);
    }
    return known;
  }

  forget(podUid: string): void {
    this.#entries.delete(podUid);
  }

  async #ask(pod: PodView, entry: Entry, onNews: () => void): Promise<void> {
    entry.busy = true;
    entry.askedAt = this.#clock.monotonic();
    const before = JSON.stringify(entry.status);
    try {
      for (const url of urlsOf(pod)) {
        const status = await this.#status(url);
        if (status?.instance !== instanceId(pod.name, pod.uid)) continue;
        entry.status = status;
        entry.answeredAt = this.#clock.monotonic();
        break;
      }
    } finally {
      entry.busy = false;
    }
    if (JSON.stringify(entry.status) !== before) onNews();
  }

  async #status(url: string): Promise<AgentStatus | undefined> {
    try {
      return readJson(await this.#get(url, timeoutMs), agentStatus).value;
    } catch {
      return undefined;
    }
  }
}

function urlsOf(pod: PodView): string[] {
  const host = (pod.hostNetwork ? pod.nodeIp : pod.ip) ?? '';
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const ports = pod.hostNetwork ? hostNetworkPorts(pod.uid) : [agentPort];
  return ports.map((port) => `http://${bracketed}:${port}${agentPaths.status}`);
}
