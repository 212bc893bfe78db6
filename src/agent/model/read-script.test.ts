import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readScript } from './read-script.ts';

let payload: string;
beforeEach(() => {
  payload = mkdtempSync(join(tmpdir(), 'read-script-'));
});
afterEach(() => rmSync(payload, { recursive: true }));

it('tells who is to run it, and what is wrong with it', async () => {
  writeFileSync(join(payload, 'run.sh'), '#!/usr/bin/env python3\nprint(1)\n');
  expect(await readScript(payload, 'run.sh')).toEqual({ interpreter: '/usr/bin/env', program: 'python3' });
  writeFileSync(join(payload, 'run.sh'), '#!/bin/bash\r\n');
  expect((await readScript(payload, 'run.sh')).fault?.what).toContain('carriage return');
});

it.each<[string, (at: string) => void]>([
  ['nothing', () => {}],
  ['a link, which may lead anywhere', (at) => symlinkSync('/etc/passwd', at)],
  ['a FIFO, at which one could wait for ever', (at) => execFileSync('mkfifo', [at])],
  ['a directory', (at) => mkdirSync(at)],
])('knows nothing of %s', async (_what, make) => {
  make(join(payload, 'run.sh'));
  expect(await readScript(payload, 'run.sh')).toEqual({});
});
