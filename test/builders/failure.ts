import type { MaasError } from '../../src/contracts/errors.ts';

/** What a promise fails with; a test that expects a failure fails where there is none. */
export function failure(promise: Promise<unknown>): Promise<MaasError> {
  return promise.then(
    () => {
      throw new Error('no failure');
    },
    (error) => error,
  );
}
