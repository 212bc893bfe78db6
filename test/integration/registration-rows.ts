/** Registrations as somebody may have written them: what clients cannot read, and what they bear with. */
import { encodeRegistration } from '../../src/wire/service-instance.ts';
import { aRegistration, changed, type RegistrationData } from '../builders/registration.ts';

/** A node that is put beside two good registrations of dga. */
export interface Row {
  readonly what: string;
  readonly data: string | Uint8Array;
  /** Directory and name of the node; spam/other unless said otherwise. */
  readonly directory?: string;
  readonly how?: 'ephemeral' | 'hidden';
  /** Made below the node, with these data. */
  readonly child?: string;
}

const other = aRegistration({ id: 'other', model: 'spam' });
const whole = new TextDecoder().decode(encodeRegistration(other));
const having = (name: string, value: unknown) => changed(other, (it) => Object.assign(it, { [name]: value }));
const without = (name: string) => changed(other, (it) => delete it[name]);
export const payload = (change: (payload: RegistrationData['payload']) => unknown) =>
  changed(other, (it) => change(it.payload));
export const endpoint = (change: (endpoint: Record<string, unknown>) => unknown) =>
  payload((it) => change(it.endpoint));

export const fatal: readonly Row[] = [
  { what: 'an unknown field', data: having('zone', 'a') },
  { what: 'the field "enabled" of later Curators', data: having('enabled', true) },
  { what: 'an unknown field in the payload', data: payload((it) => Object.assign(it, { zone: 'a' })) },
  { what: 'an unknown field in the endpoint', data: endpoint((it) => Object.assign(it, { weight: 1 })) },
  { what: 'no @class', data: payload((it) => delete it['@class']) },
  { what: 'another @class', data: payload((it) => Object.assign(it, { '@class': 'java.util.HashMap' })) },
  { what: 'no payload', data: without('payload') },
  { what: 'a null payload', data: having('payload', null) },
  { what: 'no version', data: payload((it) => delete it['version']) },
  { what: 'a null version', data: payload((it) => Object.assign(it, { version: null })) },
  { what: 'no data', data: '' },
  { what: 'garbage', data: '10.0.0.1' },
  { what: 'null', data: 'null' },
  { what: '{}', data: '{}' },
  { what: '[]', data: '[]' },
  { what: 'half of it', data: whole.slice(0, whole.length / 2) },
  { what: 'a time as text', data: having('registrationTimeUTC', '2026-11-24T00:00:00Z') },
  { what: 'a type in lower case', data: having('serviceType', 'static') },
  { what: 'DYNAMIC_SEQUENTIAL', data: having('serviceType', 'DYNAMIC_SEQUENTIAL') },
  { what: 'an object as function', data: endpoint((it) => Object.assign(it, { functions: { apply: {} } })) },
  { what: 'a directory where an instance is expected', data: '', child: whole },
];

export const unreadable: Row = { what: 'a node that the client may not read', data: whole, how: 'hidden' };

export const harmless: readonly Row[] = [
  { what: 'a registration', data: whole },
  { what: 'an ephemeral registration', data: whole, how: 'ephemeral' },
  ...['uriSpec', 'sslPort', 'port', 'address', 'registrationTimeUTC', 'name', 'id'].map((name) => ({
    what: `no ${name}`,
    data: without(name),
  })),
  { what: 'a null port', data: having('port', null) },
  { what: 'a null address', data: having('address', null) },
  { what: 'a version as number', data: payload((it) => Object.assign(it, { version: 1 })) },
  { what: 'an empty version', data: payload((it) => Object.assign(it, { version: '' })) },
  {
    what: 'another order',
    data: JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(whole)).reverse())),
  },
  {
    what: '@class last',
    data: payload((it) => {
      const name = it['@class'];
      delete it['@class'];
      it['@class'] = name;
    }),
  },
  { what: 'white space', data: `\n${JSON.stringify(JSON.parse(whole), null, 2)}\n` },
  { what: 'a byte order mark', data: `\ufeff${whole}` },
  { what: 'trailing bytes', data: `${whole}}{ ...` },
  ...['STATIC', 'DYNAMIC', 'PERMANENT', null].map((type) => ({
    what: `type ${type}`,
    data: having('serviceType', type),
  })),
  { what: 'functions {}', data: endpoint((it) => Object.assign(it, { functions: {} })) },
  { what: 'null functions', data: endpoint((it) => Object.assign(it, { functions: null })) },
  { what: 'a null endpoint', data: payload((it) => Object.assign(it, { endpoint: null })) },
  { what: 'no url', data: endpoint((it) => delete it['url']) },
  { what: 'a wrong url', data: endpoint((it) => Object.assign(it, { url: 'nowhere' })) },
  {
    what: 'a name with spaces',
    data: encodeRegistration({ ...other, model: 'spam and ham' }),
    directory: 'spam and ham',
  },
  { what: 'a name in another script', data: encodeRegistration({ ...other, model: 'модель' }), directory: 'модель' },
  { what: 'an escaped name', data: encodeRegistration({ ...other, model: 'a/b' }), directory: 'a%2Fb' },
  { what: 'a child below an instance', data: whole, child: 'anything' },
];
