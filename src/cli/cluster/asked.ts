/** An answer that may be missing: whoever looks at many things goes on when one of them cannot be asked. */
import { asMaasError, type MaasError } from '../../contracts/errors.ts';

export type Asked<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly error: MaasError };

/** Never throws. */
export async function asked<T>(question: () => Promise<T>): Promise<Asked<T>> {
  try {
    return { known: true, value: await question() };
  } catch (error) {
    return { known: false, error: asMaasError(error) };
  }
}
