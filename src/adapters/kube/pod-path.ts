/** What is asked of a pod through the API server: its log, and what answers over HTTP inside it. */
import type { CallOptions } from './api-calls.ts';
import type { Attempt } from './api-status.ts';
import { objectPath, pods } from './resource-kind.ts';
import type { ApiCall } from './transport.ts';

export type PodPath = PodLog | PodProxy;

interface Pod {
  readonly namespace: string;
  readonly name: string;
}

interface PodLog extends Pod {
  readonly of: 'log';
  readonly container: string;
  /** How many of the last lines; all where absent. */
  readonly tail?: number | undefined;
  /** Of the container that ran before the present one. */
  readonly previous?: boolean;
  readonly follow?: boolean;
  /** Each line begins with the time when it was printed. */
  readonly timestamps?: boolean;
  /** RFC 3339: what was printed from then on, in whole seconds. */
  readonly since?: string | undefined;
}

interface PodProxy extends Pod {
  readonly of: 'proxy';
  readonly port: number;
  /** Starts with a slash, already percent-encoded. */
  readonly path: string;
}

const logDeadlineMs = 15_000;
/** Who answers at all does so at once. */
const proxyDeadlineMs = 5_000;

export function podCall(below: PodPath, options: CallOptions): { readonly attempt: Attempt; readonly call: ApiCall } {
  const { namespace, name, of } = below;
  const attempt: Attempt = { verb: 'get', kind: pods, namespace, name, subresource: of };
  const { signal, deadlineMs = of === 'log' ? logDeadlineMs : proxyDeadlineMs } = options;
  const get = { method: 'GET', deadlineMs, signal } as const;
  if (below.of === 'proxy') {
    const path = `${objectPath(pods, { namespace, name: `http:${name}:${below.port}` })}/proxy${below.path}`;
    return { attempt, call: { ...get, path } };
  }
  const query = {
    container: below.container,
    tailLines: below.tail?.toString(),
    previous: below.previous === true ? 'true' : undefined,
    follow: below.follow === true ? 'true' : undefined,
    timestamps: below.timestamps === true ? 'true' : undefined,
    sinceTime: below.since,
  };
  return { attempt, call: { ...get, path: `${objectPath(pods, { namespace, name })}/log`, query } };
}
