/**
 * Joins the watches, the queue and the reconciler: every change becomes the key of a ModelDeployment, every key becomes
 * a pass over its present state.
 */

import { hasCode } from '../contracts/errors.ts';
import { annotations } from '../contracts/names.ts';
import type { ModelDeployment } from '../contracts/resource.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { PodView } from '../plan/observation.ts';
import { AgentPoll, type Get } from './agent-poll.ts';
import type { Modes } from './modes.ts';
import { PayloadWatch } from './payload-watch.ts';
import { type ListPodWarnings, PodWarnings } from './pod-warnings.ts';
import type { Cluster, Metrics, Payloads, Stores } from './ports.ts';
import { Reconciler } from './reconciler.ts';
import type { RegistrationFollower } from './registrations.ts';
import type { ServedNamespaces } from './served-namespaces.ts';
import type { Owned } from './views.ts';

/** The part of the work queue that a controller uses; keys are UIDs of ModelDeployments. */
export interface Queue {
  add(key: string): void;
}

export interface Change<P> {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly object: P;
}

export interface ControllerPorts {
  readonly stores: Stores;
  readonly registrations: RegistrationFollower;
  readonly modes: Pick<Modes, 'of'>;
  readonly cluster: Cluster;
  readonly payloads: Payloads;
  readonly get: Get;
  readonly podWarnings: ListPodWarnings;
  readonly served: Pick<ServedNamespaces, 'inStep' | 'written'>;
  readonly queue: Queue;
  readonly settings: OperatorSettings & { clusterId: string };
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

export class Controller {
  readonly #ports: ControllerPorts;
  readonly #payloadWatch: PayloadWatch;
  readonly #agentPoll: AgentPoll;
  readonly #podWarnings: PodWarnings;
  readonly #reconciler: Reconciler;
  #passes = 0;

  constructor(ports: ControllerPorts) {
    this.#ports = ports;
    this.#payloadWatch = new PayloadWatch(ports.payloads, ports.clock, ports.settings.payloadCheckMs);
    this.#agentPoll = new AgentPoll(ports.get, ports.clock);
    this.#podWarnings = new PodWarnings(ports.podWarnings, ports.clock, ports.log);
    this.#reconciler = new Reconciler(
      {
        stores: ports.stores,
        registrations: (model) => ports.registrations.view(model),
        mode: (model) => ports.modes.of(model),
        payload: ({ resource, invalid }, pinned) =>
          invalid !== undefined
            ? { state: 'pending' }
            : this.#payloadWatch.view(
                resource.metadata.uid,
                { ...resource.spec.payload, completeAt: payloadCompleteAt(resource) },
                pinned,
                () => ports.queue.add(resource.metadata.uid),
              ),
        agents: (pods) => this.#agentPoll.view(pods, () => this.#wake(pods)),
        warnings: (pods) => this.#podWarnings.view(pods, () => this.#wake(pods)),
      },
      ports.cluster,
      (uid) => this.#payloadWatch.copy(uid),
      ports.settings,
      ports.clock,
    );
  }

  /** Something was heard about these pods. */
  #wake(pods: readonly PodView[]): void {
    for (const pod of pods) {
      const owner = this.#ports.stores.pods.byUid(pod.uid)?.ownerUid;
      if (owner !== undefined) this.#ports.queue.add(owner);
    }
  }

  /** A ModelDeployment changed: it, and whoever else names the model, may be concerned. */
  resourceChanged({ type, object }: Change<ResourceEntry>): void {
    const { queue, stores, registrations } = this.#ports;
    const { uid } = object.resource.metadata;
    const { name } = object.resource.spec;
    if (type === 'deleted') {
      this.#payloadWatch.forget(uid);
      this.#reconciler.forget(uid);
      if (stores.resources.indexed(name).length === 0) registrations.unfollow(name);
    } else {
      registrations.follow(name);
      queue.add(uid);
    }
    for (const peer of stores.resources.indexed(name)) {
      if (peer.resource.metadata.uid !== uid && type !== 'modified') queue.add(peer.resource.metadata.uid);
    }
  }

  childChanged({ type, object }: Change<Owned<{ readonly uid: string }>>): void {
    if (type === 'deleted') {
      this.#agentPoll.forget(object.view.uid);
      this.#podWarnings.forget(object.view.uid);
    }
    this.#ports.queue.add(object.ownerUid);
  }

  /** What clients see of a model changed. */
  registrationsChanged(model: string): void {
    for (const { resource } of this.#ports.stores.resources.indexed(model))
      this.#ports.queue.add(resource.metadata.uid);
  }

  /** The mode of any model may have changed. */
  modesChanged(): void {
    for (const { resource } of this.#ports.stores.resources.list()) this.#ports.queue.add(resource.metadata.uid);
  }

  /** A namespace can be worked in, or all can. */
  opened(namespace: string | undefined): void {
    for (const { resource } of this.#ports.stores.resources.list()) {
      if (namespace === undefined || resource.metadata.namespace === namespace)
        this.#ports.queue.add(resource.metadata.uid);
    }
  }

  /** One pass. Throws what the queue should back off from. */
  async process(uid: string): Promise<{ readonly requeueAfterMs?: number }> {
    const { stores, clock, metrics, log, served } = this.#ports;
    const entry = stores.resources.byUid(uid);
    if (entry === undefined) return {};
    const { namespace, name } = entry.resource.metadata;
    // From an old picture nothing is decided; when it is new again, this is called again.
    if (!served.inStep(namespace)) return {};
    this.#passes += 1;
    const passLog = log.child({ namespace, name, model: entry.resource.spec.name, pass: this.#passes });
    const started = clock.monotonic();
    let succeeded = false;
    try {
      const outcome = await this.#reconciler.reconcile(entry, passLog);
      if (outcome.kind === 'failed') throw outcome.error;
      succeeded = true;
      served.written(namespace, undefined);
      const payloadDueMs = this.#payloadWatch.dueIn(uid) + 10;
      return { requeueAfterMs: Math.min(outcome.againMs ?? payloadDueMs, payloadDueMs) };
    } catch (error) {
      if (hasCode(error, 'CLUSTER_FORBIDDEN')) served.written(namespace, error);
      throw error;
    } finally {
      metrics.reconciled(succeeded ? 'success' : 'error', (clock.monotonic() - started) / 1_000);
    }
  }

  stop(): void {
    this.#payloadWatch.stop();
  }
}

/** Until when what is at the payload's path is whole, milliseconds since the epoch; undefined where nobody says. */
function payloadCompleteAt({ metadata }: ModelDeployment): number | undefined {
  const at = Date.parse(metadata.annotations[annotations.payloadComplete] ?? '');
  return Number.isNaN(at) ? undefined : at;
}
