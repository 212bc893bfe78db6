/**
 * The coded errors. Every failure that a person may have to act on carries a code from the catalogue in
 * error-catalogue.ts, says what happened and where, and what to do next. docs/errors.md is generated from it.
 */
import { type ErrorCode, errorCatalogue } from './error-catalogue.ts';

export class MaasError extends Error {
  /** Stable, upper snake case, listed in docs/errors.md. */
  readonly code: ErrorCode;
  /** What the reader can do about it; the catalogue's advice unless the thrower knows better. */
  readonly next: string;
  /** True where the same call may succeed later without anyone changing anything. */
  readonly transient: boolean;

  /**
   * @param code an entry of the catalogue
   * @param what one sentence: what failed and where, without a trailing full stop
   * @param options `next` replaces the catalogue's advice; `cause` is the original error
   */
  constructor(code: ErrorCode, what: string, options: { next?: string; cause?: unknown } = {}) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MaasError';
    this.code = code;
    this.next = options.next ?? errorCatalogue[code].next;
    this.transient = errorCatalogue[code].transient;
  }
}

/** The error itself when it is coded, otherwise an INTERNAL that keeps the original as its cause. */
export function asMaasError(error: unknown): MaasError {
  if (error instanceof MaasError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new MaasError('INTERNAL', text, { cause: error });
}

/** Is this a coded error with one of these codes? */
export function hasCode(error: unknown, ...codes: ErrorCode[]): error is MaasError {
  return error instanceof MaasError && codes.includes(error.code);
}
