/**
 * The log of one container of a pod for as long as there is the pod: over restarts of the container, and over broken
 * connections without a line lost or said twice.
 */
import { hasCode } from '../../contracts/errors.ts';
import { Bell } from '../../kernel/bell.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { InstanceReader } from '../ports.ts';
import type { ContainerFacts } from '../why/pod-facts.ts';

export interface Followed {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Lines to begin with; all where undefined. */
  readonly tail: number | undefined;
}

/** `gone`: the pod is. `unknown`: it has not told of the container yet. */
export type Present = ContainerFacts | 'gone' | 'unknown';

/** Between two looks at a container of which nothing is heard. */
const againMs = 1_000;

export class InstanceFollower {
  readonly #reader: Pick<InstanceReader, 'followLog'>;
  readonly #what: Followed;
  readonly #tell: (line: string) => void;
  readonly #until: AbortSignal;
  readonly #changed: Bell;
  #present: Present;
  /** When the last line was printed that was told. */
  #last: string | undefined;
  #isFirst = true;

  constructor(
    reader: Pick<InstanceReader, 'followLog'>,
    what: Followed,
    present: Present,
    ports: { readonly tell: (line: string) => void; readonly clock: Pick<Clock, 'sleep'>; readonly until: AbortSignal },
  ) {
    this.#reader = reader;
    this.#what = what;
    this.#present = present;
    this.#tell = ports.tell;
    this.#until = ports.until;
    this.#changed = new Bell(ports.clock, ports.until);
  }

  /** What is known of the container now. */
  heard(present: Present): void {
    this.#present = present;
    this.#changed.ring();
  }

  /** Ends when the pod is gone, or the signal fires. @throws MaasError CLUSTER_FORBIDDEN, CLUSTER_UNAUTHENTICATED */
  async run(): Promise<void> {
    /** The start whose log was read to its end. */
    let read = -1;
    while (!this.#until.aborted && this.#present !== 'gone') {
      const is = this.#present;
      if (is === 'unknown' || is.state === 'waiting' || is.restarts === read) {
        await this.#changed.wait();
        continue;
      }
      // What was said of it before it was read: it may end meanwhile, and is then read once more.
      const hadEnded = is.state === 'terminated';
      if ((await this.#readToItsEnd()) && hadEnded) read = is.restarts;
      else await this.#changed.wait(againMs);
    }
  }

  /** False where it could not be read, or not to its end: the pod tells why. */
  async #readToItsEnd(): Promise<boolean> {
    const { namespace, pod, container, tail } = this.#what;
    const options = this.#last === undefined && this.#isFirst ? { tail } : { since: this.#last };
    try {
      for await (const { at, text } of this.#reader.followLog(namespace, pod, container, options, this.#until)) {
        // A piece of a line without a time of its own belongs to the one before.
        if (at !== '' && this.#last !== undefined && order(at) <= order(this.#last)) continue;
        if (at !== '') this.#last = at;
        this.#tell(text);
      }
      this.#isFirst = false;
      return true;
    } catch (error) {
      if (this.#until.aborted || !hasCode(error, 'CLUSTER_FORBIDDEN', 'CLUSTER_UNAUTHENTICATED')) return false;
      throw error;
    }
  }
}

/** RFC 3339 with as many digits of a second as there are, so that texts compare as times do. */
function order(at: string): string {
  const [, seconds = at, fraction = ''] = /^([^.Z]*)(?:\.(\d+))?/.exec(at) ?? [];
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}
