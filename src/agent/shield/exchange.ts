/** One call of a client: what it is given, and what came of that. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Failure, isError, type Result } from '../../contracts/call-results.ts';
import { shieldErrorHeader } from '../../contracts/pod-contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/message-of.ts';
import type { AnswerCache, KeptAnswer } from './answer-cache.ts';
import { cacheKey } from './answer-cache.ts';
import type { ModelCalls } from './model-calls.ts';
import { type Call, callOf } from './request-of.ts';
import { inPlaceOf, translate } from './translation.ts';
import { type Answer, Cut } from './upstream.ts';

export interface ExchangeOptions {
  readonly calls: ModelCalls;
  readonly cache: AnswerCache | undefined;
  readonly onError: 'NoContent' | 'Close';
  /** Of the model; what redirects may name by mistake. */
  readonly modelPort: () => number;
  /** The instance is to be left: connections end with what they are at. */
  readonly leaving: () => boolean;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Told once for each call. `why`: in words, where it is an error. */
  readonly ended: (result: Result, ms: number, about: { readonly path: string; readonly why?: string }) => void;
}

export function exchange(options: ExchangeOptions, request: IncomingMessage, response: ServerResponse): void {
  new Exchange(options, request, response).serve();
}

class Exchange {
  readonly #options: ExchangeOptions;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #begunAt: number;
  #over = false;
  #leave: (() => void) | undefined;

  constructor(options: ExchangeOptions, request: IncomingMessage, response: ServerResponse) {
    this.#options = options;
    this.#request = request;
    this.#response = response;
    this.#begunAt = options.clock.monotonic();
  }

  serve(): void {
    const { calls, cache } = this.#options;
    // What becomes of a connection is told by its end.
    for (const side of [this.#request, this.#response]) side.on('error', () => undefined);
    this.#response.on('close', () => {
      if (this.#over) return;
      this.#end('gone');
      this.#leave?.();
    });
    const call = callOf(this.#request);
    if (call === undefined) {
      this.#fail('GET', 'closed', 'the request asks for another server');
      return;
    }
    const key = cache === undefined ? undefined : cacheKey(call);
    const kept = key === undefined ? undefined : cache?.get(key, this.#begunAt);
    if (kept !== undefined) {
      this.#sendKept(kept);
      return;
    }
    this.#leave = calls.ask(call, key, (answer, shared) => this.#told(call, answer, shared), this.#begunAt);
  }

  #told(call: Call, answer: Answer, shared: boolean): void {
    if (this.#over) return;
    try {
      this.#answer(call, answer, shared);
    } catch (error) {
      // A status or a header that Node reads and does not write.
      if (answer.kind === 'flowing') answer.rest.destroy();
      this.#end('closed', `the answer cannot be passed on: ${messageOf(error)}`);
      this.#response.destroy();
    }
  }

  #answer(call: Call, answer: Answer, shared: boolean): void {
    if (answer.kind === 'failed') {
      this.#fail(call.method, answer.failure, answer.why);
      return;
    }
    const translated = translate(call, answer, this.#options.modelPort());
    if (!translated.pass) {
      if (answer.kind === 'flowing') answer.rest.destroy();
      const said = answer.kind === 'whole' ? answer.body : answer.begun;
      this.#fail(call.method, 'status', translated.why, said.toString('utf8', 0, 200));
      return;
    }
    const { status, headers, bodiless } = translated;
    if (answer.kind === 'whole') {
      this.#send(status, headers, bodiless || call.method === 'HEAD' ? undefined : answer.body);
      this.#end(shared ? 'cached' : 'answered');
    } else if (bodiless) {
      answer.rest.destroy();
      this.#send(status, headers, undefined);
      this.#end('answered');
    } else this.#stream(status, headers, answer);
  }

  #sendKept({ headers, body }: KeptAnswer): void {
    this.#send(200, headers, body);
    this.#end('cached');
  }

  #send(status: number, headers: readonly string[], body: Uint8Array | undefined): void {
    this.#mayLeave();
    const length = body === undefined || hasLength(headers) ? [] : ['Content-Length', String(body.length)];
    this.#response.writeHead(status, [...headers, ...length]);
    this.#response.end(body);
  }

  #stream(status: number, headers: string[], { begun, rest }: Extract<Answer, { kind: 'flowing' }>): void {
    this.#mayLeave();
    const response = this.#response;
    response.writeHead(status, headers);
    response.write(begun);
    rest.on('end', () => this.#end('answered'));
    rest.on('error', (error) => this.#breakOff(error));
    rest.on('close', () => this.#breakOff(new Cut('closed', 'the connection ended within the answer')));
    this.#leave = () => rest.destroy();
    rest.pipe(response);
  }

  /** All that is left to say is that the answer is not whole, and only the connection's end says that. */
  #breakOff(error: unknown): void {
    if (this.#over) return;
    this.#end(error instanceof Cut ? error.result : 'closed', error instanceof Error ? error.message : undefined);
    this.#response.destroy();
  }

  #fail(method: string, failure: Failure, why: string, said?: string): void {
    const place = inPlaceOf(failure, method, this.#options.onError);
    if (place === 'close') this.#response.destroy();
    else {
      this.#mayLeave();
      const length = place.status === 204 ? [] : ['Content-Length', '0'];
      this.#response.writeHead(place.status, [shieldErrorHeader, headerText(why), ...length]);
      this.#response.end();
    }
    this.#end(failure, said === undefined || said === '' ? why : `${why}: ${said}`);
  }

  #mayLeave(): void {
    if (this.#options.leaving()) this.#response.shouldKeepAlive = false;
  }

  #end(result: Result, why?: string): void {
    if (this.#over) return;
    this.#over = true;
    const ms = this.#options.clock.monotonic() - this.#begunAt;
    const [path = ''] = (this.#request.url ?? '').split('?', 1);
    this.#options.ended(result, ms, { path, ...(isError(result) && why !== undefined ? { why } : {}) });
  }
}

function hasLength(headers: readonly string[]): boolean {
  return headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-length');
}

/** What a header line can hold. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
