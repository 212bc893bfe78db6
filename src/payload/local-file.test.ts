import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { failure } from '../../test/builders/failure.ts';
import { asMaasError } from '../contracts/errors.ts';
import { checkUnchanged, type LocalFile, localFailure, readLocalFile, statusOf } from './local-file.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'local-file-'));
  chmodSync(root, 0o755);
});
afterEach(() => rmSync(root, { recursive: true }));

function listed(name: string, content: string | Buffer): LocalFile {
  const from = join(root, name);
  writeFileSync(from, content);
  const { size, mtimeMs } = statSync(from);
  return { path: name, from, length: size, modificationTimeMs: mtimeMs };
}

async function content(file: LocalFile): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readLocalFile(file)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a local file', () => {
  it.each([0, 1, 262_143, 262_144, 262_145, 1_000_000])('of %i bytes is read as it is', async (length) => {
    const bytes = Buffer.alloc(length, 'abcdefg');
    const file = listed('f', bytes);
    expect((await content(file)).equals(bytes)).toBe(true);
    await checkUnchanged(file);
  });

  it('that grows while it is read is told of before more than was announced is sent', async () => {
    const file = listed('f', Buffer.alloc(600_000));
    let read = 0;
    const reading = (async () => {
      for await (const chunk of readLocalFile(file)) {
        if (read === 0) writeFileSync(file.from, Buffer.alloc(2_000_000));
        read += chunk.length;
      }
    })();
    expect(await failure(reading)).toMatchObject({ code: 'LOCAL_FILE_CHANGED' });
    expect(read).toBeLessThanOrEqual(600_000);
  });

  it.each<[string, (at: string) => void]>([
    ['a directory', (at) => mkdirSync(at)],
    ['a FIFO, at which nobody writes', (at) => execFileSync('mkfifo', [at])],
    ['a link that leads to itself', (at) => symlinkSync(at, at)],
    ['nothing', () => {}],
  ])('in whose place is %s is told of with its name', async (_what, make) => {
    const file = listed('f', 'x');
    rmSync(file.from);
    make(file.from);
    for (const look of [content, checkUnchanged]) {
      const error = await failure(look(file));
      expect([error.code, error.message]).toEqual([
        expect.stringMatching(/^LOCAL_FILE_(CHANGED|UNREADABLE)$/),
        expect.stringContaining(`"${file.from}"`),
      ]);
    }
  });

  it('whose path is too long for the system is told of', async () => {
    expect(await failure(statusOf(`${root}/${'x/'.repeat(3_000)}`))).toMatchObject({
      code: 'LOCAL_FILE_UNREADABLE',
      message: expect.stringContaining('too long'),
    });
  });
});

describe('what the system says of a file', () => {
  const said = (code: string) =>
    asMaasError(localFailure('/m/f', Object.assign(new Error(`${code}: x`), { code, syscall: 'read' })));

  it.each([
    ['EACCES', 'LOCAL_FILE_UNREADABLE', 'permission denied'],
    ['EPERM', 'LOCAL_FILE_UNREADABLE', 'permission denied'],
    ['EIO', 'LOCAL_FILE_UNREADABLE', 'input/output error'],
    ['EMFILE', 'LOCAL_FILE_UNREADABLE', 'too many open files'],
    ['ENFILE', 'LOCAL_FILE_UNREADABLE', 'too many open files'],
    ['ELOOP', 'LOCAL_FILE_UNREADABLE', 'links'],
    ['ENAMETOOLONG', 'LOCAL_FILE_UNREADABLE', 'too long'],
    ['ESTALE', 'LOCAL_FILE_UNREADABLE', 'network file system'],
    ['EREMOTEIO', 'LOCAL_FILE_UNREADABLE', 'EREMOTEIO'],
    ['ENOENT', 'LOCAL_FILE_CHANGED', 'went away'],
    ['ENOTDIR', 'LOCAL_FILE_CHANGED', 'went away'],
    ['EISDIR', 'LOCAL_FILE_CHANGED', 'became a directory'],
  ])('%s is %s', (code, expected, message) => {
    expect(said(code)).toMatchObject({ code: expected, message: expect.stringContaining(message) });
    expect(said(code).message).toContain('"/m/f"');
  });
});

it('a user who may not read some of a directory hears of all of it before anything is sent', () => {
  writeFileSync(join(root, 'run.sh'), '');
  for (const name of ['a', 'b']) {
    writeFileSync(join(root, name), '');
    chmodSync(join(root, name), 0);
  }
  mkdirSync(join(root, 'closed'));
  const program = `
    import { readLocalPayload } from ${JSON.stringify(join(projectRoot, 'src/payload/local-payload.ts'))};
    const said = await readLocalPayload(process.argv[1]).catch((error) => error);
    console.log(said.code, said.message);`;
  // Root may read everything, so somebody else looks.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const look = () =>
    execFileSync(process.execPath, ['--input-type=module', '--no-warnings', '-e', program, root], {
      ...nobody,
      encoding: 'utf8',
    });
  expect(look()).toBe(
    `LOCAL_FILE_UNREADABLE "${root}" holds what cannot be read: "a" (permission denied), "b" (permission denied)\n`,
  );
  chmodSync(join(root, 'closed'), 0);
  expect(look()).toBe(`LOCAL_FILE_UNREADABLE "${join(root, 'closed')}" cannot be read: permission denied\n`);
});
