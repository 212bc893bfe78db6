/**
 * One call to the model, over connections that are kept. Its answer is held back until it is whole or too large for
 * that: what a model breaks off early can then be answered in its place, and most answers go out in one piece.
 */
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { type Failure, isError, type Result } from '../../contracts/call-results.ts';
import { messageOf } from '../../kernel/message-of.ts';
import type { RawHeaders } from './headers.ts';
import { isStellars } from './translation.ts';

/** Larger answers flow, and are never kept. */
export const heldBytes = 65_536;
/** Of an answer's head; clients bear with more than Node does by itself. */
const largestHeadBytes = 65_536;

export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly agent: Agent;
  readonly lookup?: LookupFunction;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: RawHeaders;
  readonly body?: Readable;
}

export type Answer =
  | { readonly kind: 'whole'; readonly status: number; readonly headers: RawHeaders; readonly body: Buffer }
  | {
      readonly kind: 'flowing';
      readonly status: number;
      readonly headers: RawHeaders;
      /** What has come so far. */
      readonly begun: Buffer;
      /** Paused. Ends, or fails with a Cut. */
      readonly rest: Readable;
    }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly why: string };

/** Why an answer that flows was cut off. */
export class Cut extends Error {
  readonly result: Result;

  constructor(result: Result, why: string) {
    super(why);
    this.result = result;
  }
}

/**
 * @param answered told once
 * @returns breaks the call off; if it was answered already, only what flows
 */
export function askModel(upstream: Upstream, asked: Asked, answered: (answer: Answer) => void): (cut: Cut) => void {
  return new UpstreamCall(upstream, asked, answered).abort;
}

class UpstreamCall {
  readonly #upstream: Upstream;
  readonly #asked: Asked;
  #answered: ((answer: Answer) => void) | undefined;
  #call: ClientRequest | undefined;
  #response: IncomingMessage | undefined;

  constructor(upstream: Upstream, asked: Asked, answered: (answer: Answer) => void) {
    this.#upstream = upstream;
    this.#asked = asked;
    this.#answered = answered;
    this.#send(upstream.agent);
  }

  readonly abort = (cut: Cut): void => {
    if (isError(cut.result)) this.#fail(cut.result, cut.message);
    this.#answered = undefined;
    if (this.#response === undefined) this.#call?.destroy();
    else this.#response.destroy(cut);
  };

  #send(agent: Agent | false): void {
    const { host, port, lookup } = this.#upstream;
    const { method, path, headers, body } = this.#asked;
    let call: ClientRequest;
    try {
      call = request({
        ...{ host, port, agent, method, path, headers, setHost: false, maxHeaderSize: largestHeadBytes },
        ...(lookup === undefined ? {} : { lookup, autoSelectFamily: true }),
      });
    } catch (error) {
      // A request line that Node's client does not send, though its server took it. Told like all else, afterwards.
      process.nextTick(() => this.#fail('closed', `the request cannot be passed on: ${messageOf(error)}`));
      return;
    }
    this.#call = call;
    call.on('response', (response) => this.#receive(response));
    call.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      this.#fail('status', `the model answered ${statusCode}`);
    });
    // Whatever ends a call without an answer, nobody waits for it any longer.
    call.on('close', () => {
      if (this.#call === call && this.#response === undefined)
        this.#fail('closed', 'the connection ended without an answer');
    });
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#answered === undefined || this.#response !== undefined) return;
      // The model closed a kept connection just when it was used again, or would have been asked again by the client.
      if (agent !== false && isStellars(method) && wasDropped(error)) this.#send(false);
      else this.#fail(failureOf(error), messageOf(error));
    });
    if (body === undefined) call.end();
    else body.pipe(call);
  }

  #receive(response: IncomingMessage): void {
    this.#response = response;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const more = (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= heldBytes) return;
      response.pause();
      response.off('data', more);
      this.#answer({ ...headOf(response), kind: 'flowing', begun: Buffer.concat(chunks), rest: response });
    };
    response.on('data', more);
    response.on('end', () => {
      const [only] = chunks;
      const body = only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
      this.#answer({ ...headOf(response), kind: 'whole', body });
    });
    response.on('error', (error) => this.#fail('closed', messageOf(error)));
    response.on('close', () => this.#fail('closed', 'the connection ended within the answer'));
  }

  #answer(answer: Answer): void {
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(answer);
  }

  #fail(failure: Failure, why: string): void {
    this.#answer({ kind: 'failed', failure, why });
  }
}

function headOf(response: IncomingMessage): { status: number; headers: RawHeaders } {
  return { status: response.statusCode ?? 0, headers: response.rawHeaders };
}

function wasDropped({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function failureOf(error: NodeJS.ErrnoException): Failure {
  return error.syscall === 'connect' || error instanceof AggregateError ? 'refused' : 'closed';
}
