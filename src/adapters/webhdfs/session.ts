/** What all requests to one nameservice share. */
import { backOffMs } from '../../kernel/back-off.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Connections, Deadlines } from './http.ts';
import type { NameNodes } from './name-nodes.ts';
import type { Credentials } from './web-address.ts';

export interface Session {
  readonly nameNodes: NameNodes;
  /** Read anew for each request: a mounted token is replaced while we run. */
  readonly credentials: () => Promise<Credentials>;
  readonly connections: Connections;
  readonly deadlines: Deadlines;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly random: () => number;
  readonly log: Pick<Log, 'debug'> | undefined;
}

/** A pause before the attempt after `failures` failed ones in a row, milliseconds: 0.15 s at the most, doubling up to 7.5 s. */
export function retryPause(failures: number, random: () => number): number {
  return backOffMs({ firstMs: 150, longestMs: 7_500 }, failures, random);
}
