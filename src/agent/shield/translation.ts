/**
 * What of a model's answer goes to a client, and what a client gets in place of one that it would not survive.
 *
 * Stellar's client (test/integration/stellar-calls.test.ts) reads a 200. Any other status whose answer has an entity,
 * be it empty, costs it the thread's only connection, and with it every model; 204 and 304 have none. Redirects it
 * follows. A connection that is closed before the answer's head it opens again, up to three times and at once; one that
 * is closed within a body costs this call alone.
 */

import type { Failure } from '../../contracts/call-results.ts';
import { isLocalHost } from '../../wire/local-host.ts';
import { endToEnd, headerOf, type RawHeaders } from './headers.ts';

export interface AskedFor {
  readonly method: string;
  /** What the client called: the value of `Host`. */
  readonly host: string | undefined;
  readonly path: string;
}

export interface AnswerHead {
  readonly status: number;
  readonly headers: RawHeaders;
}

export type Translated =
  | { readonly pass: true; readonly status: number; readonly headers: string[]; readonly bodiless: boolean }
  | { readonly pass: false; readonly why: string };

const redirects = new Set([301, 302, 303, 307, 308]);

/** @param modelPort the model's own port, to which a redirect may point by mistake */
export function translate(asked: AskedFor, { status, headers }: AnswerHead, modelPort: number): Translated {
  const passed = endToEnd(headers);
  if (status === 200 || !isStellars(asked.method)) return { pass: true, status, headers: passed, bodiless: false };
  if (status === 204 || status === 304) {
    return { pass: true, status, headers: endToEnd(headers, 'content-length'), bodiless: true };
  }
  if (redirects.has(status)) return redirect(asked, { status, headers }, modelPort);
  return { pass: false, why: `the model answered ${status}` };
}

/** Other programs use other methods, and read other statuses. */
export function isStellars(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Only to the model itself: elsewhere nothing stands before what comes next. */
function redirect(asked: AskedFor, { status, headers }: AnswerHead, modelPort: number): Translated {
  const location = headerOf(headers, 'location');
  if (location === undefined) return { pass: false, why: `the model answered ${status} without a Location` };
  const here = URL.parse(`http://${asked.host ?? 'localhost'}`);
  const target = here === null ? null : URL.parse(location, URL.parse(asked.path, here.href)?.href ?? here.href);
  if (target === null || here === null || !isHome(target, here, modelPort))
    return { pass: false, why: `the model answered ${status}, to another server` };
  return {
    pass: true,
    // The client does not know 308.
    status: status === 308 ? 307 : status,
    headers: [
      ...endToEnd(headers, 'location', 'content-length', 'content-type', 'content-encoding'),
      ...['Location', `${target.pathname}${target.search}${target.hash}`],
      ...['Content-Length', '0'],
    ],
    bodiless: true,
  };
}

/** The server that was called, or the model as it calls itself. */
function isHome(target: URL, here: URL, modelPort: number): boolean {
  if (target.host === here.host) return true;
  return target.port === String(modelPort) && (target.hostname === here.hostname || isLocalHost(target.hostname));
}

export type InPlace = { readonly status: number } | 'close';

/** For other programs than Stellar: they take 204 for a success. */
const forOthers: Readonly<Record<Failure, number>> = {
  status: 502,
  refused: 502,
  closed: 502,
  timeout: 504,
  rejected: 503,
  restarted: 503,
  unavailable: 503,
};

/** After these, asking again at once only adds to the load. */
const neverAgain: readonly Failure[] = ['timeout', 'rejected'];

/** What a client gets in place of an answer, where nothing of one has been sent. */
export function inPlaceOf(failure: Failure, method: string, onError: 'NoContent' | 'Close'): InPlace {
  if (!isStellars(method)) return { status: forOthers[failure] };
  return onError === 'Close' && !neverAgain.includes(failure) ? 'close' : { status: 204 };
}
