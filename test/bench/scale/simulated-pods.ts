/**
 * What a Deployment controller, nodes and agents would do of what the operator sees: pods that become ready at once,
 * and their registrations in ZooKeeper with markers, in the formats of the agents and in few sessions.
 */
import { randomUUID } from 'node:crypto';
import { ApiCalls } from '../../../src/adapters/kube/api-calls.ts';
import type { KubeClient } from '../../../src/adapters/kube/client.ts';
import {
  type Deployment,
  deployments,
  objectPath,
  pods,
  type Stored,
} from '../../../src/adapters/kube/resource-kind.ts';
import { startWatch, type Watch } from '../../../src/adapters/kube/watch.ts';
import { ZooKeeper } from '../../../src/adapters/zookeeper/zookeeper.ts';
import { encodeMarker } from '../../../src/contracts/marker.ts';
import { annotations, instanceId } from '../../../src/contracts/names.ts';
import { Slots } from '../../../src/kernel/bounded.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { systemClock } from '../../../src/kernel/system-clock.ts';
import { defaultServiceConfig } from '../../../src/wire/service-config.ts';
import { encodeRegistration } from '../../../src/wire/service-instance.ts';

const sessions = 8;
const parallelism = 24;

interface Pod {
  readonly name: string;
  readonly model: string;
  readonly id: string;
}

export class SimulatedPods implements AsyncDisposable {
  readonly #client: KubeClient;
  readonly #calls: ApiCalls;
  readonly #markers: string;
  readonly #zookeepers: readonly ZooKeeper[];
  readonly #slots = new Slots(parallelism);
  readonly #pods = new Map<string, Pod[]>();
  /** Of each Deployment, what is being done: one thing after the other. */
  readonly #busy = new Map<string, Promise<void>>();
  #watch: Watch<unknown> | undefined;
  #failure: unknown;
  registered = 0;

  constructor(client: KubeClient, quorum: string, markers: string) {
    this.#client = client;
    this.#calls = new ApiCalls(client.transport, systemClock, Math.random);
    this.#markers = markers;
    this.#zookeepers = Array.from(
      { length: sessions },
      () => new ZooKeeper({ quorum, sessionTimeoutMs: 30_000, clock: systemClock, log: silentLog }),
    );
  }

  async start(): Promise<void> {
    await this.#zookeepers[0]?.ensurePath(this.#markers);
    this.#watch = startWatch({
      client: this.#client,
      clock: systemClock,
      log: silentLog,
      kind: deployments,
      project: (deployment) => deployment,
      onChange: ({ type, object }) => {
        if (type !== 'deleted') this.#follow(object);
      },
    });
    await this.#watch.synced;
  }

  /** @throws whatever went wrong meanwhile */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The registrations go with their sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch?.stop();
    await Promise.all(this.#busy.values());
    await Promise.all(this.#zookeepers.map((zookeeper) => zookeeper.close()));
  }

  #follow(deployment: Stored<Deployment>): void {
    const { uid, generation } = deployment.metadata;
    if (deployment.status?.observedGeneration === generation) return;
    const before = this.#busy.get(uid) ?? Promise.resolve();
    const done = before
      .then(() => this.#bringAbout(deployment))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
    this.#busy.set(uid, done);
  }

  async #bringAbout(deployment: Stored<Deployment>): Promise<void> {
    const { uid, namespace = '', name, generation } = deployment.metadata;
    const replicas = deployment.spec?.replicas ?? 0;
    const present = this.#pods.get(uid) ?? [];
    const missing = Array.from({ length: Math.max(0, replicas - present.length) }, () => this.#add(deployment));
    const superfluous = present.splice(replicas);
    await Promise.all(superfluous.map((pod) => this.#remove(namespace, pod)));
    this.#pods.set(uid, [...present, ...(await Promise.all(missing))]);
    await this.#patchStatus('Deployment', namespace, name, {
      observedGeneration: generation,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      conditions: [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }],
    });
  }

  async #add({ metadata, spec }: Stored<Deployment>): Promise<Pod> {
    const { namespace = '' } = metadata;
    const template = spec?.template;
    const model = template?.metadata?.annotations?.[annotations.model] ?? '';
    const version = metadata.annotations?.[annotations.version] ?? '';
    return await this.#slots.within(async () => {
      const name = `${metadata.name}-${randomUUID().slice(0, 8)}`;
      const made = await this.#client.create(pods, {
        metadata: { ...template?.metadata, name, namespace },
        spec: { containers: [], ...template?.spec, nodeName: 'simulated' },
      });
      const id = instanceId(name, made.metadata.uid);
      await this.#register({ name, model, id }, namespace, version);
      const running = { ready: true, restartCount: 0, image: 'simulated', imageID: '', state: { running: {} } };
      await this.#patchStatus('Pod', namespace, name, {
        phase: 'Running',
        podIP: '127.0.0.1',
        podIPs: [{ ip: '127.0.0.1' }],
        conditions: ['PodScheduled', 'Ready'].map((type) => ({ type, status: 'True' })),
        initContainerStatuses: [{ name: 'agent', started: true, ...running }],
        containerStatuses: [{ name: 'model', started: true, ...running }],
      });
      return { name, model, id };
    });
  }

  async #register({ name, model, id }: Pod, namespace: string, version: string): Promise<void> {
    const zookeeper = this.#zookeeperOf(id);
    const directory = `${defaultServiceConfig.serviceRoot}/${model}`;
    await zookeeper?.ensurePath(directory);
    const registration = { model, version, id, url: 'http://127.0.0.1:1', functions: { apply: 'apply' } };
    await zookeeper?.transaction([
      {
        type: 'create',
        path: `${this.#markers}/${id}`,
        data: encodeMarker({ namespace, pod: name, model }),
        ephemeral: true,
      },
      {
        type: 'create',
        path: `${directory}/${id}`,
        data: encodeRegistration({ ...registration, registeredAt: Date.now() }),
        ephemeral: true,
      },
    ]);
    this.registered += 1;
  }

  async #remove(namespace: string, { name, model, id }: Pod): Promise<void> {
    await this.#slots.within(async () => {
      await this.#zookeeperOf(id)?.transaction([
        { type: 'delete', path: `${defaultServiceConfig.serviceRoot}/${model}/${id}`, version: 0 },
        { type: 'delete', path: `${this.#markers}/${id}`, version: 0 },
      ]);
      this.registered -= 1;
      await this.#calls.json(
        { verb: 'delete', kind: pods, namespace, name },
        {
          method: 'DELETE',
          path: objectPath(pods, { namespace, name }),
          query: { gracePeriodSeconds: '0' },
          deadlineMs: 30_000,
        },
      );
    });
  }

  #zookeeperOf(id: string): ZooKeeper | undefined {
    return this.#zookeepers[(id.codePointAt(id.length - 1) ?? 0) % sessions];
  }

  async #patchStatus(kind: 'Pod' | 'Deployment', namespace: string, name: string, status: object): Promise<void> {
    const resource = kind === 'Pod' ? pods : deployments;
    await this.#calls.json(
      { verb: 'patch', kind: resource, namespace, name, subresource: 'status' },
      {
        method: 'PATCH',
        path: objectPath(resource, { namespace, name }, 'status'),
        contentType: 'application/merge-patch+json',
        body: { status },
        deadlineMs: 30_000,
      },
    );
  }
}
