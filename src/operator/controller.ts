/** Every key becomes a pass over the present state of a ModelDeployment; what is gone is forgotten. */

import { hasCode } from '../contracts/errors.ts';
import { annotations } from '../contracts/names.ts';
import type { ModelDeployment } from '../contracts/resource.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { AgentPoll, type Get } from './agent-poll.ts';
import type { HoldFollower } from './holds.ts';
import type { Modes } from './modes.ts';
import { PayloadWatch } from './payload-watch.ts';
import { type ListPodWarnings, PodWarnings } from './pod-warnings.ts';
import type { Cluster, Metrics, Payloads, Stores } from './ports.ts';
import { Reconciler } from './reconciler.ts';
import type { RegistrationFollower } from './registrations.ts';
import type { ServedNamespaces } from './served-namespaces.ts';

export interface ControllerPorts {
  readonly stores: Stores;
  readonly registrations: Pick<RegistrationFollower, 'view'>;
  readonly modes: Pick<Modes, 'of'>;
  readonly holds: Pick<HoldFollower, 'view' | 'publish'>;
  readonly cluster: Cluster;
  readonly payloads: Payloads;
  readonly get: Get;
  readonly podWarnings: ListPodWarnings;
  readonly served: Pick<ServedNamespaces, 'inStep' | 'written'>;
  /** Where what is heard in the background makes another pass due; keys are UIDs of ModelDeployments. */
  readonly queue: { add(uid: string): void };
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
  /** UIDs of the pods of each ModelDeployment, as of its last pass. */
  readonly #pods = new Map<string, ReadonlySet<string>>();
  #passes = 0;

  constructor(ports: ControllerPorts) {
    this.#ports = ports;
    this.#payloadWatch = new PayloadWatch(ports.payloads, ports.clock, ports.settings.payloadCheckMs, (uid) =>
      ports.queue.add(uid),
    );
    this.#agentPoll = new AgentPoll(ports.get, ports.clock);
    this.#podWarnings = new PodWarnings(ports.podWarnings, ports.clock, ports.log);
    this.#reconciler = new Reconciler(
      {
        stores: ports.stores,
        registrations: (model) => ports.registrations.view(model),
        mode: (model) => ports.modes.of(model),
        holds: (uid) => ports.holds.view(uid),
        payload: ({ resource, invalid }, pinned) => {
          const { uid } = resource.metadata;
          if (invalid !== undefined) {
            this.#payloadWatch.forget(uid);
            return { state: 'pending' };
          }
          this.#payloadWatch.want(uid, { ...resource.spec.payload, completeAt: payloadCompleteAt(resource) }, pinned);
          return this.#payloadWatch.view(uid);
        },
        agents: (uid, pods) => {
          this.#agentPoll.ask(pods, () => ports.queue.add(uid));
          return this.#agentPoll.view(pods);
        },
        shields: (uid, pods) => {
          this.#agentPoll.ask(pods, () => ports.queue.add(uid));
          return this.#agentPoll.shields(pods);
        },
        warnings: (uid, pods) => {
          this.#podWarnings.ask(pods, () => ports.queue.add(uid));
          return this.#podWarnings.view(pods);
        },
      },
      ports.cluster,
      { copyPayload: (uid) => this.#payloadWatch.copy(uid), publish: (uid, holds) => ports.holds.publish(uid, holds) },
      ports.settings,
      ports.clock,
    );
  }

  /** One pass. Throws what the queue should back off from. */
  async process(uid: string): Promise<{ readonly requeueAfterMs?: number }> {
    const { stores, clock, metrics, log, served } = this.#ports;
    const entry = stores.resources.byUid(uid);
    this.#follow(uid, entry === undefined ? [] : stores.pods.indexed(uid).map(({ view }) => view.uid));
    if (entry === undefined) {
      this.#payloadWatch.forget(uid);
      this.#reconciler.forget(uid);
      return {};
    }
    const { namespace, name, deletionTimestamp } = entry.resource.metadata;
    if (deletionTimestamp !== undefined) this.#payloadWatch.forget(uid);
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
      return outcome.againMs === undefined ? {} : { requeueAfterMs: outcome.againMs };
    } catch (error) {
      if (hasCode(error, 'CLUSTER_FORBIDDEN')) served.written(namespace, error);
      throw error;
    } finally {
      metrics.reconciled(succeeded ? 'success' : 'error', (clock.monotonic() - started) / 1_000);
    }
  }

  /** What was heard of pods that are gone is of no use to anybody. */
  #follow(uid: string, pods: readonly string[]): void {
    const present = new Set(pods);
    for (const pod of this.#pods.get(uid) ?? []) {
      if (present.has(pod)) continue;
      this.#agentPoll.forget(pod);
      this.#podWarnings.forget(pod);
    }
    if (present.size === 0) this.#pods.delete(uid);
    else this.#pods.set(uid, present);
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
