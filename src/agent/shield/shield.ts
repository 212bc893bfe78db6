/**
 * Stands before the model on a port of its own: clients call the shield, and the shield calls the model. It listens
 * before anything is registered, and stops last; what the model does meanwhile it hears from the agent's lifecycle.
 */
import { Agent } from 'node:http';
import { isError, type Result } from '../../contracts/call-results.ts';
import { asMaasError } from '../../contracts/errors.ts';
import type { ShieldInstructions, ShieldStatus } from '../../contracts/pod-contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { pause } from '../../kernel/pause.ts';
import { oneLine } from '../../kernel/shown-text.ts';
import { type EndpointFile, portOf } from '../../wire/endpoint-file.ts';
import { localAddresses } from '../model/local-addresses.ts';
import { AnswerCache } from './answer-cache.ts';
import { Counts } from './counts.ts';
import { ErrorNotes } from './error-notes.ts';
import { exchange } from './exchange.ts';
import { endToEnd } from './headers.ts';
import { shieldMetrics } from './metrics-text.ts';
import { Mirror, type MirrorTarget } from './mirror.ts';
import { ModelCalls } from './model-calls.ts';
import { ShieldServer } from './shield-server.ts';
import type { Timer } from './timer.ts';
import { askModel, Cut, type Upstream } from './upstream.ts';

export interface ShieldOptions {
  readonly instructions: ShieldInstructions;
  readonly model: { readonly name: string; readonly version: string };
  readonly podIp: string;
  /** Ports to listen on, in order of preference. */
  readonly ports: readonly number[];
  /** Told the port before anybody else is. What it settles with is waited for. */
  readonly listening: (port: number) => Promise<void>;
  /** The instances that are mirrored to; asked only where a mirror is wanted. */
  readonly targets: () => readonly MirrorTarget[];
  readonly clock: Clock;
  readonly timer: Timer;
  readonly random: () => number;
  readonly log: Log;
}

/** What a shield has to know of the agent's state. */
export interface ShieldedModel {
  /** Of the model's start; undefined before the first. */
  readonly mark: string | undefined;
  readonly endpoint: EndpointFile | undefined;
  /** It is, or is about to be, registered no more. */
  readonly leaving: boolean;
}

const listenAgainMs = 1_000;
/** What is in flight when the agent ends is given this long. */
const lastCallsMs = 2_000;

export class Shield {
  /** Settles once it listens. */
  readonly port: Promise<number>;
  readonly #options: ShieldOptions;
  readonly #server: ShieldServer;
  readonly #calls: ModelCalls;
  readonly #cache: AnswerCache | undefined;
  readonly #mirror: Mirror | undefined;
  readonly #counts = new Counts();
  readonly #notes = new ErrorNotes();
  readonly #over = new AbortController();
  #model: ShieldedModel = { mark: undefined, endpoint: undefined, leaving: false };
  #upstream: Upstream | undefined;
  #port: number | undefined;
  #lastError: ShieldStatus['lastError'];
  #lastDifference: string | undefined;

  constructor(options: ShieldOptions) {
    const { instructions, clock, timer } = options;
    this.#options = options;
    this.#cache = instructions.cache === undefined ? undefined : new AnswerCache(instructions.cache);
    this.#mirror = this.#mirrorOf();
    this.#calls = new ModelCalls({
      ...instructions,
      upstream: () => this.#upstream,
      ...{ askModel, clock, timer },
      launched: (asked) => {
        const copied = this.#mirror?.copy(asked);
        return (answer) => {
          if (answer !== undefined && answer.kind !== 'failed') this.#counts.code(answer.status);
          copied?.(answer);
        };
      },
      shareable: (key, { headers, body }, askedAt) =>
        this.#cache?.put(key, { headers: endToEnd(headers), body }, askedAt),
    });
    const exchanges = {
      calls: this.#calls,
      cache: this.#cache,
      onError: instructions.onError,
      modelPort: () => this.#upstream?.port ?? 0,
      leaving: () => this.#model.leaving,
      clock,
      ended: (result: Result, ms: number, about: { path: string; why?: string }) => this.#ended(result, ms, about),
    };
    this.#server = new ShieldServer(
      (request, response) => exchange(exchanges, request, response),
      instructions.timeLimitMs,
    );
    this.port = this.#listen();
  }

  /** To be told whenever something of it has changed. */
  follow(model: ShieldedModel): void {
    const before = this.#model;
    this.#model = model;
    const restarted = before.mark !== undefined && before.mark !== model.mark;
    if (restarted || portAt(before) !== portAt(model)) this.#meet(model);
    if (model.leaving && !before.leaving) this.#server.leave();
  }

  status(): ShieldStatus {
    const { inFlight, queued } = this.#calls;
    const { requests, errors } = this.#counts;
    const cache = this.#cache;
    return {
      ...(this.#port === undefined ? {} : { port: this.#port }),
      ...{ inFlight, queued, requests, errors },
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      recent: this.#counts.recent.at(this.#options.clock.monotonic()),
      ...(cache === undefined
        ? {}
        : { cache: { entries: cache.entries, bytes: cache.bytes, served: this.#counts.of('cached') } }),
      ...(this.#mirror === undefined
        ? {}
        : {
            mirror: {
              targets: this.#options.targets().length,
              ...this.#mirror.counts,
              ...(this.#lastDifference === undefined ? {} : { lastDifference: this.#lastDifference }),
            },
          }),
    };
  }

  metrics(): string {
    const { model, instructions } = this.#options;
    return shieldMetrics({
      ...{ model: model.name, version: model.version, instructions },
      ...{ counts: this.#counts, inFlight: this.#calls.inFlight, queued: this.#calls.queued },
      ...{ connections: this.#server.connections, cache: this.#cache, mirror: this.#mirror?.counts },
    });
  }

  /** Takes nothing new, lets what is in flight end within a bounded time, and is gone. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    this.#over.abort();
    this.#model = { ...this.#model, leaving: true };
    const closed = this.#server.close();
    this.#server.leave();
    await Promise.race([closed, clock.sleep(lastCallsMs)]);
    this.#calls.endAll(new Cut('unavailable', 'the agent ends'));
    this.#server.closeAll();
    this.#mirror?.close();
    this.#upstream?.agent.destroy();
  }

  /** Nothing of the model before is kept, or waited for. */
  #meet({ endpoint }: ShieldedModel): void {
    const { podIp, instructions } = this.#options;
    this.#cache?.clear();
    this.#upstream?.agent.destroy();
    this.#upstream =
      endpoint === undefined
        ? undefined
        : {
            host: 'localhost',
            port: portOf(endpoint),
            lookup: localAddresses(podIp),
            agent: new Agent({ keepAlive: true, maxFreeSockets: instructions.maxInFlight, scheduling: 'lifo' }),
          };
    this.#calls.endAll(new Cut('restarted', 'the model was started anew'));
  }

  #ended(result: Result, ms: number, { path, why = result }: { path: string; why?: string }): void {
    const { clock, log } = this.#options;
    this.#counts.ended(result, ms, clock.monotonic());
    if (!isError(result)) return;
    // Whoever does not listen may be another one when it does again.
    if (result === 'refused') this.#cache?.clear();
    const message = oneLine(why, 300);
    this.#lastError = { at: new Date(clock.now()).toISOString(), result, message };
    const untold = this.#notes.note(result, clock.monotonic());
    if (untold === undefined) return;
    log.warn({ result, path: oneLine(path, 200), why: message, like: untold }, 'a call to the model failed');
  }

  #mirrorOf(): Mirror | undefined {
    const { instructions, targets, timer, random, log } = this.#options;
    if (instructions.mirror === undefined) return undefined;
    const { version, percent } = instructions.mirror;
    return new Mirror({
      ...{ percent, timeLimitMs: instructions.timeLimitMs, targets, timer, random },
      own: () => this.#model.endpoint,
      differed: (what) => {
        this.#lastDifference = oneLine(what, 500);
        log.debug({ version, what: this.#lastDifference }, 'another version answers something else');
      },
    });
  }

  /** Never settles where it is closed before a port is free. */
  async #listen(): Promise<number> {
    const { ports, listening, clock, log } = this.#options;
    while (!this.#over.signal.aborted) {
      try {
        const port = await this.#server.listen(ports);
        if (port !== undefined) {
          await listening(port);
          this.#port = port;
          log.info({ port }, 'the shield listens');
          return port;
        }
        log.warn({ ports }, 'no port is free for the shield');
      } catch (error) {
        log.warn({ err: asMaasError(error) }, 'the shield could not listen');
      }
      await pause(clock, listenAgainMs, this.#over.signal);
    }
    return new Promise(() => {});
  }
}

function portAt({ endpoint }: ShieldedModel): number | undefined {
  return endpoint === undefined ? undefined : portOf(endpoint);
}
