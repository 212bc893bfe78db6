import type { Log } from '../../src/kernel/log.ts';

interface Entry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A log that says nothing, and remembers everything. */
export class RememberingLog implements Log {
  readonly entries: Entry[] = [];
  /** The messages of those that somebody should look at. */
  readonly warnings: string[] = [];

  debug = (fields: object, message: string): void => this.#keep('debug', fields, message);
  info = (fields: object, message: string): void => this.#keep('info', fields, message);
  warn = (fields: object, message: string): void => this.#keep('warn', fields, message);
  error = (fields: object, message: string): void => this.#keep('error', fields, message);
  child = (): Log => this;

  #keep(level: Entry['level'], fields: object, message: string): void {
    this.entries.push({ level, fields, message });
    if (level === 'warn' || level === 'error') this.warnings.push(message);
  }
}
