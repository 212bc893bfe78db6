/** Our reading and writing of registrations against Curator's own. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { advertisedUrl, parseEndpointFile } from '../../src/wire/endpoint-file.ts';
import { diagnose, encodeRegistration, payloadClass, type Registration } from '../../src/wire/service-instance.ts';
import { Codec } from './java.ts';

let codec: Codec;
beforeAll(async () => {
  codec = await Codec.start();
});
afterAll(async () => {
  await codec[Symbol.asyncDispose]();
});

const golden = (name: string) => readFileSync(new URL(`../goldens/registrations/${name}`, import.meta.url));
const port = golden('port.json');
const id = 'spam-7c9f-q2x4k-3f0b7c1e-8a41-4d7a-9a53-0c6d1f2e9b10';

test('Curator reads the goldens, and writes the same bytes', async () => {
  const functions = { apply: 'apply', explain: 'v1/explain' };
  const registeredAt = 1_796_083_200_123;
  const spam = { model: 'spam', version: '2.3', id, url: 'http://10.244.0.17:31544', functions, registeredAt };
  expect((await codec.encode(spam)).toString()).toBe(port.toString());
  expect(await codec.decode(port)).toMatchObject({
    event: 'decoded',
    endpoint: { model: 'spam', version: '2.3', id, url: spam.url, functions },
    registeredAt,
  });
  const portless = { ...spam, id: 'a', url: 'https://models.example/spam/', functions: { apply: 'apply' } };
  expect((await codec.encode(portless)).toString()).toBe(golden('no-port.json').toString());
});

/** Text that can be UTF-8. */
const text = fc.string({ unit: 'binary', maxLength: 10 });
const url = fc
  .tuple(
    fc.constantFrom('http', 'https'),
    fc.constantFrom('10.244.0.17', 'node7.example', 'fd00::17'),
    fc.option(fc.integer({ min: 1, max: 65_535 })),
    fc.constantFrom('', '/', '/base', '/base/v1/'),
  )
  .map(([scheme, host, number, path]) =>
    advertisedUrl(
      parseEndpointFile(JSON.stringify({ url: `${scheme}://0.0.0.0${number === null ? '' : `:${number}`}${path}` })),
      host,
    ),
  );
const registration: fc.Arbitrary<Registration> = fc.record({
  model: text,
  version: text,
  id: text,
  url,
  functions: fc.dictionary(text, text, { maxKeys: 5 }),
  registeredAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
});

test('what we write has the bytes that Curator writes', async () => {
  await fc.assert(
    fc.asyncProperty(registration, async (any) => {
      expect(new TextDecoder().decode(encodeRegistration(any))).toBe((await codec.encode(any)).toString());
    }),
    { numRuns: 500 },
  );
});

test('what we write, Curator reads as it was meant', async () => {
  await fc.assert(
    fc.asyncProperty(registration, async (any) => {
      const { model, version, functions, registeredAt } = any;
      expect(await codec.decode(encodeRegistration(any))).toMatchObject({
        event: 'decoded',
        endpoint: { model, version, id: any.id, url: any.url, functions },
        registeredAt,
      });
    }),
    { numRuns: 500 },
  );
});

async function expectSameVerdict(bytes: Uint8Array): Promise<void> {
  const theirs = await codec.decode(bytes);
  const ours = diagnose(bytes, 'spam', id);
  expect({ verdict: ours.verdict, reasons: ours.reasons, theirs }).toMatchObject({
    verdict: theirs.event === 'fatal' ? 'fatal' : 'readable',
  });
  if (theirs.event !== 'decoded' || ours.verdict !== 'readable') return;
  const { seen } = ours;
  expect({
    model: seen.model ?? null,
    version: seen.version,
    id: seen.containerId ?? null,
    url: seen.url ?? null,
    functions: seen.functions ?? null,
  }).toEqual(
    // A function's null is no path, as an empty text is none.
    { ...theirs.endpoint, functions: theirs.endpoint.functions && noNulls(theirs.endpoint.functions) },
  );
  expect(seen.registeredAt).toBe(theirs.registeredAt);
}

function noNulls(functions: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(functions).map(([name, path]) => [name, path ?? '']));
}

/** Raw JSON that may stand where any value is wanted. */
const value = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '""', '" "', '{}', '[]', '[1]', '{"a":1}', '{"a":{}}', '{"a":null}'),
  fc.constantFrom(
    '0',
    '-1',
    '-0',
    '1',
    '2',
    '3',
    '1.5',
    '1e3',
    '-1.9',
    '2147483647',
    '2147483648',
    '-2147483649',
    '1e12',
  ),
  fc.constantFrom(
    '"0"',
    '"-1"',
    '" 7 "',
    '"+7"',
    '"1.5"',
    '"2147483648"',
    '"-2147483649"',
    '"1796083200123"',
    '"null"',
  ),
  fc.constantFrom('"STATIC"', '"static"', '" STATIC"', '"DYNAMIC"', '"PERMANENT"', '"DYNAMIC_SEQUENTIAL"'),
  fc.constantFrom(
    `"${payloadClass}"`,
    '"org.apache.metron.maas.config.Endpoint"',
    '"java.lang.Object"',
    '"java.util.HashMap"',
  ),
  fc.constantFrom(
    '{"parts":[]}',
    '{"parts":null}',
    '{"parts":[{"value":"scheme","variable":true}]}',
    '{"parts":[{"value":1,"variable":1}]}',
    '{"parts":[{"value":null,"variable":null}]}',
    '{"parts":[{"value":null,"variable":"true"}]}',
    '{"parts":[{}]}',
    '{"parts":[null]}',
    '{"parts":{}}',
  ),
  fc.json({ maxDepth: 2 }),
);

type Place = readonly ['top' | 'payload' | 'endpoint' | 'functions', string];
const places: readonly Place[] = [
  ...['name', 'id', 'address', 'port', 'sslPort', 'payload', 'registrationTimeUTC', 'serviceType', 'uriSpec'].map(
    (name): Place => ['top', name],
  ),
  ...['@class', 'endpoint', 'name', 'version', 'containerId'].map((name): Place => ['payload', name]),
  ...['url', 'functions'].map((name): Place => ['endpoint', name]),
  ...['apply', 'other'].map((name): Place => ['functions', name]),
  ['top', 'enabled'],
  ['payload', 'zone'],
  ['endpoint', 'Url'],
  ['top', '@class'],
];

/** The golden as nested lists of members with raw values, so that order, repetition and rawness can be played with. */
function render(changes: readonly Change[]): string {
  const object = (where: Place[0], members: [string, string][]): string => {
    for (const change of changes) {
      if (change.place[0] !== where) continue;
      const name = change.place[1];
      const at = members.findIndex(([known]) => known === name);
      if (change.how === 'remove') members = members.filter(([known]) => known !== name);
      else if (change.how === 'repeat' || at < 0)
        members.splice(change.at % (members.length + 1), 0, [name, change.value]);
      else members[at] = [name, change.value];
    }
    return `{${members.map(([name, raw]) => `${JSON.stringify(name)}:${raw}`).join(',')}}`;
  };
  const functions = object('functions', [['apply', '"apply"']]);
  const endpoint = object('endpoint', [
    ['url', '"http://10.244.0.17:31544"'],
    ['functions', functions],
  ]);
  const payload = object('payload', [
    ['@class', `"${payloadClass}"`],
    ['endpoint', endpoint],
    ['name', '"spam"'],
    ['version', '"2.3"'],
    ['containerId', `"${id}"`],
  ]);
  return object('top', [
    ['name', '"spam"'],
    ['id', `"${id}"`],
    ['address', '"10.244.0.17"'],
    ['port', '31544'],
    ['sslPort', 'null'],
    ['payload', payload],
    ['registrationTimeUTC', '1796083200123'],
    ['serviceType', '"STATIC"'],
    ['uriSpec', 'null'],
  ]);
}

interface Change {
  readonly place: Place;
  readonly how: 'set' | 'remove' | 'repeat';
  readonly value: string;
  readonly at: number;
}
const change: fc.Arbitrary<Change> = fc
  .record({
    place: fc.constantFrom(...places),
    how: fc.constantFrom('set' as const, 'set' as const, 'remove' as const, 'repeat' as const),
    value,
    at: fc.nat(9),
  })
  .filter(({ place, how }) => !(how === 'repeat' && place[1] === 'payload'));

test('we find readable or fatal what Curator does, whichever field is changed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), async (changes) => {
      await expectSameVerdict(Buffer.from(render(changes)));
    }),
    { numRuns: 4_000 },
  );
});

test('... whichever byte is changed, as long as it is text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(port.length - 1), fc.integer({ min: 0, max: 127 }), async (at, byte) => {
      const bytes = Buffer.from(port);
      bytes[at] = byte;
      await expectSameVerdict(bytes);
    }),
    { numRuns: 4_000 },
  );
});

test('... wherever it is cut', async () => {
  for (let length = 0; length <= port.length; length++) await expectSameVerdict(port.subarray(0, length));
});

test('no bytes that are fatal to Curator pass as readable', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(port.length), fc.nat(3), fc.uint8Array({ maxLength: 4 }), async (at, cut, noise) => {
      const bytes = Buffer.concat([port.subarray(0, at), noise, port.subarray(at + cut)]);
      const theirs = await codec.decode(bytes);
      if (theirs.event === 'fatal') expect(diagnose(bytes, 'spam', id).verdict).toBe('fatal');
    }),
    { numRuns: 4_000 },
  );
});
