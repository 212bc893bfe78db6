import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { namedToken, tokenFromFile } from './token-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'token-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('reads the token as it is now', async () => {
  const path = join(directory, 'token');
  const token = tokenFromFile(path);
  await writeFile(path, 'KAAKaGRmczovL25uMQ-_\n');
  expect(await token()).toBe('KAAKaGRmczovL25uMQ-_');
  await writeFile(path, 'next');
  expect(await token()).toBe('next');
});

it.each([
  ['', 'empty'],
  ['two words', 'words'],
  ['HDTS\u0000\u0001', 'binary'],
  ['x'.repeat(70_000), 'large'],
  ['a&op=DELETE', 'more'],
])('refuses what is no token, without showing it (%#)', async (text) => {
  const path = join(directory, 'token');
  await writeFile(path, text);
  const error = await tokenFromFile(path)().catch((problem) => problem);
  expect(error).toMatchObject({ code: 'HDFS_UNAUTHENTICATED' });
  if (text !== '') expect(error.message).not.toContain(text);
});

it('gives nothing while there is no file, and says which one cannot be read', async () => {
  expect(await tokenFromFile(join(directory, 'none'))()).toBeUndefined();
  await expect(tokenFromFile(directory)()).rejects.toMatchObject({
    code: 'HDFS_UNAUTHENTICATED',
    message: expect.stringContaining(directory),
  });
});

it('is no token where no file is named, and a failure that says who named it where it is not there', async () => {
  expect([namedToken('THE_FILE', undefined), namedToken('THE_FILE', '')]).toEqual([{}, {}]);
  const path = join(directory, 'named');
  const { token } = namedToken('THE_FILE', path);
  await expect(token?.()).rejects.toMatchObject({
    code: 'HDFS_UNAUTHENTICATED',
    message: `The file ${path}, which THE_FILE names, does not exist`,
  });
  await writeFile(path, 'abc\n');
  expect(await token?.()).toBe('abc');
});
