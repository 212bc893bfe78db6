import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { contentDigest, localContentDigest } from './content-digest.ts';
import { readLocalPayload } from './local-payload.ts';

const file = (path: string, text: string, hex: string) => ({ path, length: text.length, sha256: hex.repeat(64) });

it('is one of the files, in whatever order', () => {
  const [one, other] = [file('a', 'x', '1'), file('b/c', 'xy', '2')];
  expect(contentDigest([one, other])).toBe(contentDigest([other, one]));
  const changed = [
    { ...one, path: 'd' },
    { ...one, length: 2 },
    { ...one, sha256: '3'.repeat(64) },
  ];
  expect(new Set([one, ...changed].map((each) => contentDigest([each, other]))).size).toBe(4);
});

it('is the same for the same files on another disk', async () => {
  const digestOf = async (text: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'digest-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'run.sh'), text);
    mkdirSync(join(directory, 'd'));
    writeFileSync(join(directory, 'd/weights'), 'w');
    return await localContentDigest((await readLocalPayload(directory)).files);
  };
  expect(await digestOf('one')).toBe(await digestOf('one'));
  expect(await digestOf('one')).not.toBe(await digestOf('two'));
  expect(await digestOf('one')).toMatch(/^sha256:[0-9a-f]{64}$/);
});
