import { describe, expect, it } from 'vitest';
import { publishedSettings } from '../../../test/builders/well-facts.ts';
import { operatorPermissions } from '../../contracts/permissions.ts';
import { wantedByCaller, wantedByOperator } from './wanted-permissions.ts';

const shown = (wanted: ReturnType<typeof wantedByOperator>) =>
  wanted.map(({ asked: { verb, namespace }, resource }) => `${verb} ${resource} ${namespace ?? '*'}`);
const verbs = (permissions: readonly { verbs: readonly string[] }[]) =>
  permissions.reduce((sum, each) => sum + each.verbs.length, 0);

describe('wantedByOperator', () => {
  it('asks for everything in the whole cluster where no namespaces are named', () => {
    const wanted = shown(wantedByOperator({ ...publishedSettings, clusterId: undefined }, 'maas'));
    expect(wanted).toContain('watch modeldeployments.maas.dev *');
    expect(wanted).toContain('patch modeldeployments.maas.dev/status *');
    expect(wanted).toContain('get leases.coordination.k8s.io maas');
    expect(wanted).toContain('get namespaces "kube-system" *');
    const { watched, own, clusterId } = operatorPermissions;
    expect(wanted.length).toBe(verbs(watched) + verbs(own) + verbs(clusterId));
  });

  it('asks in each of the namespaces, and not for the id of the cluster where it is given', () => {
    const wanted = shown(wantedByOperator({ ...publishedSettings, namespaces: ['fraud', 'dns'] }, 'maas'));
    expect(wanted).toContain('list pods fraud');
    expect(wanted).toContain('list pods dns');
    expect(wanted).not.toContain('list pods *');
    expect(wanted).not.toContain('get namespaces "kube-system" *');
  });

  it('asks for what the old queue needs only where it is consumed', () => {
    const namespaces = [
      { prefix: 'dns-', namespace: 'dns' },
      { prefix: 'x-', namespace: 'fraud' },
    ];
    const queue = { ...publishedSettings.legacy.queue, enabled: true, namespace: 'fraud', namespaces };
    const wanted = shown(wantedByOperator({ ...publishedSettings, legacy: { readFrom: 'Store', queue } }, 'maas'));
    expect(wanted.filter((each) => each === 'create modeldeployments.maas.dev fraud')).toHaveLength(1);
    expect(wanted).toContain('create modeldeployments.maas.dev dns');
    expect(shown(wantedByOperator(publishedSettings, 'maas'))).not.toContain('create modeldeployments.maas.dev *');
  });

  it('names an object where only one is meant', () => {
    const wanted = wantedByOperator({ ...publishedSettings, clusterId: undefined }, 'maas');
    expect(wanted.find(({ asked: { resource } }) => resource === 'namespaces')?.asked).toEqual({
      verb: 'get',
      group: '',
      resource: 'namespaces',
      name: 'kube-system',
    });
  });
});

describe('wantedByCaller', () => {
  it('is what the commands do', () => {
    expect(shown(wantedByCaller('fraud'))).toEqual(
      ['get', 'list', 'create', 'patch', 'delete'].map((verb) => `${verb} modeldeployments.maas.dev fraud`),
    );
  });
});
