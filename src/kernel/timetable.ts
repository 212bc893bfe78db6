/**
 * Keys that become due, each at a time of its own: however many there are, one of them costs little to put in, and
 * nothing is done before the next one is due.
 */
import type { Clock } from './clock.ts';

/** Timers hold no more than 24 days; a longer wait is taken in pieces. */
const longestSleepMs = 3_600_000;

interface Entry {
  readonly key: string;
  readonly at: number;
  /** Of two for the same time, the one that was put in first is due first. */
  readonly turn: number;
}

export class Timetable {
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly #due: (key: string, at: number) => void;
  readonly #byKey = new Map<string, Entry>();
  /** A heap, the earliest first. What `#byKey` does not know any more is passed over. */
  readonly #heap: Entry[] = [];
  #turns = 0;
  #alarm: { readonly at: number; readonly abort: AbortController } | undefined;
  #stopped = false;

  /** @param due told of each key when its time has come, the earliest first; must not throw */
  constructor(clock: Pick<Clock, 'monotonic' | 'sleep'>, due: (key: string, at: number) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** When a key is due, on the monotonic clock. */
  at(key: string): number | undefined {
    return this.#byKey.get(key)?.at;
  }

  /** In the place of what was said of this key before. Nothing is ever due within this call. */
  set(key: string, at: number): void {
    if (this.#stopped || this.#byKey.get(key)?.at === at) return;
    const entry = { key, at, turn: this.#turns++ };
    this.#byKey.set(key, entry);
    // What was put off or taken out stays in the heap until its time; so much of that is too much.
    if (this.#heap.length > 2 * this.#byKey.size + 64) this.#rebuild();
    else this.#push(entry);
    this.#setAlarm();
  }

  delete(key: string): void {
    this.#byKey.delete(key);
  }

  /** Nothing is due any more. */
  stop(): void {
    this.#stopped = true;
    this.#byKey.clear();
    this.#heap.length = 0;
    this.#alarm?.abort.abort();
  }

  #setAlarm(): void {
    const [first] = this.#heap;
    if (first === undefined || this.#stopped) return;
    const { at } = first;
    if (this.#alarm !== undefined) {
      if (this.#alarm.at <= at) return;
      this.#alarm.abort.abort();
    }
    const abort = new AbortController();
    this.#alarm = { at, abort };
    const ms = Math.min(Math.max(0, at - this.#clock.monotonic()), longestSleepMs);
    this.#clock.sleep(ms, abort.signal).then(
      () => {
        if (!abort.signal.aborted) this.#ring();
      },
      () => {},
    );
  }

  #ring(): void {
    this.#alarm = undefined;
    const now = this.#clock.monotonic();
    // What is put in meanwhile, for now, has its turn at the next ring: somebody else shall get to act in between.
    const turns = this.#turns;
    const later: Entry[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#byKey.get(first.key) !== first) continue;
      if (first.turn >= turns) {
        later.push(first);
        continue;
      }
      this.#byKey.delete(first.key);
      this.#due(first.key, first.at);
    }
    for (const entry of later) this.#push(entry);
    this.#setAlarm();
  }

  #rebuild(): void {
    this.#heap.length = 0;
    for (const entry of this.#byKey.values()) this.#push(entry);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = entry;
  }

  /** Takes the first one out. */
  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const [left, right] = [heap[2 * place + 1], heap[2 * place + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, last)) break;
      heap[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
    heap[place] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.turn < other.turn);
}
