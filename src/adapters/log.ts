/** Structured logs: a line of JSON an entry, in which no text from outside can steer a terminal. */
import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino';

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log that says these fields with every entry. */
  child(fields: Record<string, unknown>): Log;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export interface LogOptions {
  /** Which program speaks. */
  readonly name: string;
  /** The least that is written: one of logLevels; `info` where it is none of them. */
  readonly level?: string;
  /** Standard output where absent. */
  readonly to?: DestinationStream;
}

/**
 * Controls, format characters (writing direction among them), lone surrogates, line and paragraph separators. JSON
 * leaves most of them as they are.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

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

/** Inside a line of JSON such characters stand in strings only, where this means the same; its end stays a line feed. */
function escapeUnseen(line: string): string {
  return line.trimEnd().replace(unseen, escaped).concat('\n');
}

function escaped(letter: string): string {
  return [...Array(letter.length).keys()]
    .map((at) => `\\u${letter.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}
