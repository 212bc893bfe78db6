/** Which questions are asked of the API server about permissions. */

import { group } from '../../contracts/api-group.ts';
import { type OperatorPermissions, operatorPermissions, type Permission } from '../../contracts/permissions.ts';
import { plural } from '../../contracts/resource.ts';
import type { PublishedSettings } from '../cluster/operator-settings.ts';
import type { AskedPermission } from '../ports.ts';

export interface WantedPermission {
  readonly asked: AskedPermission;
  readonly resource: string;
  readonly why: string;
}

/**
 * What the operator needs with these settings.
 * @param namespace its own
 */
export function wantedByOperator(
  settings: Pick<PublishedSettings, 'namespaces' | 'clusterId' | 'legacy'>,
  namespace: string,
  permissions: OperatorPermissions = operatorPermissions,
): readonly WantedPermission[] {
  const { queue } = settings.legacy;
  const queueNamespaces = new Set([
    ...(queue.namespace === undefined ? [] : [queue.namespace]),
    ...queue.namespaces.map((each) => each.namespace),
  ]);
  const everywhere = settings.namespaces.length === 0 ? [undefined] : settings.namespaces;
  return [
    ...everywhere.flatMap((where) => permissions.watched.flatMap((permission) => asks(permission, where))),
    ...permissions.own.flatMap((permission) => asks(permission, namespace)),
    ...(settings.clusterId === undefined
      ? permissions.clusterId.flatMap((permission) => asks(permission, undefined))
      : []),
    ...(queue.enabled
      ? [
          ...[...queueNamespaces].flatMap((where) =>
            permissions.queueModels.flatMap((permission) => asks(permission, where)),
          ),
          ...permissions.queueRecord.flatMap((permission) => asks(permission, namespace)),
        ]
      : []),
  ];
}

/** What the commands do for the caller. */
export function wantedByCaller(namespace: string): readonly WantedPermission[] {
  return [
    ...asks({ group, resource: plural, verbs: ['get', 'list'], why: '`kubectl maas list` and all others' }, namespace),
    ...asks(
      { group, resource: plural, verbs: ['create', 'patch', 'delete'], why: '`kubectl maas add` and `remove`' },
      namespace,
    ),
  ];
}

function asks(permission: Permission, namespace: string | undefined): readonly WantedPermission[] {
  const [resource = '', subresource] = permission.resource.split('/');
  const qualified = `${resource}${permission.group === '' ? '' : `.${permission.group}`}`;
  return permission.verbs.map((verb) => ({
    asked: {
      verb,
      group: permission.group,
      resource,
      ...(subresource === undefined ? {} : { subresource }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(permission.name === undefined ? {} : { name: permission.name }),
    },
    resource: [
      `${qualified}${subresource === undefined ? '' : `/${subresource}`}`,
      ...(permission.name === undefined ? [] : [`"${permission.name}"`]),
    ].join(' '),
    why: permission.why,
  }));
}
