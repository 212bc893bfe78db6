import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lookAtScript } from './script-text.ts';
import { scriptFile, scriptWord } from './script-word.ts';

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
        const heard = scriptWord(`its own output\nmaas: ${word}\nmaas: the script ended with status 127\n`);
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
])('nothing is heard in %j', (output) => expect(scriptWord(output)).toBeUndefined());
