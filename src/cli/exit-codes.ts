/** The exit codes of `kubectl maas`: one table for the program, its help and the reference. */
import type { ErrorCode } from '../contracts/error-catalogue.ts';

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  noAccess: 4,
  notReady: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.ok, 'done; doctor: no errors, but possibly warnings'],
  [exitCodes.failed, 'failed for any other reason; doctor: it found errors, or with --strict warnings'],
  [exitCodes.usage, 'wrong arguments'],
  [exitCodes.notFound, 'no such model, namespace, or operator'],
  [exitCodes.noAccess, 'Kubernetes, ZooKeeper or HDFS cannot be reached, or refuses you'],
  [exitCodes.notReady, 'with --wait: not up in time, or it cannot come up by itself'],
  [exitCodes.interrupted, 'interrupted'],
];

const byError: Partial<Record<ErrorCode, ExitCode>> = {
  USAGE: exitCodes.usage,
  MODEL_AMBIGUOUS: exitCodes.usage,
  MODEL_NOT_FOUND: exitCodes.notFound,
  CLUSTER_NOT_FOUND: exitCodes.notFound,
  SETTINGS_NOT_FOUND: exitCodes.notFound,
  NAMESPACE_NOT_SERVED: exitCodes.notFound,
  CLUSTER_UNREACHABLE: exitCodes.noAccess,
  CLUSTER_UNAVAILABLE: exitCodes.noAccess,
  CLUSTER_UNAUTHENTICATED: exitCodes.noAccess,
  CLUSTER_FORBIDDEN: exitCodes.noAccess,
  KUBECONFIG_INVALID: exitCodes.noAccess,
  CREDENTIAL_PLUGIN_FAILED: exitCodes.noAccess,
  ZOOKEEPER_UNREACHABLE: exitCodes.noAccess,
  ZOOKEEPER_FORBIDDEN: exitCodes.noAccess,
  HDFS_UNREACHABLE: exitCodes.noAccess,
  HDFS_UNAVAILABLE: exitCodes.noAccess,
  HDFS_FORBIDDEN: exitCodes.noAccess,
  HDFS_UNAUTHENTICATED: exitCodes.noAccess,
  TIMEOUT: exitCodes.notReady,
  MODEL_STALLED: exitCodes.notReady,
  OPERATOR_AWAY: exitCodes.notReady,
  INTERRUPTED: exitCodes.interrupted,
};

export function exitCodeOf(code: ErrorCode): ExitCode {
  return byError[code] ?? exitCodes.failed;
}
