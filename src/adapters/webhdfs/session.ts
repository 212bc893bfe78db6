/** What all requests to one nameservice share. */
import type { Connections, Deadlines } from './http.ts';
import type { NameNodes, Pause } from './name-nodes.ts';
import type { Credentials } from './web-address.ts';

export interface Session {
  readonly nameNodes: NameNodes;
  /** Read anew for each request: a mounted token is replaced while we run. */
  readonly credentials: () => Promise<Credentials>;
  readonly connections: Connections;
  readonly deadlines: Deadlines;
  readonly clock: Pause;
  readonly random: () => number;
  readonly log: SessionLog | undefined;
}

/** The part of a structured logger that is used here. */
export interface SessionLog {
  debug(fields: Record<string, unknown>, message: string): void;
}

/** A pause before the attempt after `failures` failed ones in a row, milliseconds: from 0.1 s, doubling up to 5 s, jittered. */
export function retryPause(failures: number, random: () => number): number {
  return Math.min(5_000, 100 * 2 ** failures) * (0.5 + random());
}
