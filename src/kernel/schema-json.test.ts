import { expect, it } from 'vitest';
import { z } from 'zod';
import { readJson } from './schema-json.ts';

const schema = z.object({ name: z.string(), ports: z.array(z.object({ port: z.number() })) });

it('gives the value that the schema makes of it', () => {
  expect(readJson('{"name":"dga","ports":[{"port":1}],"more":2}', schema)).toEqual({
    value: { name: 'dga', ports: [{ port: 1 }] },
  });
});

it.each([
  ['', /^not JSON$/],
  ['{', /^not JSON$/],
  ['[]', /^top level: /],
  ['{"ports":[{"port":"x"}]}', /^name: .*; ports\.0\.port: /],
])('%j is not, and it says why', (text, problem) => {
  const read = readJson(text, schema);
  expect(read.value).toBeUndefined();
  expect(read.problem).toMatch(problem);
  expect(read.cause).toBeInstanceOf(Error);
});
