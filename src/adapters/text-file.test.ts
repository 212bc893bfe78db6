import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { readText, readTextIfAny } from './text-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'text-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('reads a file', async () => {
  const path = join(directory, 'a');
  writeFileSync(path, 'text');
  expect([await readText(path), await readTextIfAny(path)]).toEqual(['text', 'text']);
});

it('takes no text for another one', async () => {
  const path = join(directory, 'latin1');
  writeFileSync(path, Buffer.from('host\nmünchen\nzürich\n', 'latin1'));
  expect(await failure(readText(path))).toMatchObject({ code: 'LOCAL_PATH_INVALID', message: /not UTF-8: see line 2/ });
});

it('tells a file that is not there from one that cannot be read', async () => {
  const gone = join(directory, 'gone');
  expect(await readTextIfAny(gone)).toBeUndefined();
  expect(await failure(readText(gone))).toMatchObject({ code: 'LOCAL_PATH_INVALID' });
  expect(await failure(readTextIfAny(directory))).toMatchObject({ code: 'SETTINGS_INVALID' });
  expect(await failure(readText(directory))).toMatchObject({ code: 'LOCAL_PATH_INVALID' });
});
