/**
 * A small model of everything around the planner: a Deployment controller that creates, replaces and removes pods, a
 * kubelet with its memory for immutable ConfigMaps, pods that register, stop slowly or die, a ZooKeeper that can be
 * away, an HDFS in which payloads appear and are overwritten, a resource that is deleted and made anew. The planner's
 * properties are tested by letting this world run against it in any order, and by letting plans be carried out only in
 * part.
 */
import type { HoldInstruction, Holds } from '../../src/contracts/holds.ts';
import { type Mode, registers } from '../../src/contracts/modes.ts';
import { annotations, labels } from '../../src/contracts/names.ts';
import { decodePin, type PinContent } from '../../src/contracts/pin-content.ts';
import type { ModelDeployment, ModelDeploymentSpec } from '../../src/contracts/resource.ts';
import type { OperatorSettings } from '../../src/contracts/settings.ts';
import { holdToldIn, isAsApplied, keyOf, type Manifest, revisionOf } from '../../src/plan/children.ts';
import type {
  BudgetView,
  DeploymentView,
  ModeView,
  Observation,
  PinView,
  PodView,
  RegisteredPod,
} from '../../src/plan/observation.ts';
import { pinIn, pinOf } from '../../src/plan/pins.ts';
import { type Plan, plan } from '../../src/plan/plan.ts';
import { aPayload, aPod, aResource, someSettings, start } from './model-deployment.ts';

interface LivePod {
  view: PodView;
  readonly deployment: string;
  readonly template: string;
  /** Digest of the payload that the kubelet gave it; undefined where it found no pin. */
  readonly runs: string | undefined;
  /** Digest that its Deployment says it is to run; an agent refuses another. */
  readonly told: string | undefined;
  readonly image: string;
  /** What its agent was told of holds with the pod. */
  readonly hold: HoldInstruction | undefined;
  /** What its agent has heard since; undefined until it has heard something. */
  heard: boolean | undefined;
  registered: boolean;
  /** Turns until it is gone, once it was told to go. */
  stopsIn: number;
}

/** An image that no node can pull. */
export const noSuchImage = 'no-such-image:1';
const turnsToStop = 3;
/** Seconds, and so turns, that the planner lets pass at most before it acts. */
const longestWait = 6;

export class PlannerWorld {
  resource: ModelDeployment = aResource();
  settings: OperatorSettings & { clusterId: string } = {
    ...someSettings,
    model: { ...someSettings.model, disruptionBudget: { maxUnavailable: 1 } },
  };
  readonly deployments = new Map<string, DeploymentView>();
  readonly pins = new Map<string, PinView>();
  readonly budgets = new Map<string, BudgetView>();
  readonly pods = new Map<string, LivePod>();
  /** Pods of predecessors of the resource, by UID. */
  readonly #foreign = new Map<string, LivePod>();
  readonly payloadsInHdfs = new Set<string>(['/models/dga']);
  /** How often the files at a path were overwritten with others. */
  readonly #overwritten = new Map<string, number>();
  /** Digests of payloads that are in the payload store. */
  readonly copies = new Set<string>();
  /** What the kubelet knows under a ConfigMap's name, as long as any pod refers to it. */
  readonly #known = new Map<string, string>();
  /** What is published of holds; ZooKeeper may lose it. */
  published: Holds | undefined;
  zookeeperAway = false;
  /** Since when the operator has seen each registration, by the pods' UIDs. */
  readonly #seenSince = new Map<string, number>();
  mode: ModeView = { mode: 'active', agents: 'active' };
  now = start;
  writes = 0;
  #serial = 0;

  change(spec: Partial<ModelDeploymentSpec>): void {
    const next = { ...this.resource.spec, ...spec };
    if (JSON.stringify(next) === JSON.stringify(this.resource.spec)) return;
    const { metadata } = this.resource;
    this.resource = { ...this.resource, spec: next, metadata: { ...metadata, generation: metadata.generation + 1 } };
  }

  /** Other files are put at a path. */
  overwrite(path: string): void {
    this.#overwritten.set(path, (this.#overwritten.get(path) ?? 0) + 1);
  }

  /** The resource is deleted and the same manifest applied at once; what it had goes, its pods slowly. */
  recreate(): void {
    const { metadata, spec } = this.resource;
    this.resource = { spec, status: {}, metadata: { ...metadata, uid: this.#uid(), generation: 1 } };
    this.deployments.clear();
    this.pins.clear();
    this.budgets.clear();
    for (const pod of this.pods.values()) if (pod.view.dead === undefined) pod.view = { ...pod.view, deleting: true };
    for (const [uid, pod] of this.pods) this.#foreign.set(uid, pod);
    this.pods.clear();
  }

  /** A node has no room left: the pod is stopped and stays as a record. */
  evict(index: number): void {
    const living = [...this.pods.values()].filter(({ view }) => view.dead === undefined && !view.deleting);
    const pod = living[index % Math.max(1, living.length)];
    if (pod === undefined) return;
    pod.registered = false;
    pod.view = { ...pod.view, ready: false, dead: { why: 'Evicted: the node was low on memory', at: this.now } };
  }

  /** How many instances that serve the budgets would let go at once. */
  evictable(): number {
    const serving = this.served();
    return [...this.budgets.values()].reduce((sum, { name, versionKey, spec }) => {
      const expected = this.deployments.get(name)?.replicas ?? 0;
      const healthy = [...this.pods.values()].filter(
        ({ view }) => view.versionKey === versionKey && view.ready && !view.deleting && view.dead === undefined,
      );
      const allowed = Math.max(0, healthy.length - Math.max(0, expected - Number(spec['maxUnavailable'])));
      return sum + Math.min(allowed, healthy.filter((pod) => serving.includes(pod)).length);
    }, 0);
  }

  digestAt(path: string): string {
    return `sha256:${path}#${this.#overwritten.get(path) ?? 0}`;
  }

  observation(): Observation {
    const byPod = new Map<string, RegisteredPod>();
    for (const { view, registered, runs } of this.pods.values()) {
      if (!registered || this.zookeeperAway) this.#seenSince.delete(view.uid);
      else if (!this.#seenSince.has(view.uid)) this.#seenSince.set(view.uid, this.now);
      const version = [...this.deployments.values()].find((d) => d.versionKey === view.versionKey)?.version ?? '?';
      if (registered)
        byPod.set(view.uid, {
          version,
          url: 'http://x:1',
          functions: {},
          since: this.#seenSince.get(view.uid) ?? this.now,
          ...(runs === undefined ? {} : { payloadDigest: runs }),
        });
    }
    const key = keyOf(this.resource.spec);
    const { path, readFrom } = this.resource.spec.payload;
    const found = aPayload({ path, digest: this.digestAt(path) });
    const copied = { ...found, path: `/store${path}`, copiedFrom: path };
    const children = {
      pins: [...this.pins.values()],
      deployments: [...this.deployments.values()].map((live) => ({ ...live, asApplied: isAsApplied(live) })),
    };
    const pin = pinOf(children, key);
    return {
      now: this.now,
      resource: this.resource,
      peers: [],
      key,
      pin,
      ...children,
      budgets: [...this.budgets.values()],
      pods: [...this.pods.values()].map((pod) => pod.view),
      payload:
        pin !== undefined
          ? { state: 'pinned', looked: true }
          : this.payloadsInHdfs.has(path)
            ? readFrom !== 'Store'
              ? { state: 'resolved', payload: found }
              : this.copies.has(found.digest)
                ? { state: 'resolved', payload: copied }
                : { state: 'found' }
            : {
                state: 'failed',
                transient: false,
                problem: { code: 'HDFS_PATH_MISSING', message: `nothing at ${path}`, next: 'upload' },
              },
      registrations: this.zookeeperAway ? { known: false, why: 'ZooKeeper is suspended' } : { known: true, byPod },
      holds: this.zookeeperAway ? { known: false } : { known: true, versions: this.published?.versions ?? {} },
      mode: this.mode,
      agents: new Map(),
      shields: new Map(),
    };
  }

  /** The mode changes; agents hear of it later. */
  setMode(mode: Mode): void {
    this.mode = { mode, agents: mode === 'observe' ? this.mode.agents : mode };
  }

  /** An agent hears that it is not to be registered. */
  obey(index: number): void {
    if (this.zookeeperAway || registers(this.mode.agents)) return;
    const seen = [...this.pods.values()].filter((pod) => pod.registered);
    const pod = seen[index % Math.max(1, seen.length)];
    if (pod !== undefined) pod.registered = false;
  }

  /** One pass of the operator. `crashAfter` writes it is killed; the status comes last. */
  reconcile(crashAfter = Number.POSITIVE_INFINITY): Plan {
    const wanted = plan(this.observation(), this.settings);
    let left = crashAfter;
    if (wanted.copyPayload) {
      this.writes += 1;
      this.copies.add(this.digestAt(this.resource.spec.payload.path));
    }
    if (wanted.publish !== undefined) {
      if (left-- <= 0) return wanted;
      this.writes += 1;
      this.published = wanted.publish;
    }
    for (const { manifest } of wanted.apply) {
      if (left-- <= 0) return wanted;
      this.#apply(manifest);
    }
    for (const child of wanted.remove) {
      if (left-- <= 0) return wanted;
      this.#remove(child.kind, child.name, child.uid);
    }
    for (const { manifest } of wanted.protect) {
      if (left-- <= 0) return wanted;
      this.#apply(manifest);
    }
    if (left > 0 && JSON.stringify(this.resource.status) !== JSON.stringify(wanted.status)) {
      this.writes += 1;
      this.resource = { ...this.resource, status: wanted.status };
    }
    return wanted;
  }

  #apply(manifest: Manifest): void {
    this.writes += 1;
    const { name, labels: objectLabels } = manifest.metadata;
    const versionKey = objectLabels[labels.version] ?? '';
    if (manifest.kind === 'ConfigMap') {
      const payload = decodePin({ data: manifest['data'] as PinContent['data'] });
      if (payload === undefined) throw new Error(`${name} pins nothing that can be read`);
      this.pins.set(name, { name, uid: this.#uid(), versionKey, deleting: false, payload });
      return;
    }
    if (manifest.kind === 'PodDisruptionBudget') {
      const uid = this.budgets.get(name)?.uid ?? this.#uid();
      const budget = structuredClone(manifest['spec']) as Record<string, unknown>;
      this.budgets.set(name, { name, uid, versionKey, deleting: false, spec: budget });
      return;
    }
    const spec = manifest['spec'] as Record<string, unknown> & { replicas: number };
    const before = this.deployments.get(name);
    const hold = holdToldIn(spec);
    this.deployments.set(name, {
      ...(hold === undefined ? {} : { hold }),
      name,
      uid: before?.uid ?? this.#uid(),
      versionKey,
      version: manifest.metadata.annotations?.[annotations.version] ?? '',
      createdAt: before?.createdAt ?? this.now,
      deleting: false,
      replicas: spec.replicas,
      annotations: { ...manifest.metadata.annotations },
      spec: structuredClone(spec),
      // Whoever observes it sees.
      asApplied: false,
      rolledOut: false,
      stuck: false,
      everComplete: before?.everComplete ?? false,
    });
  }

  #remove(kind: string, name: string, uid: string): void {
    const kinds = { Deployment: this.deployments, ConfigMap: this.pins, PodDisruptionBudget: this.budgets };
    const children: Map<string, { readonly uid: string }> = kinds[kind as keyof typeof kinds];
    if (children.get(name)?.uid !== uid) throw new Error(`a plan removes ${kind} ${name} with a wrong UID`);
    children.delete(name);
    this.writes += 1;
  }

  /** One step of the Deployment controller: at most one pod of each Deployment is made or told to go. */
  controllerStep(): void {
    this.now += 1_000;
    for (const pods of [this.pods, this.#foreign]) {
      for (const [uid, pod] of pods) {
        if (pod.view.deleting) pod.stopsIn -= 1;
        else if (!this.deployments.has(pod.deployment)) pod.view = { ...pod.view, deleting: true };
        if (pod.stopsIn <= 0) pods.delete(uid);
      }
    }
    this.#kubeletForgets();
    for (const deployment of this.deployments.values()) {
      const template = JSON.stringify(deployment.spec['template']);
      const own = [...this.pods.values()].filter(
        ({ deployment: of, view }) => of === deployment.name && !view.deleting && view.dead === undefined,
      );
      const old = own.filter((pod) => pod.template !== template);
      const current = own.filter((pod) => pod.template === template);
      const available = own.filter((pod) => pod.view.ready).length;
      if (current.length < deployment.replicas && own.length < deployment.replicas + 1) {
        this.#startPod(deployment, template);
      } else {
        const spare = [
          ...old.filter((p) => !p.view.ready),
          ...old,
          ...current.filter((p) => !p.view.ready),
          ...current,
        ][0];
        const mayGo = spare !== undefined && (!spare.view.ready || available > deployment.replicas);
        if (mayGo && own.length > deployment.replicas) spare.view = { ...spare.view, deleting: true };
      }
      this.deployments.set(deployment.name, {
        ...deployment,
        rolledOut: old.length === 0 && current.length === deployment.replicas,
        everComplete: deployment.everComplete || current.filter((pod) => pod.view.ready).length >= deployment.replicas,
      });
    }
  }

  #startPod(deployment: DeploymentView, template: string): void {
    const uid = this.#uid();
    const pin = pinIn(deployment.spec) ?? '';
    const given = this.#known.get(pin) ?? this.pins.get(pin)?.payload?.digest;
    if (given !== undefined) this.#known.set(pin, given);
    const revision = revisionOf(deployment.spec);
    const view = aPod({
      name: `p${this.#serial}`,
      uid,
      versionKey: deployment.versionKey,
      createdAt: this.now,
      pin,
      ...(revision === undefined ? {} : { revision }),
    });
    const { metadata, spec } = deployment.spec['template'] as {
      metadata: { annotations: Record<string, string> };
      spec: { containers: [{ image: string }] };
    };
    this.pods.set(uid, {
      view,
      deployment: deployment.name,
      template,
      runs: given,
      told: metadata.annotations[annotations.payloadDigest],
      image: spec.containers[0].image,
      hold: holdToldIn(deployment.spec),
      heard: undefined,
      registered: false,
      stopsIn: turnsToStop,
    });
  }

  #kubeletForgets(): void {
    const referred = new Set([...this.pods.values(), ...this.#foreign.values()].map(({ view }) => view.pin));
    for (const name of this.#known.keys()) if (!referred.has(name)) this.#known.delete(name);
  }

  /** An agent hears what is published of holds, and does it. */
  hear(index: number): void {
    if (this.zookeeperAway) return;
    const behind = [...this.pods.values()].filter(
      (pod) => pod.hold !== undefined && pod.view.dead === undefined && this.#told(pod) !== pod.heard,
    );
    const pod = behind[index % Math.max(1, behind.length)];
    if (pod === undefined) return;
    pod.heard = this.#told(pod);
    if (pod.heard) pod.registered = false;
    else if (pod.view.ready && !pod.view.deleting && registers(this.mode.agents)) pod.registered = true;
  }

  /** The last word that was said counts, and before any what came with the pod. */
  #told(pod: LivePod): boolean {
    if (pod.hold === undefined) return false;
    return this.published?.versions[pod.hold.version]?.held ?? pod.heard ?? pod.hold.untilReleased;
  }

  /** An instance comes up: it is ready with its first registration, or without one where it is not to be registered. */
  comeUp(index: number): void {
    if (this.zookeeperAway) return;
    const asked = (pod: LivePod) => registers(this.mode.agents) && !(pod.heard ?? this.#told(pod));
    const waiting = [...this.pods.values()].filter(
      (pod) =>
        !pod.view.deleting &&
        pod.view.dead === undefined &&
        pod.image !== noSuchImage &&
        pod.runs !== undefined &&
        pod.runs === pod.told &&
        (asked(pod) ? !pod.registered : !pod.view.ready),
    );
    const pod = waiting[index % Math.max(1, waiting.length)];
    if (pod === undefined) return;
    pod.heard ??= pod.hold === undefined ? undefined : this.#told(pod);
    if (asked(pod)) pod.registered = true;
    pod.view = { ...pod.view, ready: true };
  }

  kill(index: number): void {
    const all = [...this.pods.keys()];
    const uid = all[index % Math.max(1, all.length)];
    if (uid !== undefined) this.pods.delete(uid);
  }

  /** Somebody edits a Deployment by hand. */
  tamper(index: number): void {
    const all = [...this.deployments.values()];
    const deployment = all[index % Math.max(1, all.length)];
    if (deployment === undefined) return;
    this.deployments.set(deployment.name, {
      ...deployment,
      replicas: 7,
      spec: { ...structuredClone(deployment.spec), replicas: 7 },
    });
  }

  /** Pods that a client is answered by, and that nobody has told to go: without its Deployment a pod goes, too. */
  served(): LivePod[] {
    return [...this.pods.values()].filter(
      (pod) => pod.registered && !pod.view.deleting && this.deployments.has(pod.deployment),
    );
  }

  /** Lets everything that is well come up, until nothing is written any more. */
  settle(): void {
    this.zookeeperAway = false;
    let still = 0;
    for (let turn = 0; turn < 400; turn++) {
      const before = this.#picture();
      const { awaits } = this.reconcile();
      this.controllerStep();
      this.obey(0);
      this.hear(0);
      this.comeUp(0);
      still = this.#picture() === before ? still + 1 : 0;
      // Some of what is on its way only waits for its time.
      if (still > (awaits === 'much' ? longestWait : 0)) return;
    }
    throw new Error('the world does not settle');
  }

  #picture(): string {
    return JSON.stringify([this.writes, [...this.pods.values()], [...this.deployments.values()]]);
  }

  #uid(): string {
    this.#serial += 1;
    return `00000000-0000-4000-8000-${String(this.#serial).padStart(12, '0')}`;
  }
}
