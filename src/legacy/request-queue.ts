/**
 * Takes the requests of the old deploy client off its queue and does what they ask, one after the other, smallest number
 * first. Level-triggered: whatever woke it, it looks at what is there now. Of a request it does one step at a time, each
 * planned from a new look (plan-request.ts), so it may be killed between any two.
 *
 * None blocks the others. What can never be done is rejected; what cannot be done now is held, and with it only the
 * later requests for the same name and version, so that their order stays. While ZooKeeper or the API server is away,
 * everything waits.
 */

import { asMaasError, hasCode, MaasError } from '../contracts/errors.ts';
import { resourceNameFor } from '../contracts/names.ts';
import type { RequestQueueSettings } from '../contracts/settings.ts';
import type { OldDefaults } from '../deploy-rules/old-words.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { requestNumber, requestPrefix } from '../wire/queue-request.ts';
import { parseServiceConfig } from '../wire/service-config.ts';
import type { FailPoints, QueueWrite } from './fail-points.ts';
import { type Observed, planRequest, type Rejection, type Step } from './plan-request.ts';
import type { EventObject, QueueCluster, QueueMetrics, QueueZooKeeper, Subscription, Znode } from './ports.ts';
import {
  type RecordData,
  type RecordPatch,
  removalOf,
  wasRejected,
  withEmpty,
  withRejection,
  withRemoval,
} from './queue-record.ts';
import { type RequestNode, requestId } from './request-id.ts';
import { type Triage, triage } from './triage.ts';

export interface RequestQueuePorts {
  readonly zookeeper: QueueZooKeeper;
  readonly cluster: QueueCluster;
  readonly settings: RequestQueueSettings;
  readonly defaults: OldDefaults;
  readonly configPath: string;
  /** Is it certain that this process is the leader? */
  readonly leads: () => boolean;
  /**
   * May requests for this model be taken now? Those that name none are asked for with the empty name. What is not taken
   * stays on the queue as it is.
   */
  readonly takes: (model: string) => boolean;
  readonly failPoints: FailPoints;
  readonly metrics: QueueMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** A request as it was read just now. */
interface Request extends RequestNode {
  readonly id: string;
  readonly data: Uint8Array;
  readonly version: number;
  readonly numChildren: number;
}

interface Pass {
  /** Keys of the requests that wait; later ones with the same key wait with them. */
  readonly held: Set<string>;
  /** Why each waits, by its id. */
  readonly why: Map<string, string>;
  readonly signal: AbortSignal;
}

/** With nothing to do it looks again all the same, so that no lost event holds a request up for long. */
const idleMs = 60_000;
const shortestPauseMs = 500;
/** Between passes over requests that wait, and while nobody answers. */
const longestHeldPauseMs = 5_000;
const longestPauseMs = 30_000;
/** Somebody else's writes may get between a look and a write so often; then the request waits for the next pass. */
const patience = 10;

export class RequestQueue {
  readonly #ports: RequestQueuePorts;
  #path: string | undefined;
  /** Why requests waited in the last pass: what stays the same is told once. */
  #told: ReadonlyMap<string, string> = new Map();
  #held = 0;
  #wake: () => void = () => {};
  #rung = false;

  constructor(ports: RequestQueuePorts) {
    this.#ports = ports;
  }

  /** Works until told to stop, and ends between two steps. */
  async run(signal: AbortSignal): Promise<void> {
    const { zookeeper, configPath, clock, log } = this.#ports;
    let children: Subscription | undefined;
    const stopListening = zookeeper.onEvent(({ type }) => {
      if (type === 'connected') this.#ring();
    });
    const config = zookeeper.watchNode(configPath, (node) => {
      const path = this.#configured(node?.data);
      if (path === this.#path) return;
      this.#path = path;
      children?.close();
      children = undefined;
      if (path === undefined) return;
      log.info({ queue: path }, 'requests of the old deploy client are taken here');
      children = zookeeper.watchChildren(path, () => this.#ring());
      this.#ring();
    });
    signal.addEventListener('abort', () => this.#ring(), { once: true });
    let pause = shortestPauseMs;
    while (!signal.aborted) {
      this.#rung = false;
      try {
        const held = await this.#pass(signal);
        this.#held = held;
        if (held === 0) pause = shortestPauseMs;
        await this.#rest(held === 0 ? idleMs : pause, signal);
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

  #ring(): void {
    this.#rung = true;
    this.#wake();
  }

  /** How many requests had to wait in the last pass. */
  held(): number {
    return this.#held;
  }

  /** Until somebody rings, and no longer than this. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#ports.clock.sleep(ms, woken.signal).catch(() => {});
    this.#wake = () => {};
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
    let key: string | undefined;
    let request: Request | undefined;
    let refused: string | undefined;
    let problem = 'others change it all the time';
    for (let conflicts = 0; conflicts < patience && !pass.signal.aborted; ) {
      try {
        const node = await this.#ports.zookeeper.get(path);
        if (node === undefined) return true;
        request = requestOf(name, path, node);
        const way = triage(request, this.#ports.settings);
        key = keyOf(way);
        if (key !== undefined && pass.held.has(key)) return false;
        const next = await this.#next(request, way, refused);
        if (next.kind === 'wait') {
          problem = next.why;
          break;
        }
        await this.#take(next, request, way);
        if (next.kind === 'take off' || next.kind === 'forward') return true;
      } catch (error) {
        if (hasCode(error, 'CONFLICT', 'ZOOKEEPER_CONFLICT')) {
          conflicts += 1;
          problem = error.message;
        } else if (hasCode(error, 'CLUSTER_REFUSED') && refused === undefined) {
          refused = error.message;
        } else if (concernsAll(error)) {
          throw error;
        } else {
          problem = asMaasError(error).message;
          break;
        }
      }
    }
    if (pass.signal.aborted) return false;
    if (key !== undefined) pass.held.add(key);
    this.#tellHeld(request?.id ?? path, problem, pass);
    return false;
  }

  async #next(request: Request, way: Triage, refused: string | undefined): Promise<Way> {
    const { cluster, settings, defaults, takes } = this.#ports;
    if (!takes(modelOf(way))) return { kind: 'wait', why: "the model's mode lets no requests be taken" };
    if (way.way === 'forward') return { kind: 'forward', to: way.to };
    const record = (await cluster.record())?.data ?? {};
    if (wasRejected(record, request)) return { kind: 'take off' };
    if (way.way === 'empty') return { kind: 'count' };
    if (way.way === 'unreadable')
      return { kind: 'reject', rejection: { code: 'REQUEST_UNREADABLE', why: `it ${way.why}` } };
    const { name, version } = way.request;
    const observed: Observed = {
      models: await cluster.find(way.namespace, name, resourceNameFor(name, version ?? '')),
      removing: removalOf(record, request.id),
      refused,
    };
    return planRequest(request.id, way.request, way.namespace, observed, { memory: settings.memory, defaults });
  }

  async #take(step: Exclude<Way, { kind: 'wait' }>, request: Request, way: Triage): Promise<void> {
    const { cluster, clock, log } = this.#ports;
    switch (step.kind) {
      case 'create': {
        const made = await this.#write('create', () => cluster.create(step.manifest));
        this.#tellDone(made, request, `created with ${counted(step.manifest.spec.instances)}`);
        break;
      }
      case 'change': {
        const { of, change } = step;
        const write = change.removal === null ? 'change' : 'empty';
        await this.#write(write, () => cluster.change(of.state, change));
        const about = { kind: 'ModelDeployment', ...of.state } as const;
        this.#tellDone(about, request, `scaled from ${of.instances} to ${counted(change.instances)}`);
        break;
      }
      case 'remember':
        await this.#note('remember', (data) => withRemoval(data, request.id, step.uid));
        break;
      case 'delete':
        await this.#write('delete', () => cluster.delete(step.of.state));
        this.#tellDone({ kind: 'ModelDeployment', ...step.of.state }, request, 'deleted with its last instance');
        break;
      case 'count': {
        const about = await this.#note('reject', (data) => withEmpty(data, request, clock.now()));
        const message = 'the literal null, as the LIST of the old deploy client leaves it, was taken off the queue';
        cluster.event(about, { type: 'Normal', reason: 'NullRequest', message, action: 'Reject' });
        break;
      }
      case 'reject':
        await this.#reject(request, step.rejection);
        break;
      case 'forward':
        await this.#forward(request, step.to);
        break;
      case 'take off':
        await this.#takeOff(request);
        log.info({ request: request.path, way: way.way }, 'a request is off the queue');
        break;
    }
  }

  async #reject(request: Request, rejection: Rejection): Promise<void> {
    const { cluster, clock, log, metrics } = this.#ports;
    const about = await this.#note('reject', (data) => withRejection(data, request, rejection, clock.now()));
    const message = `${request.name}: ${rejection.why}`;
    cluster.event(about, { type: 'Warning', reason: 'RequestRejected', message, action: 'Reject' });
    metrics.request('rejected');
    log.warn({ request: request.path, code: rejection.code, why: rejection.why }, 'a request was rejected');
  }

  /** In one transaction, so that it is always in exactly one of the two queues. */
  async #forward({ path, data, version }: Request, to: string): Promise<void> {
    const { zookeeper, log, metrics } = this.#ports;
    if ((await zookeeper.children(to)) === undefined) await this.#write('prepare', () => zookeeper.ensurePath(to));
    await this.#write('forward', () =>
      zookeeper.transaction([
        { type: 'create', path: `${to}/${requestPrefix}`, data, sequential: true },
        { type: 'delete', path, version },
      ]),
    );
    metrics.request('forwarded');
    log.info({ request: path, to }, 'a request went on to the second queue');
  }

  async #takeOff({ path, version, numChildren }: Request): Promise<void> {
    if (numChildren > 0) await this.#clear(path);
    await this.#write('take-off', () => this.#ports.zookeeper.delete(path, version));
  }

  async #clear(path: string): Promise<void> {
    const { zookeeper } = this.#ports;
    for (const child of (await zookeeper.children(path)) ?? []) {
      await this.#clear(`${path}/${child}`);
      await this.#write('clear', () => zookeeper.delete(`${path}/${child}`));
    }
  }

  async #note(write: QueueWrite, patch: (data: RecordData) => RecordPatch): Promise<EventObject> {
    const { cluster } = this.#ports;
    const record = await cluster.record();
    return await this.#write(write, () => cluster.writeRecord(record?.state, patch(record?.data ?? {})));
  }

  /** Every external write goes through here. */
  async #write<T>(write: QueueWrite, call: () => Promise<T>): Promise<T> {
    const { failPoints, leads } = this.#ports;
    failPoints(`before-${write}`);
    if (!leads()) throw new MaasError('LEASE_LOST', 'this process is not the leader any more, so it writes nothing');
    const result = await call();
    failPoints(`after-${write}`);
    return result;
  }

  #tellDone(about: EventObject, request: Request, did: string): void {
    const { cluster, log, metrics } = this.#ports;
    metrics.request('done');
    const message = `${did}, as ${request.name} of the old queue asked`;
    cluster.event(about, { type: 'Normal', reason: 'RequestDone', message, action: 'Request' });
    log.info({ request: request.path, namespace: about.namespace, name: about.name, did }, 'a request was done');
  }

  #tellHeld(id: string, why: string, pass: Pass): void {
    const { log } = this.#ports;
    pass.why.set(id, why);
    if (this.#told.get(id) === why) log.debug({ request: id, why }, 'a request still waits');
    else log.warn({ request: id, why }, 'a request waits');
  }
}

type Way = Step | { readonly kind: 'forward'; readonly to: string } | { readonly kind: 'count' };

function requestOf(name: string, path: string, { data, stat }: Znode): Request {
  const { version, czxid, ctime, numChildren } = stat;
  const node = { name, path, czxid, ctime };
  return { ...node, id: requestId(node), data, version, numChildren };
}

/** Requests with the same key keep their order; undefined where a request has no others to keep it with. */
function keyOf(way: Triage): string | undefined {
  if (way.way === 'forward') return 'forward';
  return way.way === 'ours' ? JSON.stringify([way.namespace, way.request.name, way.request.version]) : undefined;
}

function modelOf(way: Triage): string {
  return way.way === 'ours' ? way.request.name : way.way === 'forward' ? way.model : '';
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
function concernsAll(error: unknown): boolean {
  return hasCode(
    error,
    'LEASE_LOST',
    'CLUSTER_UNREACHABLE',
    'CLUSTER_UNAUTHENTICATED',
    'ZOOKEEPER_UNREACHABLE',
    'ZOOKEEPER_TIMEOUT',
    'ZOOKEEPER_SESSION_EXPIRED',
  );
}

function nested(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function counted(instances: number): string {
  return instances === 1 ? '1 instance' : `${instances} instances`;
}
