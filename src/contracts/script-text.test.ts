import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { lookAtScript, scriptHeadBytes } from './script-text.ts';

const look = (text: string | Uint8Array) =>
  lookAtScript('run.sh', typeof text === 'string' ? new TextEncoder().encode(text) : text);

describe('who runs a script', () => {
  it.each<[string, { interpreter?: string; program?: string }]>([
    ['#!/bin/bash\necho\n', { interpreter: '/bin/bash' }],
    ['#! /bin/bash \n', { interpreter: '/bin/bash' }],
    ['#!\t/bin/sh\t-e -u\n', { interpreter: '/bin/sh' }],
    ['#!/bin/sh', { interpreter: '/bin/sh' }],
    ['#!/usr/bin/env python2\n', { interpreter: '/usr/bin/env', program: 'python2' }],
    ['#!/usr/bin/env -S python3 -u\n', { interpreter: '/usr/bin/env', program: 'python3' }],
    ['#!/usr/bin/env -iS LANG=C bash -e\n', { interpreter: '/usr/bin/env', program: 'bash' }],
    ['#!/usr/bin/env -u X bash\n', { interpreter: '/usr/bin/env' }],
    ['#!/usr/bin/env\n', { interpreter: '/usr/bin/env' }],
    ['#!python\n', { interpreter: 'python' }],
    ['#!/opt/pythön\n', { interpreter: '/opt/pythön' }],
    ['#!/usr/bin/python\nprint(1)\r\n', { interpreter: '/usr/bin/python' }],
    ['echo no line of this kind\n', {}],
    ['# !/bin/bash\n', {}],
    [' #!/bin/bash\n', {}],
    ['#!/bin/bash\nexit 0\n\0\r\nan archive', { interpreter: '/bin/bash' }],
    // What a shell sees of a carriage return that ends no line is in quotes, if its author knows.
    ["printf 'HTTP/1.1 200 OK\r'", {}],
  ])('%j', (text, expected) => {
    expect(look(text)).toEqual(expected);
  });
});

const utf16 = (text: string) => Buffer.from(text, 'utf16le');

describe('what keeps a script from running', () => {
  it.each<[string, string | Uint8Array, boolean, string]>([
    [
      'a first line from Windows',
      '#!/bin/bash\r\necho\r\n',
      true,
      'the first line of "run.sh" ends with a carriage return, so it asks for "/bin/bash\\r"',
    ],
    ['one with env', '#!/usr/bin/env python\r\n', true, 'asks for "/usr/bin/env python\\r"'],
    ['one with an argument', '#!/bin/sh -e\r\n', true, 'asks for "/bin/sh -e\\r"'],
    ['one without a line break', '#!/bin/sh\r', true, 'asks for "/bin/sh\\r"'],
    ['one that names nobody', '#!\r\n', true, 'asks for "\\r"'],
    [
      'later lines from Windows',
      '#!/bin/bash\necho\n\ncd /\r\n',
      false,
      'line 4 of "run.sh" ends with a carriage return',
    ],
    [
      'no first line of that kind',
      'cd lib\r\npython x.py\r\n',
      false,
      'line 1 of "run.sh" ends with a carriage return',
    ],
    ['a shell by env', '#!/usr/bin/env bash\ncd /\r\n', false, 'line 2 of "run.sh" ends with a carriage return'],
    ['a mark before a shell', '\ufeff#!/bin/bash\necho\n', false, 'begins with a byte order mark'],
    ['a mark before another', '\ufeff#!/usr/bin/python3\nimport os\n', true, 'so nobody sees the #! behind it'],
    ['a mark before text', '\ufeffecho\n', false, '"run.sh" begins with a byte order mark (BOM)'],
    ['UTF-16 with a mark', utf16('\ufeff#!/bin/bash\n'), true, '"run.sh" is stored as UTF-16'],
    ['UTF-16 without one', utf16('#!/bin/bash\n'), true, 'stored as UTF-16'],
    ['UTF-16 the other way round', utf16('#!/bin/bash\n').swap16(), true, 'stored as UTF-16'],
    ['nothing', '', true, '"run.sh" is empty'],
    ['a program', '\u007fELF\u0002\u0001\u0001\0\0\0', true, 'is no text'],
    ['nobody after #!', '#!\necho\n', true, 'names nobody'],
    ['nobody after #! and spaces', '#!  \t\n', true, 'names nobody'],
    ['a very long path', `#!/${'x'.repeat(300)}\n`, true, 'longer than the 255 bytes'],
    ['several words for env', '#!/usr/bin/env python -u\n', true, '"python -u", for one word'],
    ['a variable for env', '#!/usr/bin/env LANG=C bash\n', true, '"LANG=C bash", for one word'],
  ])('%s', (_what, text, certain, message) => {
    const { fault } = look(text);
    expect(fault?.what).toContain(message);
    expect(fault?.certain).toBe(certain);
    expect(fault?.next).toMatch(/\w/);
  });

  it('is told in one line, whatever the script holds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('', '#!', '#!/usr/bin/env ', '\ufeff#!', '#!/bin/sh '),
        fc.uint8Array({ maxLength: 400 }),
        fc.string(),
        (head, tail, name) => {
          const { fault, interpreter, program } = lookAtScript(name, Buffer.concat([Buffer.from(head), tail]));
          expect(`${fault?.what}${fault?.next}`).not.toMatch(/[\n\r\0]/);
          // Where there is no fault that is certain, and a first line of that kind, somebody is named.
          if (fault?.certain !== true && head === '#!/bin/sh ') expect(interpreter).toBe('/bin/sh');
          expect(program === undefined || interpreter !== undefined).toBe(true);
        },
      ),
    );
  });

  it('is looked for at the beginning alone', () => {
    expect(look(`#!/bin/sh\n${'#\n'.repeat(scriptHeadBytes)}cd /\r\n`)).toEqual({ interpreter: '/bin/sh' });
  });
});

describe('held against the kernel', () => {
  const directory = mkdtempSync(join(tmpdir(), 'script-text-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let count = 0;

  /** Does the interpreter that is named get the script? It is one that says so. */
  function runs(first: string): boolean {
    const script = join(directory, `script-${++count}`);
    writeFileSync(script, first);
    chmodSync(script, 0o755);
    // Not by spawn itself, which gives to a shell what the kernel refuses.
    const execute = 'process.execve(process.argv[1], [process.argv[1]], process.env)';
    const answer = spawnSync(process.execPath, ['--no-warnings', '-e', execute, script]);
    return answer.status === 0 && answer.stdout.includes(script);
  }
  const real = '/bin/echo';
  it.each<[string]>([
    [`#!${real}\n`],
    [`#! ${real} \n`],
    [`#!\t${real}\tword\n`],
    [`#!${real}`],
    [`#!${real}\r\n`],
    [`#!${real} word\r\n`],
    [`#!/usr/bin/env echo\n`],
    [`#!/usr/bin/env echo\r\n`],
    [`#!/usr/bin/env echo word\n`],
    [`#!/usr/bin/env -S echo word\n`],
    [`#!\n`],
    [`#! \t\n`],
    [`#!${real} ${'x'.repeat(300)}\n`],
    [`#!${'/'.repeat(254 - 2 - real.length)}${real}\n`],
    [`#!${'/'.repeat(300)}${real}\n`],
    [`\ufeff#!${real}\n`],
    [`# !${real}\n`],
  ])('%j', (first) => {
    const { fault, interpreter } = look(first);
    const expected = interpreter !== undefined && fault?.certain !== true;
    // The kernel hands a carriage return in an argument on: it is the interpreter that stumbles.
    if (first.endsWith('word\r\n')) expect(fault?.certain).toBe(true);
    else expect(runs(first)).toBe(expected);
  });
});
