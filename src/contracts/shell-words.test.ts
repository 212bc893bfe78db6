import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lookAtScript } from './script-text.ts';
import { restartLine, scriptFile, shellWords } from './shell-words.ts';

it('a fault reaches the operator over the shell as it was found, whatever the script holds', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', '#!', '#!/bin/sh\r\n', '\ufeff#!'),
      fc.string(),
      fc.string(),
      (head, tail, name) => {
        const text = lookAtScript(name, Buffer.from(head + tail));
        const file = scriptFile(text);
        expect(file.split('\n')).toHaveLength(4);
        const [interpreter, program, word] = file.split('\n');
        expect([interpreter, program]).toEqual([text.interpreter ?? '', text.program ?? '']);
        const {
          fault: heard,
          others,
          status,
        } = shellWords(`its own output\nmaas: ${word}\nmaas: the script ended with status 127\n`);
        expect(status).toBe(127);
        if (text.fault !== undefined) expect(others).toBe('its own output');
        expect(heard?.what).toBe(text.fault?.what);
        expect(heard?.next).toBe(text.fault?.next);
        expect(heard?.code === undefined).toBe(text.fault?.certain !== true);
      },
    ),
  );
});

it.each([
  '',
  'maas: SCRIPT_UNHEARD_OF: x',
  'maas: the script ended with status 1',
  'said maas: SCRIPT_NOT_RUNNABLE: x',
])('nothing is heard in %j', (output) => expect(shellWords(output).fault).toBeUndefined());

it('why the agent had the script ended reaches the operator with its code', () => {
  const line = restartLine({ code: 'ENDPOINT_MISSING', message: 'no endpoint.dat within 10m: run.sh' });
  const { restart, status } = shellWords(`loading\nmaas: restarting: ${line}\n`);
  expect(restart).toEqual({ code: 'ENDPOINT_MISSING', what: 'no endpoint.dat within 10m: run.sh' });
  expect(status).toBeUndefined();
});

it.each([
  ['a code of another version', 'maas: restarting: MOON_TOO_BRIGHT: it is', 'MOON_TOO_BRIGHT: it is'],
  ['no code', 'maas: restarting: because', 'because'],
])('%s is told as it came', (_what, output, what) => {
  expect(shellWords(output).restart).toEqual({ code: undefined, what });
});
