/**
 * One request of the old queue: what it is now, the next step of it, and that step done. Nothing is remembered between
 * two of them, so whoever comes after goes on from what is there.
 */

import { MaasError } from '../contracts/errors.ts';
import { resourceNameFor } from '../contracts/names.ts';
import { eventOf } from '../contracts/reasons.ts';
import type { RequestQueueSettings } from '../contracts/settings.ts';
import { shownAutoscaler } from '../deploy-rules/autoscaler.ts';
import type { OldDefaults } from '../deploy-rules/old-words.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { requestPrefix } from '../wire/queue-request.ts';
import type { FailPoints, QueueWrite } from './fail-points.ts';
import { planRequest, type Rejection, type Step } from './plan-request.ts';
import type { EventObject, QueueCluster, QueueMetrics, QueueZooKeeper } from './ports.ts';
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

export interface RequestStepsPorts {
  readonly zookeeper: QueueZooKeeper;
  readonly cluster: QueueCluster;
  readonly settings: RequestQueueSettings;
  readonly defaults: OldDefaults;
  /** Nothing is written without it. */
  readonly leadership: { holds(): boolean };
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
export interface QueuedRequest extends RequestNode {
  readonly id: string;
  readonly data: Uint8Array;
  readonly version: number;
  readonly numChildren: number;
  readonly triage: Triage;
  /** Requests with the same key keep their order; undefined where a request has no others to keep it with. */
  readonly key: string | undefined;
}

/** A step of a request, also of one that is not for a model of ours. */
export type RequestStep = Step | { readonly kind: 'forward'; readonly to: string } | { readonly kind: 'count' };

export class RequestSteps {
  readonly #ports: RequestStepsPorts;

  constructor(ports: RequestStepsPorts) {
    this.#ports = ports;
  }

  /** Undefined where it is off the queue. @throws MaasError */
  async read(name: string, path: string): Promise<QueuedRequest | undefined> {
    const node = await this.#ports.zookeeper.get(path);
    if (node === undefined) return undefined;
    const { version, czxid, ctime, numChildren } = node.stat;
    const triaged = triage({ data: node.data, numChildren }, this.#ports.settings);
    const identity = { name, path, czxid, ctime };
    return {
      ...identity,
      id: requestId(identity),
      data: node.data,
      version,
      numChildren,
      triage: triaged,
      key: keyOf(triaged),
    };
  }

  /** @param refused why Kubernetes refused the step before. @throws MaasError */
  async next(request: QueuedRequest, refused: string | undefined): Promise<RequestStep> {
    const { cluster, settings, defaults, takes } = this.#ports;
    const { id, triage: triaged } = request;
    if (!takes(modelOf(triaged))) return { kind: 'wait', why: "the model's mode lets no requests be taken" };
    if (triaged.kind === 'forward') return { kind: 'forward', to: triaged.to };
    const record = (await cluster.record())?.data ?? {};
    if (wasRejected(record, request)) return { kind: 'take off' };
    if (triaged.kind === 'empty') return { kind: 'count' };
    if (triaged.kind === 'unreadable')
      return { kind: 'reject', rejection: { code: 'REQUEST_UNREADABLE', why: `it ${triaged.why}` } };
    const { namespace, request: asked } = triaged;
    const models = await cluster.find(namespace, asked.name, resourceNameFor(asked.name, asked.version ?? ''));
    const observed = { models, removing: removalOf(record, id), refused };
    return planRequest(id, asked, namespace, observed, { memory: settings.memory, defaults });
  }

  /** @throws MaasError LEASE_LOST before any write; CONFLICT where the world is not what the step was planned from */
  async carryOut(step: Exclude<RequestStep, { kind: 'wait' }>, request: QueuedRequest): Promise<void> {
    const { cluster, clock, log } = this.#ports;
    switch (step.kind) {
      case 'create': {
        const made = await this.#write('create', () => cluster.create(step.manifest));
        this.#tellDone(made, request, `created with ${counted(step.manifest.spec.instances)}`);
        break;
      }
      case 'change': {
        const { of, change, leftTo } = step;
        const write = change.removal === null ? 'change' : 'empty';
        await this.#write(write, () => cluster.change(of.state, change));
        const about = { kind: 'ModelDeployment', ...of.state } as const;
        const did =
          leftTo === undefined
            ? `scaled from ${of.instances} to ${counted(change.instances)}`
            : `left at ${counted(of.instances)} by ${shownAutoscaler(leftTo)}`;
        this.#tellDone(about, request, did);
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
        cluster.event(about, eventOf('NullRequest', message, 'Reject'));
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
        log.info({ request: request.path, way: request.triage.kind }, 'a request is off the queue');
        break;
    }
  }

  async #reject(request: QueuedRequest, rejection: Rejection): Promise<void> {
    const { cluster, clock, log, metrics } = this.#ports;
    const about = await this.#note('reject', (data) => withRejection(data, request, rejection, clock.now()));
    const message = `${request.name}: ${rejection.why}`;
    cluster.event(about, eventOf('RequestRejected', message, 'Reject'));
    metrics.request('rejected');
    log.warn({ request: request.path, code: rejection.code, why: rejection.why }, 'a request was rejected');
  }

  /** In one transaction, so that it is always in exactly one of the two queues. */
  async #forward({ path, data, version }: QueuedRequest, to: string): Promise<void> {
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

  async #takeOff({ path, version, numChildren }: QueuedRequest): Promise<void> {
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
    const { failPoints, leadership } = this.#ports;
    failPoints(`before-${write}`);
    if (!leadership.holds())
      throw new MaasError('LEASE_LOST', 'this process is not the leader any more, so it writes nothing');
    const result = await call();
    failPoints(`after-${write}`);
    return result;
  }

  #tellDone(about: EventObject, request: QueuedRequest, did: string): void {
    const { cluster, log, metrics } = this.#ports;
    metrics.request('done');
    const message = `${did}, as ${request.name} of the old queue asked`;
    cluster.event(about, eventOf('RequestDone', message, 'Request'));
    log.info({ request: request.path, namespace: about.namespace, name: about.name, did }, 'a request was done');
  }
}

function keyOf(triaged: Triage): string | undefined {
  if (triaged.kind === 'forward') return 'forward';
  if (triaged.kind !== 'ours') return undefined;
  const { namespace, request } = triaged;
  return JSON.stringify([namespace, request.name, request.version]);
}

function modelOf(triaged: Triage): string {
  return triaged.kind === 'ours' ? triaged.request.name : triaged.kind === 'forward' ? triaged.model : '';
}

function counted(instances: number): string {
  return instances === 1 ? '1 instance' : `${instances} instances`;
}
