import { describe, expect, it } from 'vitest';
import { encodeRegistration, type Registration } from '../wire/service-instance.ts';
import { type FoundNode, planRegistration, saysTheSame, type Wanted } from './registration-plan.ts';

const registration: Registration = {
  model: 'dga',
  version: '1.0',
  id: 'dga-abc',
  url: 'http://10.0.0.7:1500',
  functions: { apply: 'apply' },
  registeredAt: 1_000,
};
const wanted: Wanted = {
  registrationPath: '/maas/service/dga/dga-abc',
  markerPath: '/maas/operator/c1/instances/dga-abc',
  registration,
  marker: Buffer.from('{"pod":"fraud/dga-abc","model":"dga"}'),
};
const owners = { session: '2', earlier: new Set(['1']) };
const marker = (owner: string | undefined, data: string | Uint8Array = wanted.marker, version = 0): FoundNode => ({
  data: Buffer.from(data),
  stat: { version, ephemeralOwner: owner },
});
const registered = (owner: string | undefined, changes: Partial<Registration> = {}, version = 0): FoundNode => ({
  data: encodeRegistration({ ...registration, ...changes }),
  stat: { version, ephemeralOwner: owner },
});

/** Operations as `+path`, `-path@version`. */
const planned = (found: { registration?: FoundNode; marker?: FoundNode }) => {
  const plan = planRegistration(wanted, { registration: found.registration, marker: found.marker }, owners);
  if (plan.kind !== 'write') return plan.kind;
  const name = (path: string) => (path === wanted.markerPath ? 'marker' : 'registration');
  return plan.operations
    .map((each) => (each.type === 'create' ? `+${name(each.path)}` : `-${name(each.path)}@${each.version}`))
    .join(' ');
};

describe('planRegistration', () => {
  it('makes both nodes, ephemeral and whole', () => {
    expect(planRegistration(wanted, { registration: undefined, marker: undefined }, owners)).toEqual({
      kind: 'write',
      operations: [
        { type: 'create', path: wanted.markerPath, data: wanted.marker, ephemeral: true },
        { type: 'create', path: wanted.registrationPath, data: encodeRegistration(registration), ephemeral: true },
      ],
    });
  });

  it.each<[string, { registration?: FoundNode; marker?: FoundNode }, string]>([
    ['both as wanted', { registration: registered('2'), marker: marker('2') }, 'keep'],
    ['made at another time', { registration: registered('2', { registeredAt: 5 }), marker: marker('2') }, 'keep'],
    ['one wiped', { marker: marker('2') }, '+registration'],
    ['the marker wiped', { registration: registered('2') }, '+marker'],
    [
      'another endpoint',
      { registration: registered('2', { url: 'http://10.0.0.7:1501' }, 3), marker: marker('2') },
      '-registration@3 +registration',
    ],
    [
      'an earlier session',
      { registration: registered('1'), marker: marker('1', wanted.marker, 1) },
      '-marker@1 +marker -registration@0 +registration',
    ],
    ['somebody else', { registration: registered('9'), marker: marker('2') }, 'foreign'],
    ["somebody else's persistent node", { registration: registered(undefined), marker: marker('2') }, 'foreign'],
    ["somebody else's marker", { marker: marker('9') }, 'foreign'],
    [
      'what nobody can read',
      { registration: { data: Buffer.from('{'), stat: { version: 1, ephemeralOwner: '2' } }, marker: marker('2') },
      '-registration@1 +registration',
    ],
    ['revoked', { registration: registered('2'), marker: marker('2', 'revoked', 1) }, 'revoked'],
    ['revoked in an earlier session', { marker: marker('1', 'revoked', 1) }, 'revoked'],
  ])('%s', (_, found, plan) => {
    expect(planned(found)).toBe(plan);
  });
});

describe('saysTheSame', () => {
  it('overlooks the time alone', () => {
    expect(saysTheSame(registered('2', { registeredAt: 7 }).data, registration)).toBe(true);
    expect(saysTheSame(registered('2', { version: '2.0' }).data, registration)).toBe(false);
    expect(saysTheSame(registered('2', { functions: {} }).data, registration)).toBe(false);
    expect(saysTheSame(new Uint8Array(), registration)).toBe(false);
  });
});
