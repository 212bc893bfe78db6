/** What is said where something could not be looked at. */
import { hasCode, type MaasError } from '../../contracts/errors.ts';
import { type Finding, finding } from './finding.ts';

/** Such a failure is not of the one thing that was asked: it is told once, by checkAccess. */
export function isAway(error: MaasError): boolean {
  return hasCode(error, 'CLUSTER_UNREACHABLE', 'CLUSTER_UNAVAILABLE', 'CLUSTER_UNAUTHENTICATED', 'KUBECONFIG_INVALID');
}

/** A finding that says why something could not be looked at. */
export function notChecked(subject: string, error: MaasError): Finding {
  return finding('NotChecked', subject, error.message, error.next);
}
