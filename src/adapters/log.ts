/** Structured logs: a line of JSON an entry, in which no text from outside can steer a terminal. */

import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino';
import type { Log } from '../kernel/log.ts';
import { visible } from '../kernel/shown-text.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export interface LogOptions {
  /** Which program speaks. */
  readonly name: string;
  /** The least that is written: one of logLevels; `info` where it is none of them. */
  readonly level?: string;
  /** Standard output where absent. */
  readonly to?: DestinationStream;
}

export function createLog({ name, level = 'info', to }: LogOptions): Log {
  const known = logLevels.find((each) => each === level) ?? 'info';
  // Written at once, so that the last words of a process are not lost.
  const log: Logger = pino(
    {
      level: known,
      base: { name },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
      hooks: { streamWrite: escapeUnseen },
    },
    to ?? destination({ dest: 1, sync: true }),
  );
  if (known !== level) log.warn({ asked: level }, 'there is no such log level, so it is info');
  return log;
}

/** Inside a line of JSON such characters stand in strings only, where their escape means the same; its end stays a line feed. */
function escapeUnseen(line: string): string {
  return `${visible(line.trimEnd())}\n`;
}
