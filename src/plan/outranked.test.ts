import { describe, expect, it } from 'vitest';
import { anObservation, aPod, aResource } from '../../test/builders/model-deployment.ts';
import type { RegistrationsView } from './observation.ts';
import { outrankedVerdict } from './outranked.ts';

function registered(versions: Readonly<Record<string, string>>, elsewhere: readonly string[] = []): RegistrationsView {
  const byPod = Object.entries(versions).map(
    ([uid, version]) => [uid, { version, url: '', functions: {}, since: 0 }] as const,
  );
  return { known: true, byPod: new Map(byPod), elsewhere };
}

const told = (version: string, registrations: RegistrationsView) => {
  const resource = aResource({ spec: { version } });
  return outrankedVerdict(anObservation({ resource, registrations, pods: [aPod({ uid: 'own' })] }));
};

describe('outrankedVerdict', () => {
  it.each<[string, string, RegistrationsView, boolean]>([
    ['alone', '1.0', registered({ own: '1.0' }), false],
    ['the highest', '1.9', registered({ own: '1.9', other: '1.10' }), false],
    ['below another resource', '1.10', registered({ own: '1.10', other: '1.9' }), true],
    ['below its own instances, which are going', '1.0', registered({ own: '2.0' }), false],
    ['below what another installation registers', '1.10', registered({}, ['1.9']), true],
    ['unknown', '1.10', { known: false, why: 'away' }, false],
  ])('%s', (_name, version, registrations, is) => {
    expect(told(version, registrations)?.status).toBe(is ? 'True' : undefined);
  });

  it('says what clients do and which version would be taken', () => {
    const verdict = told('1.10', registered({ other: '1.9' }));
    expect(verdict?.reason).toBe('Outranked');
    expect(verdict?.message).toMatch(/^clients that name no version get "1\.9", not "1\.10": .*\. Name it "v1\.10"/);
  });
});
