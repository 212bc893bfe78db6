/** Watches the calls of a client from outside: how long each took and how it ended. The client knows nothing of it. */
import { asMaasError } from '../contracts/errors.ts';

export interface Call {
  /** The method's name. */
  readonly operation: string;
  /** `OK`, or the code of the error; a call that its caller gave up is `INTERRUPTED`. */
  readonly code: string;
  readonly seconds: number;
}

type Observe = (call: Call) => void;

/** @param operations methods that give a promise; all others are left alone */
export function measured<T extends object>(
  client: T,
  operations: readonly (keyof T & string)[],
  options: { readonly monotonic: () => number; readonly observe: Observe },
): T {
  const wanted: ReadonlySet<PropertyKey> = new Set(operations);
  return new Proxy(client, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (!wanted.has(key)) return value.bind(target);
      return async (...given: unknown[]): Promise<unknown> => {
        const start = options.monotonic();
        const ended = (code: string) =>
          options.observe({ operation: String(key), code, seconds: (options.monotonic() - start) / 1_000 });
        try {
          const result: unknown = await Reflect.apply(value, target, given);
          ended('OK');
          return result;
        } catch (error) {
          ended(codeOf(error));
          throw error;
        }
      };
    },
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && error.name === 'AbortError' ? 'INTERRUPTED' : asMaasError(error).code;
}
