/** The chart grants the operator exactly what src/contracts/permissions.ts lists. */
import { describe, expect, it } from 'vitest';
import { modesConfigMap } from '../../src/contracts/modes.ts';
import { operatorPermissions, type Permission } from '../../src/contracts/permissions.ts';
import { namespace, type Rendered, render } from './helm.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** `scope group/resource[name] verb`, where the scope is a namespace or * for the whole cluster. */
function grants(objects: readonly Rendered[], account: string): string[] {
  const granted: string[] = [];
  for (const binding of objects.filter((object) => /^(Cluster)?RoleBinding$/.test(object.kind))) {
    const subjects = binding['subjects'] as { kind: string; name: string; namespace?: string }[];
    if (!subjects.some((s) => s.kind === 'ServiceAccount' && s.name === account && s.namespace === namespace)) continue;
    const { kind, name } = binding['roleRef'] as { kind: string; name: string };
    const role = objects.find(
      (object) =>
        object.kind === kind &&
        object.metadata.name === name &&
        object.metadata.namespace === binding.metadata.namespace,
    );
    const scope = binding.kind === 'ClusterRoleBinding' ? '*' : (binding.metadata.namespace ?? '');
    for (const rule of (role?.['rules'] as Rule[] | undefined) ?? []) {
      for (const group of rule.apiGroups) {
        for (const resource of rule.resources) {
          for (const verb of rule.verbs) {
            for (const only of rule.resourceNames ?? [''])
              granted.push(grant(scope, { group, resource, name: only }, verb));
          }
        }
      }
    }
  }
  return granted.sort();
}

function grant(scope: string, to: Pick<Permission, 'group' | 'resource' | 'name'>, verb: string): string {
  return `${scope} ${to.group}/${to.resource}${to.name ? `[${to.name}]` : ''} ${verb}`;
}

function listed(scope: string, permissions: readonly Permission[]): string[] {
  return permissions.flatMap((permission) => permission.verbs.map((verb) => grant(scope, permission, verb)));
}

describe('what the operator may do', () => {
  it('in the whole cluster is what the code lists', () => {
    expect(grants(render(), 'maas-operator')).toEqual(
      [
        ...listed('*', operatorPermissions.watched),
        ...listed('*', operatorPermissions.clusterId),
        ...listed(namespace, operatorPermissions.own),
      ].sort(),
    );
  });

  it('with watched namespaces ends at them', () => {
    expect(grants(render({ namespaces: ['fraud', 'dns'], clusterId: 'east' }), 'maas-operator')).toEqual(
      [
        ...listed('fraud', operatorPermissions.watched),
        ...listed('dns', operatorPermissions.watched),
        ...listed(namespace, operatorPermissions.own),
      ].sort(),
    );
  });

  it('reads one object more of the cluster where the settings give no cluster id', () => {
    const clusterWide = grants(render({ namespaces: ['fraud'] }), 'maas-operator').filter((g) => g.startsWith('*'));
    expect(clusterWide).toEqual(['* /namespaces[kube-system] get']);
  });

  it('grows with the old queue, by what its requests ask for', () => {
    const values = { namespaces: ['fraud', 'dns', 'web'], clusterId: 'east' };
    const queue = { enabled: true, namespace: 'fraud', namespaces: [{ prefix: 'd', namespace: 'dns' }] };
    const before = new Set(grants(render(values), 'maas-operator'));
    const added = grants(render({ ...values, legacy: { queue } }), 'maas-operator').filter((g) => !before.has(g));
    expect(added).toEqual(
      [
        ...listed('fraud', operatorPermissions.queueModels),
        ...listed('dns', operatorPermissions.queueModels),
        ...listed(namespace, operatorPermissions.queueRecord),
      ].sort(),
    );
  });

  it('never includes secrets, commands in pods, or rights to give rights', () => {
    const all = Object.values(operatorPermissions).flat() as Permission[];
    const resources = all.map((permission) => permission.resource);
    expect(resources.filter((resource) => /secret|exec|attach|token|role|serviceaccount|\*/.test(resource))).toEqual(
      [],
    );
    expect(
      all.flatMap((permission) => permission.verbs).filter((verb) => /\*|escalate|bind|impersonate/.test(verb)),
    ).toEqual([]);
  });

  it('is bound to an account of another name where the values name one', () => {
    const objects = render({ serviceAccount: { create: false, name: 'theirs' } });
    expect(grants(objects, 'theirs').length).toBeGreaterThan(10);
    expect(objects.filter((object) => object.kind === 'ServiceAccount')).toEqual([]);
  });

  it('is left to somebody else where rbac.create is off', () => {
    expect(grants(render({ rbac: { create: false } }), 'maas-operator')).toEqual([]);
  });
});

describe('what users may do', () => {
  it('includes the modes for whom somebody binds to their role, which no other object is in', () => {
    const objects = render();
    const role = objects.find((object) => object.metadata.name === 'maas-operator-modes-editor');
    expect(role?.['rules']).toEqual([
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: [modesConfigMap],
        verbs: ['get', 'create', 'update', 'patch', 'delete'],
      },
    ]);
    expect(JSON.stringify(objects.filter((object) => object.kind === 'RoleBinding'))).not.toContain('modes-editor');
  });

  it('is to read settings, modes and the Lease of the leader, and nothing else, by being logged in', () => {
    const objects = render();
    const bindings = objects.filter((object) => JSON.stringify(object['subjects'] ?? []).includes('system:'));
    expect(bindings.map((binding) => [binding.metadata.namespace, binding['roleRef']])).toEqual([
      [namespace, { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maas-operator-settings' }],
    ]);
    const role = objects.find((object) => object.kind === 'Role' && object.metadata.name === 'maas-operator-settings');
    expect(role?.['rules']).toEqual([
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: ['maas-operator-settings', 'maas-operator-modes'],
        verbs: ['get'],
      },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: ['maas-operator'],
        verbs: ['get'],
      },
    ]);
    const off = render({ rbac: { publishSettings: false } });
    expect(JSON.stringify(off)).not.toContain('system:authenticated');
  });

  it('includes ModelDeployments by their roles in the cluster', () => {
    const roles = render().filter((object) => object.kind === 'ClusterRole');
    const verbsWith = (label: string) =>
      roles
        .filter((role) => role.metadata.labels?.[`rbac.authorization.k8s.io/aggregate-to-${label}`] === 'true')
        .flatMap((role) => role['rules'] as Rule[])
        .filter((rule) => rule.resources.includes('modeldeployments'))
        .flatMap((rule) => rule.verbs)
        .sort();
    expect(verbsWith('view')).toEqual(['get', 'list', 'watch']);
    const edit = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
    expect(verbsWith('edit')).toEqual(edit);
    expect(verbsWith('admin')).toEqual(edit);
  });

  const acls = {
    view: { users: ['alice', 'bob: "ops"'], groups: ['analysts'] },
    modify: { users: [], groups: ['operators'] },
  };
  const aclsOf = (objects: readonly Rendered[]) =>
    objects
      .filter((object) => object.kind.endsWith('Binding') && object.metadata.name.includes('-acl-'))
      .map((binding) => {
        const { kind, name } = binding['roleRef'] as { kind: string; name: string };
        const role = objects.find(
          (object) =>
            object.kind === kind &&
            object.metadata.name === name &&
            object.metadata.namespace === binding.metadata.namespace,
        );
        const verbs = ((role?.['rules'] ?? []) as Rule[])
          .filter((rule) => rule.resources.includes('modeldeployments'))
          .flatMap((rule) => rule.verbs)
          .sort();
        const who = (binding['subjects'] as { kind: string; name: string }[]).map((s) => `${s.kind} ${s.name}`);
        return { name, namespace: binding.metadata.namespace, who, verbs };
      });

  it('is what the ACLs say, in the whole cluster or in each namespace', () => {
    const view = { who: ['User alice', 'User bob: "ops"', 'Group analysts'], verbs: ['get', 'list', 'watch'] };
    const modify = {
      who: ['Group operators'],
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    };
    expect(aclsOf(render({ acls }))).toEqual([
      { name: 'maas-operator-acl-view', namespace: undefined, ...view },
      { name: 'maas-operator-acl-modify', namespace: undefined, ...modify },
    ]);
    expect(aclsOf(render({ acls, namespaces: ['fraud', 'dns'] }))).toEqual([
      { name: 'maas-operator-acl-view', namespace: 'fraud', ...view },
      { name: 'maas-operator-acl-view', namespace: 'dns', ...view },
      { name: 'maas-operator-acl-modify', namespace: 'fraud', ...modify },
      { name: 'maas-operator-acl-modify', namespace: 'dns', ...modify },
    ]);
    expect(aclsOf(render())).toEqual([]);
  });
});
