import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnose, encodeRegistration, type Registration } from './service-instance.ts';

const golden = (name: string) =>
  readFileSync(new URL(`../../test/goldens/registrations/${name}`, import.meta.url), 'utf8');
const utf8 = (text: string) => new TextEncoder().encode(text);
const encoded = (registration: Registration) => new TextDecoder().decode(encodeRegistration(registration));

const id = 'spam-7c9f-q2x4k-3f0b7c1e-8a41-4d7a-9a53-0c6d1f2e9b10';
const spam: Registration = {
  model: 'spam',
  version: '2.3',
  id,
  url: 'http://10.244.0.17:31544',
  functions: { apply: 'apply', explain: 'v1/explain' },
  registeredAt: 1_796_083_200_123,
};

describe('encoding', () => {
  test('has the bytes of the original', () => {
    expect(encoded(spam)).toBe(golden('port.json'));
  });

  test('says -1 where the URL has no port', () => {
    const registration = { ...spam, id: 'a', url: 'https://models.example/spam/', functions: { apply: 'apply' } };
    expect(encoded(registration)).toBe(golden('no-port.json'));
  });

  test.each([
    ['http://10.0.0.1:80', '"address":"10.0.0.1","port":80,'],
    ['https://h.example:443/', '"address":"h.example","port":443,'],
    ['http://[fd00::17]:8080/base', '"address":"[fd00::17]","port":8080,'],
    ['http://[fd00::17]', '"address":"[fd00::17]","port":-1,'],
  ])('takes address and port from %s', (url, expected) => {
    expect(encoded({ ...spam, url })).toContain(expected);
  });

  test('keeps letters beyond ASCII as they are, and any name of a function', () => {
    const functions = JSON.parse('{"__proto__":"a","оценка":"b","10":"c"}');
    expect(encoded({ ...spam, model: 'модель', functions })).toContain('"name":"модель"');
    expect(diagnose(encodeRegistration({ ...spam, functions }), 'spam', id)).toMatchObject({ seen: { functions } });
  });
});

/** A registration as plain data, to be changed. */
function instance(change: (it: Record<string, unknown> & { payload: Payload }) => unknown): string {
  const it = JSON.parse(golden('port.json'));
  return JSON.stringify(change(it) ?? it);
}
type Payload = Record<string, unknown> & { endpoint: Record<string, unknown> };

const without = (name: string) => instance((it) => void delete it[name]);
const having = (name: string, value: unknown) => instance((it) => void Object.assign(it, { [name]: value }));
const inPayload = (name: string, value: unknown) => instance((it) => void Object.assign(it.payload, { [name]: value }));
const inEndpoint = (name: string, value: unknown) =>
  instance((it) => void Object.assign(it.payload.endpoint, { [name]: value }));

const whole = golden('port.json');

describe('what hides every model', () => {
  test.each([
    ['an unknown field', having('enabled', true), 'enabled is a field that clients do not know'],
    ['an unknown field in the payload', inPayload('zone', 'a'), 'payload.zone is a field that clients do not know'],
    [
      'an unknown field in the endpoint',
      inEndpoint('weight', 1),
      'payload.endpoint.weight is a field that clients do not know',
    ],
    ['no @class', instance((it) => void delete it.payload['@class']), 'payload.@class is missing'],
    [
      'another @class',
      inPayload('@class', 'java.lang.Object'),
      'payload.@class is not org.apache.metron.maas.config.ModelEndpoint',
    ],
    [
      'two @class',
      whole.replace('"name":"spam","version"', '"@class":"org.apache.metron.maas.config.ModelEndpoint","version"'),
      'payload.@class is there twice',
    ],
    ['no payload', without('payload'), 'it has no payload'],
    ['a null payload', having('payload', null), 'payload is not an object but null'],
    ['a payload that is no object', having('payload', []), 'payload is not an object but an array'],
    ['no version', instance((it) => void delete it.payload['version']), 'payload.version is missing'],
    ['a null version', inPayload('version', null), 'payload.version is missing'],
    ['a version that is no text', inPayload('version', ['1']), 'payload.version is an array where clients want a text'],
    ['no data', '', 'it has no data'],
    ['white space', ' \n', 'it is not JSON: it is empty at byte 2'],
    ['an address, as the root of Curator holds', '10.0.0.1', 'it is not JSON: a value is missing at byte 0'],
    ['null', 'null', 'it is not an object but null'],
    ['{}', '{}', 'it has no payload'],
    ['[]', '[]', 'it is not an object but an array'],
    ['a text', '"spam"', 'it is not an object but a string'],
    ['half of it', whole.slice(0, 200), 'it is not JSON: it ends too early at byte 200'],
    ['all but the last byte', whole.slice(0, -1), `it is not JSON: it ends too early at byte ${whole.length - 1}`],
    [
      'a time as text',
      having('registrationTimeUTC', '2026-11-24T00:00:00Z'),
      'registrationTimeUTC is a text where clients want a number',
    ],
    ['a port as words', having('port', 'http'), 'port is a text where clients want a number'],
    ['a port beyond an int', having('port', 2 ** 31), 'port is a number that clients cannot hold'],
    ['a port that is no number', having('port', true), 'port is a boolean where clients want a number'],
    ['a lower-case type', having('serviceType', 'static'), 'serviceType is none of DYNAMIC, STATIC, PERMANENT'],
    [
      'the type of a later Curator',
      having('serviceType', 'DYNAMIC_SEQUENTIAL'),
      'serviceType is none of DYNAMIC, STATIC, PERMANENT',
    ],
    [
      'an object as the value of a function',
      inEndpoint('functions', { apply: { path: 'apply' } }),
      'payload.endpoint.functions.apply is an object where clients want a text',
    ],
    [
      'functions as a list',
      inEndpoint('functions', ['apply']),
      'payload.endpoint.functions is not an object but an array',
    ],
    ['an endpoint as text', inPayload('endpoint', 'http://h'), 'payload.endpoint is not an object but a string'],
    ['a uriSpec of another kind', having('uriSpec', { x: 1 }), 'uriSpec.x is a field that clients do not know'],
  ])('%s', (_, text, reason) => {
    expect(diagnose(utf8(text), 'spam', id)).toEqual({ verdict: 'fatal', reasons: [reason] });
  });

  test('all reasons are named', () => {
    const text = instance((it) => {
      Object.assign(it, { enabled: true, serviceType: 'static' });
      Object.assign(it.payload, { 'zone\u001b': 'a' });
    });
    expect(diagnose(utf8(text), 'spam', id)).toEqual({
      verdict: 'fatal',
      reasons: [
        'payload."zone\\u001b" is a field that clients do not know',
        'serviceType is none of DYNAMIC, STATIC, PERMANENT',
        'enabled is a field that clients do not know',
      ],
    });
  });
});

const reversed = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, below]) => [name, reversed(below)]),
      )
    : value;

describe('what clients read', () => {
  test.each([
    ['all of it', whole],
    ['no uriSpec', without('uriSpec')],
    ['no sslPort', without('sslPort')],
    ['no port', without('port')],
    ['no address', without('address')],
    ['no time', without('registrationTimeUTC')],
    ['no name', without('name')],
    ['no id', without('id')],
    ['a null port', having('port', null)],
    ['a null address', having('address', null)],
    ['a port as digits', having('port', '31544')],
    ['a version as number', inPayload('version', 2.3)],
    ['another order', JSON.stringify(reversed(JSON.parse(whole)))],
    ['white space', JSON.stringify(JSON.parse(whole), null, 2)],
    ['a byte order mark', `\ufeff${whole}`],
    ['STATIC', having('serviceType', 'STATIC')],
    ['DYNAMIC', having('serviceType', 'DYNAMIC')],
    ['PERMANENT', having('serviceType', 'PERMANENT')],
    ['no type', having('serviceType', null)],
    ['functions {}', inEndpoint('functions', {})],
    ['functions that are numbers', inEndpoint('functions', { apply: 1 })],
    ['a uriSpec', having('uriSpec', { parts: [{ value: 'scheme', variable: true }] })],
  ])('%s', (_, text) => {
    expect(diagnose(utf8(text), 'spam', id)).toMatchObject({
      verdict: 'readable',
      reasons: [],
      seen: { model: 'spam', version: '2.3', url: 'http://10.244.0.17:31544' },
    });
  });

  test.each([
    ['trailing bytes', `${whole} ...`, 'something follows the JSON; clients ignore it'],
    ['an empty version', inPayload('version', ''), 'payload.version is empty: any other version is higher'],
    [
      'no endpoint',
      inPayload('endpoint', null),
      'payload.endpoint is missing: calls of this model answer null, and the old LIST fails',
    ],
    [
      'null functions',
      inEndpoint('functions', null),
      'payload.endpoint.functions is missing: calls of this model answer null, and the old LIST fails',
    ],
    [
      'no url',
      inEndpoint('url', null),
      'payload.endpoint.url is not an http or https URL: calls of this model answer null',
    ],
    [
      'a wrong url',
      inEndpoint('url', '10.244.0.17:31544'),
      'payload.endpoint.url is not an http or https URL: calls of this model answer null',
    ],
    ['no payload.name', inPayload('name', null), 'payload.name is missing: no client finds the model'],
    ['another payload.name', inPayload('name', 'ham'), 'clients file it under ham, not under its directory spam'],
    ['another name', having('name', 'ham'), 'name is not that of its directory: the original cannot unregister it'],
    ['another id', having('id', '2'), 'id is not the name of its node: the original cannot unregister it'],
  ])('with a warning: %s', (_, text, reason) => {
    expect(diagnose(utf8(text), 'spam', id)).toMatchObject({ verdict: 'readable', reasons: [reason] });
  });
});

test('no bytes make it fail', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), (bytes) => {
      expect(diagnose(bytes, 'spam', id).verdict).toBe('fatal');
    }),
  );
});

test('a registration that was cut or changed in one byte gets a verdict', () => {
  const bytes = utf8(whole);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const changed = bytes.slice();
      changed[at] = byte;
      expect(['fatal', 'readable']).toContain(diagnose(changed, 'spam', id).verdict);
      expect(diagnose(bytes.subarray(0, at), 'spam', id).verdict).toBe('fatal');
    }),
  );
});
