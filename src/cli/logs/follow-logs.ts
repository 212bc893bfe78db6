/** What the instances of a model print from now on, also those that come later. */
import { asMaasError } from '../../contracts/errors.ts';
import { isGoing, type Model, readModel } from '../cluster/model.ts';
import { tellTrouble } from '../cluster/trouble.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { note } from '../output/say.ts';
import type { ApiObject, Cluster, InstanceReader, Ports } from '../ports.ts';
import type { PodFacts } from '../why/pod-facts.ts';
import { InstanceFollower } from './follow-instance.ts';
import { containerIn, containerName, type LogWish, shownLine, wantedPods } from './log-choice.ts';
import { Prefixes } from './prefix.ts';
import { tellNone } from './print-logs.ts';

/** Ends when somebody interrupts it, and when the model is gone. @throws MaasError CLUSTER_* */
export async function followLogs(
  model: Model,
  wish: LogWish,
  ports: Ports,
  cluster: Cluster,
  reader: InstanceReader,
): Promise<ExitCode> {
  const { namespace, uid, name } = model.metadata;
  const instances = new FollowedInstances(namespace, wish, ports, reader);
  let wasThere = false;
  try {
    for await (const objects of reader.livePods(namespace, uid, instances.until, tellTrouble(ports.err))) {
      instances.heard(objects);
      // Names of instances are made up: none of this name comes later.
      if (wish.instance !== undefined && wantedPods(objects, wish).length === 0) {
        if (!wasThere) return tellNone(model, wish, ports, objects);
        note(ports.err, `${wish.instance} is gone`);
        break;
      }
      wasThere = true;
      if (objects.length === 0 && (await isGone(cluster, namespace, name))) {
        note(ports.err, `${name} is gone`);
        break;
      }
    }
  } finally {
    await instances.end();
  }
  const { failure } = instances;
  if (failure !== undefined) throw asMaasError(failure);
  return ports.signal.aborted ? exitCodes.interrupted : exitCodes.ok;
}

/** Also of one that is on its way out: no instance of it comes any more. */
async function isGone(cluster: Cluster, namespace: string, name: string): Promise<boolean> {
  const object = await cluster.get(namespace, name);
  return object === undefined || isGoing(readModel(object));
}

class FollowedInstances {
  readonly #namespace: string;
  readonly #wish: LogWish;
  readonly #ports: Ports;
  readonly #reader: InstanceReader;
  readonly #prefixes: Prefixes;
  readonly #followers = new Map<string, InstanceFollower>();
  readonly #work: Promise<void>[] = [];
  readonly #over = new AbortController();
  /** Fires when nothing more is to be followed. */
  readonly until: AbortSignal;
  #isFirst = true;
  #failure: unknown;

  constructor(namespace: string, wish: LogWish, ports: Ports, reader: InstanceReader) {
    this.#namespace = namespace;
    this.#wish = wish;
    this.#ports = ports;
    this.#reader = reader;
    this.#prefixes = new Prefixes(ports.out);
    this.until = AbortSignal.any([ports.signal, this.#over.signal]);
  }

  get failure(): unknown {
    return this.#failure;
  }

  heard(objects: readonly ApiObject[]): void {
    const pods = wantedPods(objects, this.#wish);
    for (const [uid, follower] of this.#followers) {
      const pod = pods.find((each) => each.uid === uid);
      follower.heard(pod === undefined ? 'gone' : (containerIn(pod, this.#wish) ?? 'unknown'));
    }
    for (const pod of pods) if (!this.#followers.has(pod.uid)) this.#begin(pod);
    if (this.#isFirst && pods.length === 0 && this.#wish.instance === undefined)
      note(this.#ports.err, 'there are no instances yet; waiting for them');
    this.#isFirst = false;
  }

  async end(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#work);
  }

  #begin(pod: PodFacts): void {
    const { out, clock } = this.#ports;
    const what = {
      namespace: this.#namespace,
      pod: pod.name,
      container: containerName(this.#wish),
      // All that an instance has printed that came later belongs to what is printed from now on.
      tail: this.#isFirst ? this.#wish.tail : undefined,
    };
    const follower = new InstanceFollower(this.#reader, what, containerIn(pod, this.#wish) ?? 'unknown', {
      tell: (line) => out.write(`${this.#prefixes.of(pod.name)}${shownLine(line, this.#wish, out)}`),
      clock,
      until: this.until,
    });
    this.#followers.set(pod.uid, follower);
    const run = follower.run().catch((error: unknown) => {
      this.#failure ??= error;
      this.#over.abort();
    });
    this.#work.push(run);
  }
}
