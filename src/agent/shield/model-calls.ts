/**
 * The calls that are at the model or wait for it. Each ends within the time limit. Who asks what somebody is asking
 * already, and may get the same answer, waits for that one.
 */
import type { Clock } from '../../kernel/clock.ts';
import { Admission } from './admission.ts';
import { mayBeShared } from './answer-cache.ts';
import type { Timer } from './timer.ts';
import { type Answer, type Asked, type askModel, Cut, type Upstream } from './upstream.ts';

export interface ModelCallsOptions {
  readonly timeLimitMs: number;
  readonly maxInFlight: number;
  readonly maxQueued: number;
  readonly queueTimeMs: number;
  /** Where the model is; undefined while there is none. */
  readonly upstream: () => Upstream | undefined;
  /** How the model is asked. */
  readonly askModel: typeof askModel;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly timer: Timer;
  /** Told when the model is asked. What it returns is told the answer; undefined where nobody waited for it. */
  readonly launched?: (asked: Asked) => ((answer: Answer | undefined) => void) | undefined;
  /** Told of an answer that others may get as well, and when the model was asked for it. */
  readonly shareable?: (key: string, answer: Extract<Answer, { kind: 'whole' }>, askedAt: number) => void;
}

/** @param shared the model was asked by somebody else */
export type Told = (answer: Answer, shared: boolean) => void;

interface Flight {
  readonly asked: Asked;
  readonly key: string | undefined;
  readonly askedAt: number;
  /** The first one is who began it. */
  readonly waiting: Set<Told>;
  /** Breaks the call off that is at the model. */
  abort?: (cut: Cut) => void;
  observe?: ((answer: Answer | undefined) => void) | undefined;
  landed: boolean;
  /** It holds a place at the model. */
  seated: boolean;
  callOff: (() => void)[];
}

export class ModelCalls {
  readonly #options: ModelCallsOptions;
  readonly #admission: Admission<Flight>;
  readonly #open = new Set<Flight>();
  readonly #byKey = new Map<string, Flight>();

  constructor(options: ModelCallsOptions) {
    this.#options = options;
    this.#admission = new Admission(options.maxInFlight, options.maxQueued);
  }

  get inFlight(): number {
    return this.#admission.inFlight;
  }

  get queued(): number {
    return this.#admission.queued;
  }

  /**
   * @param key who asks under the same one gets the same answer, where that is allowed; undefined: nobody does
   * @param begunAt from when on the time limit counts
   * @returns leaves; nothing is told any more, and what flows is cut off
   */
  ask(asked: Asked, key: string | undefined, told: Told, begunAt = this.#options.clock.monotonic()): () => void {
    const joined = key === undefined ? undefined : this.#byKey.get(key);
    if (joined !== undefined) {
      // It may turn out to be the first one's alone; then the model is asked again.
      let leave = () => this.#leave(joined, join);
      const join: Told = (answer, shared) => {
        if (isForAll(answer)) told(answer, shared);
        else leave = this.ask(asked, undefined, told, begunAt);
      };
      joined.waiting.add(join);
      return () => leave();
    }
    const flight = this.#begin(asked, key, told, begunAt);
    return () => this.#leave(flight, told);
  }

  /** Ends every call, whatever it is at. */
  endAll(cut: Cut): void {
    for (const flight of this.#open) this.#break(flight, cut);
  }

  #begin(asked: Asked, key: string | undefined, told: Told, begunAt: number): Flight {
    const { timer, clock, timeLimitMs, queueTimeMs } = this.#options;
    const leftMs = Math.max(0, begunAt + timeLimitMs - clock.monotonic());
    const flight: Flight = {
      ...{ asked, key, askedAt: clock.monotonic(), waiting: new Set([told]) },
      ...{ landed: false, seated: false, callOff: [] },
    };
    this.#open.add(flight);
    if (key !== undefined) this.#byKey.set(key, flight);
    flight.callOff.push(
      timer.after(leftMs, () => this.#break(flight, new Cut('timeout', `no whole answer within ${timeLimitMs} ms`))),
    );
    const verdict = this.#admission.ask(flight);
    if (verdict === 'enter') this.#launch(flight);
    else if (verdict === 'refuse') {
      const { inFlight, queued } = this.#admission;
      this.#break(flight, new Cut('rejected', `${inFlight} calls are in flight and ${queued} wait`));
    } else {
      const waited = () => this.#break(flight, new Cut('rejected', `no place within ${queueTimeMs} ms`));
      flight.callOff.push(timer.after(queueTimeMs, () => flight.seated || waited()));
    }
    return flight;
  }

  #launch(flight: Flight): void {
    flight.seated = true;
    const upstream = this.#options.upstream();
    if (upstream === undefined) {
      this.#break(flight, new Cut('unavailable', 'there is no model that answers'));
      return;
    }
    flight.observe = this.#options.launched?.(flight.asked);
    flight.abort = this.#options.askModel(upstream, flight.asked, (answer) => this.#land(flight, answer));
  }

  #land(flight: Flight, answer: Answer): void {
    if (flight.landed) return;
    flight.landed = true;
    flight.observe?.(answer);
    flight.observe = undefined;
    if (flight.key !== undefined && this.#byKey.get(flight.key) === flight) this.#byKey.delete(flight.key);
    if (answer.kind === 'flowing') answer.rest.once('close', () => this.#end(flight));
    else this.#end(flight);
    if (flight.key !== undefined && answer.kind === 'whole' && mayBeShared(answer)) {
      this.#options.shareable?.(flight.key, answer, flight.askedAt);
    }
    let shared = false;
    for (const told of [...flight.waiting]) {
      told(answer, shared);
      shared = true;
    }
  }

  #break(flight: Flight, cut: Cut): void {
    this.#admission.withdraw(flight);
    const { result, message: why } = cut;
    // Before the abort, which tells the model's end of it.
    if (!flight.landed && result !== 'gone' && result !== 'answered' && result !== 'cached') {
      this.#land(flight, { kind: 'failed', failure: result, why });
    }
    flight.abort?.(cut);
    this.#end(flight);
  }

  #leave(flight: Flight, told: Told): void {
    flight.waiting.delete(told);
    if (flight.waiting.size === 0 && this.#open.has(flight)) this.#break(flight, new Cut('gone', 'the client left'));
  }

  #end(flight: Flight): void {
    if (!this.#open.delete(flight)) return;
    flight.landed = true;
    flight.observe?.(undefined);
    flight.observe = undefined;
    if (flight.key !== undefined && this.#byKey.get(flight.key) === flight) this.#byKey.delete(flight.key);
    for (const callOff of flight.callOff) callOff();
    if (!flight.seated) return;
    const next = this.#admission.leave();
    if (next !== undefined) this.#launch(next);
  }
}

function isForAll(answer: Answer): boolean {
  return answer.kind === 'failed' || (answer.kind === 'whole' && (answer.status !== 200 || mayBeShared(answer)));
}
