import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JsonValue, membersOf, readJavaJson } from './java-json.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

/** As JSON.parse would give it. */
function plain(value: JsonValue): unknown {
  switch (value.kind) {
    case 'null':
      return null;
    case 'number':
      return Number(value.text);
    case 'array':
      return value.items.map(plain);
    case 'object':
      return Object.fromEntries(value.members.map((member) => [member.name, plain(member.value)]));
    default:
      return value.value;
  }
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

test('reads every JSON text as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 1, 3), (value, indent) => {
      const reading = readJavaJson(utf8(JSON.stringify(value, null, indent)));
      expect(reading.ok && plain(reading.value)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(reading.ok && reading.trailing).toBe(false);
    }),
  );
});

test('accepts no text that JSON.parse refuses, but for what follows the first value', () => {
  const noise = fc.string({ unit: fc.constantFrom(...'{}[]",:\\/untrfalse0123.-+eE \n\t'), maxLength: 12 });
  fc.assert(
    fc.property(noise, (text) => {
      const reading = readJavaJson(utf8(text));
      const reference = parsed(text);
      if (reference !== undefined) expect(reading.ok && plain(reading.value)).toEqual(reference.value);
      else if (reading.ok) expect(reading.trailing).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('calls each beginning of an object incomplete, and nothing else about it wrong', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.nat(), (value, at) => {
      const text = utf8(JSON.stringify(value, null, 1));
      const reading = readJavaJson(text.subarray(0, at % text.length));
      expect(reading).toMatchObject({ ok: false, incomplete: true });
    }),
  );
});

test.each([
  ["{'a':1}", 'a name in double quotes is missing'],
  ['{"a" 1}', 'a colon is missing'],
  ['{"a":1 "b":2}', 'a comma or } is missing'],
  ['[1 2]', 'a comma or ] is missing'],
  ['{"a":1,}', 'a name in double quotes is missing'],
  ['{"a":None}', 'a value is missing'],
  ['{"a":+1}', 'a value is missing'],
  ['{"a":01}', 'a value is missing'],
  ['{"a":"\n"}', 'a string holds an unescaped control character'],
  ['{"a":"\\x"}', 'a backslash is followed by a letter it cannot stand before'],
  ['{"a":"\\u00g0"}', 'a \\u is not followed by four digits'],
  ['// no\n{}', 'a value is missing'],
  ['['.repeat(100_000), 'it nests too deeply'],
])('refuses %.40s', (text, reason) => {
  expect(readJavaJson(utf8(text))).toMatchObject({ ok: false, reason, incomplete: false });
});

test('refuses a string that is not UTF-8', () => {
  expect(readJavaJson(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ ok: false, reason: 'a string is not UTF-8' });
});

test('skips a byte order mark and ignores what follows the value', () => {
  expect(readJavaJson(utf8('\ufeff {} '))).toEqual({
    ok: true,
    value: { kind: 'object', members: [] },
    trailing: false,
  });
  expect(readJavaJson(Uint8Array.of(0x7b, 0x7d, 0xff, 0x00))).toMatchObject({ ok: true, trailing: true });
});

test('keeps repeated names in order; the last one counts', () => {
  const reading = readJavaJson(utf8('{"a":1,"b":2,"a":3,"__proto__":4}'));
  if (!reading.ok || reading.value.kind !== 'object') throw new Error('not an object');
  expect(reading.value.members.map((member) => member.name)).toEqual(['a', 'b', 'a', '__proto__']);
  expect(membersOf(reading.value)?.get('a')).toEqual({ kind: 'number', text: '3' });
});
