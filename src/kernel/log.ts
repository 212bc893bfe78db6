/** What the program says of itself: fields for machines, a message for people. */

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log that says these fields with every entry. */
  child(fields: Record<string, unknown>): Log;
}

/** For what runs where nobody would read a log. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };
