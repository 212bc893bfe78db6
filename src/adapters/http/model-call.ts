/**
 * A GET of a model, as Stellar's HTTP client makes it: connections are kept and redirects are followed; but with a limit
 * of time and of bytes, which Stellar does not have.
 */
import { MaasError } from '../../contracts/errors.ts';
import { messageOf } from '../../kernel/message-of.ts';
import { bytesUpTo, discardBody } from './body.ts';
import { CallTime } from './call-time.ts';
import { exchange, type HttpAnswer } from './exchange.ts';
import { HttpFailure } from './failure.ts';
import { DirectConnections } from './route.ts';

export interface CallBounds {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export type CallOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: Uint8Array;
      /** There was more of it than was wanted. */
      readonly cut: boolean;
      /** From the request to the last byte that was read. */
      readonly ms: number;
    }
  | {
      /**
       * `unreached`: no connection, or nobody could ask. `dropped`: the connection ended without an answer, or within
       * it. `late`: no answer in time. `lost`: redirected in a circle, or too often.
       */
      readonly kind: 'unreached' | 'dropped' | 'late' | 'lost';
      readonly problem: string;
      readonly ms: number;
    };

const maxRedirects = 50;
const redirects: readonly number[] = [301, 302, 303, 307];

/** How a request gets to the model. @throws HttpFailure; MaasError where nobody could ask it */
export type Ask = (url: string, signal: AbortSignal) => Promise<HttpAnswer>;

export function modelConnections(userAgent: string): Ask {
  const connections = new DirectConnections();
  return (url, signal) => {
    const at = new URL(url);
    const { route } = connections.to(at);
    const headers = { Accept: 'application/json', 'User-Agent': userAgent };
    return exchange({ method: 'GET', route, path: rawPath(url), headers, signal });
  };
}

/** Path and query as they are written: a URL that is read resolves dots. */
export function rawPath(url: string): string {
  return /^[^:]+:\/\/[^/?]*(.*)$/s.exec(url)?.[1] ?? '/';
}

/** Throws the reason of the given signal, and MaasErrors of `ask`. */
export async function callModel(
  ask: Ask,
  url: string,
  { timeoutMs, maxBytes, signal }: CallBounds,
): Promise<CallOutcome> {
  const begin = performance.now();
  const time = new CallTime(timeoutMs, signal);
  const ms = () => performance.now() - begin;
  try {
    const answer = await askFollowing(ask, url, time.signal);
    if (typeof answer === 'string') return { kind: 'lost', problem: answer, ms: ms() };
    const body = await bytesUpTo(answer, maxBytes + 1, time.signal);
    const cut = body.length > maxBytes;
    return { kind: 'answered', status: answer.status, body: body.subarray(0, maxBytes), cut, ms: ms() };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof MaasError) throw error;
    if (time.signal.aborted) return { kind: 'late', problem: messageOf(time.signal.reason), ms: ms() };
    const problem = messageOf(error);
    return { kind: error instanceof HttpFailure && error.reached ? 'dropped' : 'unreached', problem, ms: ms() };
  } finally {
    time.end();
  }
}

/** The answer that is none of these redirects, or what is wrong with them. */
async function askFollowing(ask: Ask, url: string, signal: AbortSignal): Promise<HttpAnswer | string> {
  const seen = new Set([url]);
  for (let at = url; ; ) {
    const answer = await ask(at, signal);
    const { location } = answer.headers;
    if (!redirects.includes(answer.status) || location === undefined) return answer;
    await discardBody(answer);
    const next = URL.parse(location, at);
    if (next === null || !/^https?:$/.test(next.protocol)) return 'it is redirected to what is no URL';
    next.hash = '';
    at = next.href;
    if (seen.has(at)) return 'it is redirected in a circle';
    if (seen.size > maxRedirects) return `it is redirected more than ${maxRedirects} times`;
    seen.add(at);
  }
}
