/**
 * Calls to the API server with their repetitions, all within the deadline of the first. Reads are repeated after a reset
 * connection; writes never are, because nobody knows whether they were done; a 429 was not executed and is repeated
 * after the time that the server names.
 */
import type { Clock } from '../../kernel/clock.ts';
import { HttpFailure } from '../http/failure.ts';
import { type ApiStatus, type Attempt, meansAbsent, readStatus, refusalOf, unreachable } from './api-status.ts';
import type { ApiCall, ApiResponse, Transport } from './transport.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default 15 s; for lists 30 s a page. */
  readonly deadlineMs?: number;
}

const readAttempts = 3;
const busyAttempts = 4;
/** Without a Retry-After, and the most that one is obeyed in a single wait. */
const busyWaitMs = 1_000;
const longestBusyWaitMs = 10_000;

export class ApiCalls {
  readonly #transport: Transport;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly #random: () => number;

  constructor(transport: Transport, clock: Pick<Clock, 'monotonic' | 'sleep'>, random: () => number) {
    this.#transport = transport;
    this.#clock = clock;
    this.#random = random;
  }

  /** The JSON of a success. @throws MaasError CLUSTER_*, CONFLICT */
  async json(attempt: Attempt, call: ApiCall): Promise<unknown> {
    const response = await this.#send(attempt, call);
    if (!isSuccess(response)) throw refusalOf(attempt, statusOf(response));
    return parse(attempt, response.text);
  }

  /** The same; undefined where there is no such object. @throws MaasError CLUSTER_*, CONFLICT */
  async jsonIfPresent(attempt: Attempt, call: ApiCall): Promise<unknown> {
    const response = await this.#send(attempt, call);
    if (isSuccess(response)) return parse(attempt, response.text);
    const status = statusOf(response);
    if (meansAbsent(status)) return undefined;
    throw refusalOf(attempt, status);
  }

  /** The text of a success. @throws MaasError CLUSTER_*, CONFLICT */
  async text(attempt: Attempt, call: ApiCall): Promise<string> {
    const response = await this.#send(attempt, call);
    if (!isSuccess(response)) throw refusalOf(attempt, statusOf(response));
    return response.text;
  }

  async #send(attempt: Attempt, call: ApiCall): Promise<ApiResponse> {
    const end = this.#clock.monotonic() + call.deadlineMs;
    const failed = { resets: 0, refusals: 0 };
    const unanswered = (error: unknown) => unreachable(attempt, this.#transport.address(), error);
    for (;;) {
      const deadlineMs = Math.max(1, Math.ceil(end - this.#clock.monotonic()));
      const outcome = await this.#transport.request({ ...call, deadlineMs }).catch((error: unknown) => ({ error }));
      const waitMs = this.#waitMs(call, outcome, failed);
      if (waitMs === undefined || this.#clock.monotonic() + waitMs >= end) {
        if ('error' in outcome) throw unanswered(outcome.error);
        return outcome;
      }
      await this.#clock.sleep(waitMs, call.signal).catch((error: unknown) => {
        throw unanswered(error);
      });
    }
  }

  /** Before the call is repeated; undefined where it is not. */
  #waitMs(
    { method }: ApiCall,
    outcome: ApiResponse | { readonly error: unknown },
    failed: { resets: number; refusals: number },
  ): number | undefined {
    if ('error' in outcome) {
      const { error } = outcome;
      const again = method === 'GET' && error instanceof HttpFailure && error.reset;
      if (!again || ++failed.resets >= readAttempts) return undefined;
      return 100 * failed.resets * (1 + this.#random());
    }
    if (outcome.status !== 429 || ++failed.refusals >= busyAttempts) return undefined;
    return Math.min(statusOf(outcome).retryAfterMs ?? busyWaitMs, longestBusyWaitMs) * (1 + this.#random() / 4);
  }
}

function isSuccess({ status }: ApiResponse): boolean {
  return status >= 200 && status <= 299;
}

function statusOf(response: ApiResponse): ApiStatus {
  return readStatus(response.status, response.text, response.headers['retry-after']);
}

function parse(attempt: Attempt, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refusalOf(attempt, readStatus(502, `the answer is not JSON: ${String(cause)}`));
  }
}
