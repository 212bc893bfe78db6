/**
 * Asks the agents of instances that are not up what they are doing, and those behind a shield how calls go, over the pod
 * network and in the background. What they say is advice for the status only; an agent that cannot be reached means nothing.
 */

import { agentPaths, agentPort } from '../contracts/agent-http.ts';
import { instanceId } from '../contracts/names.ts';
import { type AgentStatus, agentStatus, hostNetworkPorts, type ShieldStatus } from '../contracts/pod-contract.ts';
import { Slots } from '../kernel/bounded.ts';
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
/** But for how calls go behind its shield. */
const shieldEveryMs = 14_000;
const shieldStaleMs = 60_000;
/** An answer this old is not shown any more. */
const staleMs = 10_000;
/** An agent that did not answer is asked less often. */
const silentEveryMs = 5_000;
/** Agents asked at once; and of those that did not answer, which take up their places until time is up. */
const parallel = 64;
const parallelSilent = 16;

export class AgentPoll {
  readonly #get: Get;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #places = new Slots(parallel);
  readonly #placesOfSilent = new Slots(parallelSilent);

  constructor(get: Get, clock: Clock) {
    this.#get = get;
    this.#clock = clock;
  }

  /** Asks, in the background, those of these pods' agents that are due; `onNews` is called when an answer differs. */
  ask(pods: readonly PodView[], onNews: () => void): void {
    const now = this.#clock.monotonic();
    for (const pod of pods) {
      if (pod.deleting || hostOf(pod) === undefined) continue;
      let entry = this.#entries.get(pod.uid);
      if (entry === undefined) {
        entry = { askedAt: Number.NEGATIVE_INFINITY, answeredAt: now, busy: false };
        this.#entries.set(pod.uid, entry);
      }
      if (!entry.busy && now - entry.askedAt >= pauseOf(pod, entry, now)) void this.#ask(pod, entry, onNews);
    }
  }

  /** What is known of these pods' agents now. */
  view(pods: readonly PodView[]): Map<string, AgentStatus> {
    const now = this.#clock.monotonic();
    const known = new Map<string, AgentStatus>();
    for (const pod of pods) {
      const entry = pod.deleting || hostOf(pod) === undefined ? undefined : this.#entries.get(pod.uid);
      if (entry?.status !== undefined && (isSettled(pod, entry) || !isSilent(entry, now))) {
        known.set(pod.uid, entry.status);
      }
    }
    return known;
  }

  /** What the shields of these pods said just now. */
  shields(pods: readonly PodView[]): Map<string, ShieldStatus> {
    const now = this.#clock.monotonic();
    const known = new Map<string, ShieldStatus>();
    for (const { uid } of pods) {
      const entry = this.#entries.get(uid);
      const shield = entry?.status?.shield;
      if (entry !== undefined && shield !== undefined && now - entry.answeredAt < shieldStaleMs) known.set(uid, shield);
    }
    return known;
  }

  forget(podUid: string): void {
    this.#entries.delete(podUid);
  }

  async #ask(pod: PodView, entry: Entry, onNews: () => void): Promise<void> {
    entry.busy = true;
    const before = newsOf(entry);
    const places = isSilent(entry, this.#clock.monotonic()) ? this.#placesOfSilent : this.#places;
    try {
      await places.within(() => this.#hear(pod, entry));
    } finally {
      entry.busy = false;
    }
    if (newsOf(entry) !== before) onNews();
  }

  async #hear(pod: PodView, entry: Entry): Promise<void> {
    entry.askedAt = this.#clock.monotonic();
    for (const url of urlsOf(pod)) {
      const status = await this.#status(url);
      if (status?.instance !== instanceId(pod.name, pod.uid)) continue;
      entry.status = status;
      entry.answeredAt = this.#clock.monotonic();
      return;
    }
  }

  async #status(url: string): Promise<AgentStatus | undefined> {
    try {
      return readJson(await this.#get(url, timeoutMs), agentStatus).value;
    } catch {
      return undefined;
    }
  }
}

function pauseOf(pod: PodView, entry: Entry, now: number): number {
  if (isSilent(entry, now) && !isSettled(pod, entry)) return silentEveryMs;
  if (!isSettled(pod, entry)) return everyMs;
  return entry.status?.shield === undefined ? settledEveryMs : shieldEveryMs;
}

/** Calls that go well are no news. */
function newsOf({ status }: Entry): string {
  if (status?.shield === undefined) return JSON.stringify(status) ?? '';
  const { recent } = status.shield;
  return JSON.stringify({ ...status, shield: recent === undefined || recent.errors === 0 ? {} : recent.results });
}

function isSettled(pod: PodView, { status }: Entry): boolean {
  return pod.ready && status?.verifiedDigest !== undefined;
}

function isSilent({ answeredAt }: Entry, now: number): boolean {
  return now - answeredAt > staleMs;
}

function hostOf(pod: PodView): string | undefined {
  return pod.hostNetwork ? pod.nodeIp : pod.ip;
}

function urlsOf(pod: PodView): string[] {
  const host = hostOf(pod) ?? '';
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const ports = pod.hostNetwork ? hostNetworkPorts(pod.uid) : [agentPort];
  return ports.map((port) => `http://${bracketed}:${port}${agentPaths.status}`);
}
