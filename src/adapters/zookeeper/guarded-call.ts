/** Calls somebody who must not be able to stop the caller: whatever is thrown, at once or later, goes to `failed`. */
export function guardedCall<A>(
  callback: (argument: A) => unknown,
  argument: A,
  failed: (error: unknown) => void,
): void {
  new Promise((resolve) => resolve(callback(argument))).catch(failed);
}
