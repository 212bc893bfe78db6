/** Is the payload that lies in the pod's volume the one that the pod is to run? */
import { MaasError } from '../contracts/errors.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import type { AgentInstructions } from '../contracts/pod-contract.ts';

/**
 * The instructions come with the pod itself and cannot be those of another Deployment; the pin comes from a volume, in
 * which a kubelet may put what it knew under that name before.
 *
 * @throws PAYLOAD_PIN_MISMATCH; operators of earlier releases instruct no digest, and then every pin is taken
 */
export function checkInstructed(
  { payloadDigest }: Pick<AgentInstructions, 'payloadDigest'>,
  pinned: Pick<PinnedPayload, 'digest' | 'path'>,
): void {
  if (payloadDigest === undefined || payloadDigest === pinned.digest) return;
  throw new MaasError(
    'PAYLOAD_PIN_MISMATCH',
    `The pod is to run the payload ${payloadDigest}, and was given the list of ${pinned.digest} (${pinned.path})`,
  );
}
