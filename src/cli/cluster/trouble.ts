/** What somebody who follows the cluster is told while it is not heard. */
import type { MaasError } from '../../contracts/errors.ts';
import { note } from '../output/say.ts';
import type { OnTrouble, Output } from '../ports.ts';

export function troubleText(failure: MaasError): string {
  return `what was seen last may be old: ${failure.message}; it goes on when the cluster answers`;
}

export function tellTrouble(output: Pick<Output, 'write'>): OnTrouble {
  return (failure) => note(output, failure === undefined ? 'the cluster answers again' : troubleText(failure));
}
