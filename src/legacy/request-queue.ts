/**
 * Takes the requests of the old deploy client off its queue and does what they ask, one after the other, smallest number
 * first. Level-triggered: whatever woke it, it looks at what is there now. Of a request it does one step at a time, each
 * planned from a new look (plan-request.ts), so it may be killed between any two.
 *
 * None blocks the others. What can never be done is rejected; what cannot be done now is held, and with it only the
 * later requests for the same name and version, so that their order stays. While ZooKeeper or the API server is away,
 * everything waits.
 */

import { asMaasError, hasCode } from '../contracts/errors.ts';
import { Bell } from '../kernel/bell.ts';
import { requestNumber } from '../wire/queue-request.ts';
import { parseServiceConfig } from '../wire/service-config.ts';
import type { Subscription } from './ports.ts';
import { type QueuedRequest, RequestSteps, type RequestStepsPorts } from './request-steps.ts';

export interface RequestQueuePorts extends RequestStepsPorts {
  readonly configPath: string;
}

interface Pass {
  /** Keys of the requests that wait; later ones with the same key wait with them. */
  readonly held: Set<string>;
  /** Why each waits, by its id. */
  readonly why: Map<string, string>;
  readonly signal: AbortSignal;
}

/** What is known of a request after its steps so far. */
interface Attempt {
  request: QueuedRequest | undefined;
  /** Why Kubernetes refused a step. */
  refused: string | undefined;
  /** Why it would have to wait. */
  problem: string;
}

type Outcome = 'off the queue' | 'go on' | 'conflict' | 'wait' | 'wait for another';

/** With nothing to do it looks again all the same, so that no lost event holds a request up for long. */
const idleMs = 60_000;
const shortestPauseMs = 500;
/** Between passes over requests that wait, and while nobody answers. */
const longestHeldPauseMs = 5_000;
const longestPauseMs = 30_000;
/** How often somebody else's write may come between a look and a write before the request waits for the next pass. */
const patience = 10;

export class RequestQueue {
  readonly #ports: RequestQueuePorts;
  #path: string | undefined;
  /** Why requests waited in the last pass: what stays the same is told once. */
  #told: ReadonlyMap<string, string> = new Map();
  #held = 0;
  readonly #steps: RequestSteps;

  constructor(ports: RequestQueuePorts) {
    this.#ports = ports;
    this.#steps = new RequestSteps(ports);
  }

  /** Works until told to stop, and ends between two steps. */
  async run(signal: AbortSignal): Promise<void> {
    const { zookeeper, configPath, clock, log } = this.#ports;
    const bell = new Bell(clock, signal);
    let children: Subscription | undefined;
    const stopListening = zookeeper.onEvent(({ type }) => {
      if (type === 'connected') bell.ring();
    });
    const config = zookeeper.watchNode(configPath, (node) => {
      const path = this.#configured(node?.data);
      if (path === this.#path) return;
      this.#path = path;
      children?.close();
      children = undefined;
      if (path === undefined) return;
      log.info({ queue: path }, 'requests of the old deploy client are taken here');
      children = zookeeper.watchChildren(path, () => bell.ring());
      bell.ring();
    });
    let pause = shortestPauseMs;
    while (!signal.aborted) {
      try {
        const held = await this.#pass(signal);
        this.#held = held;
        if (held === 0) pause = shortestPauseMs;
        await bell.wait(held === 0 ? idleMs : pause);
        if (held > 0) pause = Math.min(longestHeldPauseMs, 2 * pause);
      } catch (error) {
        if (signal.aborted) break;
        log.warn({ err: error, retryMs: pause }, 'the queue of the old deploy client cannot be worked on');
        await clock.sleep(pause, signal).catch(() => {});
        pause = Math.min(longestPauseMs, 2 * pause);
      }
    }
    children?.close();
    config.close();
    stopListening();
  }

  /** How many requests had to wait in the last pass. */
  held(): number {
    return this.#held;
  }

  /** The queue's path, undefined where it cannot be worked on. */
  #configured(data: Uint8Array | undefined): string | undefined {
    const { configPath, log, settings } = this.#ports;
    try {
      const { queuePath } = parseServiceConfig(data, configPath);
      const { forwardTo } = settings;
      if (queuePath === undefined) {
        log.warn({ configPath }, 'the configuration node names no usable path for the request queue, so none is read');
      } else if (forwardTo !== undefined && nested(queuePath, forwardTo)) {
        log.warn(
          { queue: queuePath, forwardTo },
          'legacy.queue.forwardTo lies in the request queue itself, so none is read',
        );
        return undefined;
      }
      return queuePath;
    } catch (error) {
      log.warn({ err: error }, 'the configuration node cannot be read, so no requests are');
      return undefined;
    }
  }

  /** Once over all that is in the queue now. Gives how many requests have to wait. @throws MaasError */
  async #pass(signal: AbortSignal): Promise<number> {
    const { zookeeper } = this.#ports;
    const queue = this.#path;
    if (queue === undefined || zookeeper.state() !== 'connected') return 0;
    const pass: Pass = { held: new Set(), why: new Map(), signal };
    let waiting = 0;
    for (const name of inOrder((await zookeeper.children(queue)) ?? [])) {
      if (signal.aborted || this.#path !== queue) return waiting;
      if (!(await this.#handle(name, `${queue}/${name}`, pass))) waiting += 1;
    }
    this.#told = pass.why;
    return waiting;
  }

  /** Does all steps of a request. False where it has to wait. @throws MaasError where everything has to */
  async #handle(name: string, path: string, pass: Pass): Promise<boolean> {
    const attempt: Attempt = { request: undefined, refused: undefined, problem: 'others change it all the time' };
    let outcome: Outcome = 'go on';
    for (let conflicts = 0; conflicts < patience && outcome !== 'wait' && !pass.signal.aborted; ) {
      outcome = await this.#step(name, path, attempt, pass);
      if (outcome === 'off the queue') return true;
      if (outcome === 'wait for another') return false;
      if (outcome === 'conflict') conflicts += 1;
    }
    if (pass.signal.aborted) return false;
    const { request, problem } = attempt;
    if (request?.key !== undefined) pass.held.add(request.key);
    this.#tellHeld(request?.id ?? path, problem, pass);
    return false;
  }

  /** One step, planned from a new look. @throws MaasError what concerns all requests */
  async #step(name: string, path: string, attempt: Attempt, pass: Pass): Promise<Outcome> {
    try {
      const request = await this.#steps.read(name, path);
      if (request === undefined) return 'off the queue';
      attempt.request = request;
      if (request.key !== undefined && pass.held.has(request.key)) return 'wait for another';
      const step = await this.#steps.next(request, attempt.refused);
      if (step.kind === 'wait') {
        attempt.problem = step.why;
        return 'wait';
      }
      await this.#steps.carryOut(step, request);
      return step.kind === 'take off' || step.kind === 'forward' ? 'off the queue' : 'go on';
    } catch (error) {
      if (hasCode(error, ...concernsAll)) throw error;
      const { message } = asMaasError(error);
      // It is planned with, once.
      if (hasCode(error, 'CLUSTER_REFUSED') && attempt.refused === undefined) {
        attempt.refused = message;
        return 'go on';
      }
      attempt.problem = message;
      return hasCode(error, 'CONFLICT', 'ZOOKEEPER_CONFLICT') ? 'conflict' : 'wait';
    }
  }

  #tellHeld(id: string, why: string, pass: Pass): void {
    const { log } = this.#ports;
    pass.why.set(id, why);
    if (this.#told.get(id) === why) log.debug({ request: id, why }, 'a request still waits');
    else log.warn({ request: id, why }, 'a request waits');
  }
}

/** The names of requests, smallest number first; what is no request's is left alone. */
function inOrder(names: readonly string[]): readonly string[] {
  return names
    .map((name) => ({ name, number: requestNumber(name) }))
    .filter((node): node is { name: string; number: number } => node.number !== undefined)
    .sort((a, b) => a.number - b.number)
    .map(({ name }) => name);
}

/** When nobody answers, the next request would fare no better. */
const concernsAll = [
  'LEASE_LOST',
  'CLUSTER_UNREACHABLE',
  'CLUSTER_UNAUTHENTICATED',
  'ZOOKEEPER_UNREACHABLE',
  'ZOOKEEPER_TIMEOUT',
  'ZOOKEEPER_SESSION_EXPIRED',
] as const;

function nested(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
