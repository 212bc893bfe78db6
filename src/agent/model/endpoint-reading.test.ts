import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEndpoint, readStartMark } from './endpoint-reading.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'endpoint-'));
  path = join(directory, 'endpoint.dat');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const problemOf = async () => {
  const reading = await readEndpoint(path);
  return reading.kind === 'unusable' ? `${reading.problem.code}: ${reading.problem.message}` : reading.kind;
};

describe('readEndpoint', () => {
  it('takes scheme, port, path and functions', async () => {
    writeFileSync(path, '{"url":\n "http://0.0.0.0:1500/m", "functions": {"apply": "echo"}}');
    expect(await readEndpoint(path)).toEqual({
      kind: 'valid',
      endpoint: { scheme: 'http', port: 1500, path: '/m', functions: { apply: 'echo' }, otherHost: undefined },
    });
  });

  it('says when there is none', async () => {
    expect(await problemOf()).toBe('absent');
  });

  it('refuses a link, even to a good file', async () => {
    writeFileSync(join(directory, 'real'), '{"url": "http://0.0.0.0:1500"}');
    symlinkSync('real', path);
    expect(await problemOf()).toBe('ENDPOINT_UNSAFE: endpoint.dat is a symbolic link');
  });

  it('refuses a pipe without waiting for a writer', async () => {
    execFileSync('mkfifo', [path]);
    expect(await problemOf()).toBe('ENDPOINT_UNSAFE: endpoint.dat is not a regular file');
  });

  it('refuses a directory', async () => {
    mkdirSync(path);
    expect(await problemOf()).toBe('ENDPOINT_UNSAFE: endpoint.dat is not a regular file');
  });

  it('refuses what is too large', async () => {
    writeFileSync(path, `{"url": "http://0.0.0.0:1500"}${' '.repeat(65_536)}`);
    expect(await problemOf()).toBe('ENDPOINT_UNSAFE: endpoint.dat is larger than 65536 bytes');
  });

  it('says what is wrong with a half-written one', async () => {
    writeFileSync(path, '{"url": "http://0.0');
    expect(await problemOf()).toContain('ENDPOINT_NOT_JSON');
  });
});

describe('readStartMark', () => {
  it('changes when the file is rewritten', () => {
    const mark = join(directory, 'started');
    expect(readStartMark(mark)).toBeUndefined();
    writeFileSync(mark, 'a');
    utimesSync(mark, 1, 1);
    const first = readStartMark(mark);
    expect(first).toBeDefined();
    expect(readStartMark(mark)).toBe(first);
    writeFileSync(mark, 'a');
    expect(readStartMark(mark)).not.toBe(first);
  });
});
