import { describe, expect, it } from 'vitest';
import { type Concern, concerns } from '../contracts/concern.ts';
import { MaasError } from '../contracts/errors.ts';
import { ServedNamespaces } from './served-namespaces.ts';

const forbidden = new MaasError('CLUSTER_FORBIDDEN', 'list pods fraud: User "x" cannot list resource "pods"');

function setUp(namespaces: readonly string[]) {
  let told: readonly Concern[] = [];
  const opened: (string | undefined)[] = [];
  const served = new ServedNamespaces({
    namespaces,
    kinds: ['resources', 'pods'],
    operatorNamespace: 'maas-system',
    tell: (all) => {
      told = all;
    },
    opened: (namespace) => opened.push(namespace),
  });
  return { served, told: () => told, opened };
}

describe('ServedNamespaces', () => {
  it('is in step with a namespace when all its watches follow, whatever becomes of the others', () => {
    const { served, told, opened } = setUp(['fraud', 'ads']);
    served.watched('resources', 'fraud', undefined);
    expect(served.inStep('fraud')).toBe(false);
    served.watched('pods', 'fraud', undefined);
    served.watched('pods', 'ads', forbidden);
    served.watched('resources', 'ads', undefined);
    expect([served.inStep('fraud'), served.inStep('ads'), served.inStep('other'), served.allInStep()]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(opened).toEqual(['fraud']);
    expect(told()).toEqual([
      expect.objectContaining({
        reason: 'NamespaceRefused',
        subject: 'namespace ads',
        message: expect.stringContaining('cannot list resource "pods"'),
        next: expect.stringContaining('helm upgrade'),
      }),
    ]);
    expect([told().some(concerns('ads')), told().some(concerns('fraud'))]).toEqual([true, false]);
  });

  it('opens a namespace again, and is concerned no more, when its Role is back', () => {
    const { served, told, opened } = setUp(['fraud']);
    for (const kind of ['resources', 'pods']) served.watched(kind, 'fraud', undefined);
    for (const kind of ['resources', 'pods']) served.watched(kind, 'fraud', forbidden);
    expect([served.inStep('fraud'), told().length]).toEqual([false, 1]);
    for (const kind of ['resources', 'pods']) served.watched(kind, 'fraud', undefined);
    expect([served.inStep('fraud'), told(), opened]).toEqual([true, [], ['fraud', 'fraud']]);
  });

  it('hears of a lost Role from a write before the watches do', () => {
    const { served, told } = setUp(['fraud']);
    served.written('fraud', new MaasError('CLUSTER_FORBIDDEN', 'patch configmaps fraud/x: no'));
    expect(told()[0]?.message).toContain('patch configmaps');
    served.written('fraud', undefined);
    expect(told()).toEqual([]);
  });

  it('speaks of all namespaces where all are served', () => {
    const { served, told, opened } = setUp([]);
    served.watched('pods', undefined, forbidden);
    expect(told().some(concerns('whichever'))).toBe(true);
    for (const kind of ['resources', 'pods']) served.watched(kind, undefined, undefined);
    expect([served.inStep('whichever'), told(), opened]).toEqual([true, [], [undefined]]);
  });
});
