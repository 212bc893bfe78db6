/**
 * Does anybody look after the models of a namespace? What the operator publishes tells: its settings which namespaces
 * it serves, its Lease whether one of its replicas leads, and what keeps it from its work.
 */
import { concerns as concernsOf } from '../../contracts/concern.ts';
import { formatAge } from '../../contracts/duration.ts';
import { MaasError } from '../../contracts/errors.ts';
import type { Everywhere } from '../options/shared-options.ts';
import type { Cluster, Ports } from '../ports.ts';
import { type Asked, asked } from './asked.ts';
import { type LeaseFacts, lapsedForMs, leaseFacts, leaseName } from './operator-lease.ts';
import { type PublishedSettings, readSettings } from './operator-settings.ts';

export interface Attendance {
  readonly operatorNamespace: string;
  readonly settings: Asked<PublishedSettings>;
  readonly lease: Asked<LeaseFacts | undefined>;
}

export interface Unattended {
  readonly code: 'NAMESPACE_NOT_SERVED' | 'OPERATOR_AWAY';
  readonly message: string;
  readonly next?: string;
}

/** Never throws: who may not look is told less. */
export async function askAttendance(
  { operatorNamespace, cluster: choice }: Pick<Everywhere, 'operatorNamespace' | 'cluster'>,
  ports: Pick<Ports, 'inspect'>,
  cluster: Cluster,
): Promise<Attendance> {
  const [settings, lease] = await Promise.all([
    asked(() => readSettings(cluster, operatorNamespace)),
    asked(async () => {
      const found = await ports.inspect(choice).lease(operatorNamespace, leaseName);
      return found && leaseFacts(found);
    }),
  ]);
  return { operatorNamespace, settings, lease };
}

/** Why nobody serves the namespace, as far as it is certain. */
export function unserved(
  namespace: string,
  { settings, lease, operatorNamespace }: Attendance,
): Unattended | undefined {
  if (settings.known) {
    const { namespaces } = settings.value;
    if (namespaces.length > 0 && !namespaces.includes(namespace)) {
      return {
        code: 'NAMESPACE_NOT_SERVED',
        message: `the operator in namespace ${operatorNamespace} does not serve namespace ${namespace}; it serves ${namespaces.join(', ')}`,
        next: `Choose one of these with -n, name the operator that serves ${namespace} with --operator-namespace, or add ${namespace} to \`namespaces\` of its chart.`,
      };
    }
  }
  const concern = lease.known ? lease.value?.concerns.find(concernsOf(namespace)) : undefined;
  if (concern === undefined) return undefined;
  return { code: 'NAMESPACE_NOT_SERVED', message: concern.message, next: concern.next };
}

/** Since when the operator is not at work, where there was one. */
export function away({ lease, operatorNamespace }: Attendance, now: number): Unattended | undefined {
  const age = lease.known && lease.value !== undefined ? lapsedForMs(lease.value, now) : undefined;
  if (age === undefined) return undefined;
  return {
    code: 'OPERATOR_AWAY',
    message: `the operator in namespace ${operatorNamespace} was last at work ${formatAge(age)} ago`,
  };
}

/** Why nothing will come of a change in this namespace that nobody has taken up for a while. */
export function unattended(namespace: string, attendance: Attendance, now: number): Unattended | undefined {
  return unserved(namespace, attendance) ?? away(attendance, now) ?? nowhere(attendance);
}

/** There never was an operator in the namespace where one is looked for; maybe it is in another. */
function nowhere({ settings, lease, operatorNamespace }: Attendance): Unattended | undefined {
  const missing = lease.known
    ? lease.value === undefined
    : !settings.known && settings.error.code === 'SETTINGS_NOT_FOUND';
  if (!missing) return undefined;
  return {
    code: 'OPERATOR_AWAY',
    message: `there is no operator in namespace ${operatorNamespace}`,
    next: 'Install it, or name its namespace with --operator-namespace.',
  };
}

export function errorOf({ code, message, next }: Unattended): MaasError {
  return new MaasError(code, message, next === undefined ? {} : { next });
}
