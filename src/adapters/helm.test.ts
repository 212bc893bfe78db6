import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { runHelm } from './helm.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'helm-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function program(script: string): string {
  const path = join(directory, 'helm');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

it('is given its arguments and its input', async () => {
  const seen = join(directory, 'seen');
  const helm = program(`{ printf '%s\\n' "$@"; cat; } > '${seen}'`);
  expect(await runHelm(helm, ['upgrade', 'a b'], 'key: value\n')).toBe(0);
  expect(readFileSync(seen, 'utf8')).toBe('upgrade\na b\nkey: value\n');
});

it('ends with its own status, whether it has read its input or not', async () => {
  expect(await runHelm(program('exit 7'), [], 'x'.repeat(1_000_000))).toBe(7);
});

it('says what to do where there is none', async () => {
  expect(await failure(runHelm(join(directory, 'none'), [], ''))).toMatchObject({
    code: 'HELM_FAILED',
    next: expect.stringContaining('HELM'),
  });
});
