/** The WebHDFS adapter against the real HDFS: two name nodes, two data nodes. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hdfs, openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { HdfsChecksum } from '../../src/payload/hdfs-checksum.ts';
import { failure } from '../builders/failure.ts';
import { plainHdfsChecksum } from '../builders/fake-webhdfs.ts';
import { realHdfsSettings } from './hdfs-settings.ts';
import { activeNameNode, docker, openRealHdfs, ownDirectory } from './hdfs-world.ts';
import { present } from './world.ts';

const hdfs = openRealHdfs();
const { nameservice, namenodes, datanodes, user } = present('hdfs');
let own: Awaited<ReturnType<typeof ownDirectory>>;
beforeAll(async () => {
  own = await ownDirectory(hdfs);
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
});

const at = (name: string) => `${own.path}/${name}`;
const put = (name: string, bytes: Buffer | string, options: { blockSize?: number; overwrite?: boolean } = {}) => {
  const buffer = Buffer.from(bytes);
  return hdfs.write(
    at(name),
    async function* () {
      for (let from = 0; from < buffer.length; from += 65_536) yield buffer.subarray(from, from + 65_536);
    },
    { length: buffer.length, ...options },
  );
};

async function readAll(from: Hdfs, path: string, options: Parameters<Hdfs['read']>[1] = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await from.read(path, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('names', () => {
  it.each([
    'plain',
    'a b',
    ' leading and trailing ',
    '50%',
    'a%20b',
    '%2F',
    'ü',
    '日本語',
    '😀',
    'x?y#z',
    'a&b=c+d;e',
    "it's",
    '"quoted"',
    '[{*}]',
    'back\\slash',
    '~tilde',
    '-dash',
    '.hidden',
    'ö'.repeat(127),
  ])('%s goes through every call', async (name) => {
    const directory = at(`names/${name}`);
    await hdfs.mkdirs(directory);
    await put(`names/${name}/file ${name.slice(0, 40)}`, name);
    const [file] = await hdfs.list(directory);
    expect(file).toMatchObject({ name: `file ${name.slice(0, 40)}`, type: 'FILE', length: Buffer.byteLength(name) });
    const path = `${directory}/${file?.name}`;
    expect(await hdfs.status(path)).toMatchObject({ fileId: file?.fileId });
    expect((await readAll(hdfs, path)).toString()).toBe(name);
    expect((await hdfs.checksum(path)).bytes).toHaveLength(56);
    await hdfs.mkdirs(at('renamed'));
    await hdfs.rename(directory, at(`renamed/${name}`));
    expect(await hdfs.status(directory)).toBeUndefined();
    expect(await hdfs.delete(at(`renamed/${name}`), { recursive: true })).toBe(true);
  });

  it('are stored composed', async () => {
    await put('u\u0308', 'x');
    expect((await hdfs.list(own.path)).map(({ name }) => name)).toContain('ü');
    await hdfs.delete(at('ü'), { recursive: false });
  });

  it('with a colon are refused', async () => {
    expect(await failure(hdfs.mkdirs(at('a:b')))).toMatchObject({ code: 'HDFS_PATH_INVALID' });
    expect(await failure(put('a:b', 'x'))).toMatchObject({ code: 'HDFS_PATH_INVALID' });
  });
});

describe('small calls', () => {
  it('tell the home directory', async () => {
    expect(await hdfs.home()).toBe(`/user/${user}`);
  });

  it('give a code to what goes wrong', async () => {
    await put('file', 'x');
    await put('full/file', 'x');
    const codes: [() => Promise<unknown>, string][] = [
      [() => hdfs.list(at('nothing')), 'HDFS_PATH_MISSING'],
      [() => hdfs.list(at('file')), 'HDFS_PATH_INVALID'],
      [() => hdfs.read(at('nothing')), 'HDFS_PATH_MISSING'],
      [() => hdfs.checksum(at('nothing')), 'HDFS_PATH_MISSING'],
      [() => put('file', 'y'), 'HDFS_PATH_EXISTS'],
      [() => put('full', 'y', { overwrite: true }), 'HDFS_PATH_EXISTS'],
      [() => hdfs.mkdirs(at('file/below')), 'HDFS_PATH_INVALID'],
      [() => hdfs.delete(at('full'), { recursive: false }), 'HDFS_PATH_EXISTS'],
      [() => hdfs.rename(at('file'), at('full')), 'HDFS_PATH_EXISTS'],
      [() => hdfs.rename(at('file'), at('full/file')), 'HDFS_PATH_EXISTS'],
      [() => hdfs.rename(at('nothing'), at('else')), 'HDFS_PATH_MISSING'],
      [() => hdfs.mkdirs('/not-ours'), 'HDFS_FORBIDDEN'],
      [() => hdfs.write('/not-ours', async function* () {}, { length: 0 }), 'HDFS_FORBIDDEN'],
      [() => hdfs.delete('/user', { recursive: true }), 'HDFS_FORBIDDEN'],
      [() => hdfs.checkAccess('/', '-wx'), 'HDFS_FORBIDDEN'],
      [() => hdfs.checkAccess('/not-there', 'r-x'), 'HDFS_PATH_MISSING'],
    ];
    for (const [call, code] of codes) expect(await failure(call()), call.toString()).toMatchObject({ code });
    expect((await readAll(hdfs, at('file'))).toString()).toBe('x');
    expect(await hdfs.status(at('file/below'))).toBeUndefined();
    expect(await hdfs.delete(at('nothing'), { recursive: true })).toBe(false);
  });

  it('list more entries than HDFS gives at once', async () => {
    const names = Array.from({ length: 1_100 }, (_, i) => `d${String(i).padStart(4, '0')}`);
    for (let from = 0; from < names.length; from += 50) {
      await Promise.all(names.slice(from, from + 50).map((name) => hdfs.mkdirs(at(`many/${name}`))));
    }
    expect((await hdfs.list(at('many'))).map(({ name }) => name)).toEqual(names);
  });
});

describe('bytes', () => {
  const content = Buffer.from(Array.from({ length: 3_300_000 }, (_, i) => (i * 131 + (i >> 9)) % 256));

  it('come back as they were sent, from any offset, over block boundaries', async () => {
    const status = await put('bytes', content, { blockSize: 1024 * 1024 });
    expect(status).toMatchObject({ length: content.length, blockSize: 1024 * 1024, opaqueChecksum: false });
    for (const [offset, length] of [
      [0, undefined],
      [1, undefined],
      [1024 * 1024 - 1, 3],
      [1024 * 1024, 1024 * 1024],
      [content.length - 1, undefined],
      [content.length - 1, 1],
      [17, 0],
    ] as const) {
      const got = await readAll(hdfs, at('bytes'), length === undefined ? { offset } : { offset, length });
      expect(got.equals(content.subarray(offset, length === undefined ? undefined : offset + length))).toBe(true);
    }
    const short = failure(readAll(hdfs, at('bytes'), { offset: 1, length: content.length }));
    expect(await short).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
  });

  it.each([0, 1, 511, 512, 513, 1024, 65_536, 1024 * 1024, 1024 * 1024 + 1, 3_300_000])(
    'in files of %i have the checksum that is computed here',
    async (length) => {
      const bytes = content.subarray(0, length);
      await put(`sum-${length}`, bytes, { blockSize: 1024 * 1024 });
      if (length === 0) return;
      const theirs = await hdfs.checksum(at(`sum-${length}`));
      const ours = HdfsChecksum.like(theirs, 1024 * 1024);
      ours?.update(bytes);
      expect(ours?.matches(theirs)).toBe(true);
      const blocks = await hdfs.blockLengths(at(`sum-${length}`));
      expect(blocks?.reduce((sum, block) => sum + block, 0)).toBe(length);
    },
  );

  it('of joined files are cut into blocks of their own, and so is the checksum', async () => {
    await put('join/one', content.subarray(0, 1_500_000), { blockSize: 1024 * 1024 });
    await put('join/two', content.subarray(1_500_000, 1_500_700), { blockSize: 1024 * 1024 });
    await put('join/three', content.subarray(1_500_700), { blockSize: 1024 * 1024 });
    const { webhdfs } = await activeNameNode();
    const sources = ['two', 'three'].map((name) => at(`join/${name}`)).join(',');
    const query = `op=CONCAT&user.name=${user}&sources=${encodeURIComponent(sources)}`;
    expect((await fetch(`${webhdfs}/webhdfs/v1${at('join/one')}?${query}`, { method: 'POST' })).status).toBe(200);

    const lengths = await hdfs.blockLengths(at('join/one'));
    expect(lengths).toEqual([1_048_576, 451_424, 700, 1_048_576, 750_724]);
    const theirs = await hdfs.checksum(at('join/one'));
    const ours = HdfsChecksum.like(theirs, lengths ?? []);
    ours?.update(content);
    expect(ours?.matches(theirs)).toBe(true);
    const ends = [1_048_576, 1_500_000, 1_500_700, 2_549_276, content.length];
    const blocks = ends.map((end, index) => content.subarray(ends[index - 1] ?? 0, end));
    expect(plainHdfsChecksum(blocks).bytes.slice(24, 56)).toBe(theirs.bytes.slice(24, 56));
  });
});

describe('name nodes', () => {
  it('are found whichever of them is named first, by every call', async () => {
    const { webhdfs } = await activeNameNode();
    const others = namenodes.map((node) => node.webhdfs).filter((address) => address !== webhdfs);
    expect(others).toHaveLength(1);
    const calls: ((from: Hdfs) => Promise<unknown>)[] = [
      (from) => from.status(own.path),
      (from) => from.list(own.path),
      (from) => from.home(),
      (from) => from.mkdirs(at('ha/dir')),
      (from) => from.write(at('ha/file'), async function* () {}, { length: 0, overwrite: true }),
      (from) =>
        from.write(
          at('ha/one'),
          async function* () {
            yield Buffer.from('1');
          },
          { length: 1, overwrite: true },
        ),
      (from) => from.checksum(at('ha/one')),
      (from) => readAll(from, at('ha/one')),
      (from) => from.rename(at('ha/dir'), at('ha/moved')),
      (from) => from.delete(at('ha/moved'), { recursive: true }),
      (from) => from.blockLengths(at('ha/one')),
    ];
    for (const call of calls) await call(openRealHdfs([...others, webhdfs]));
  });

  it('may change places while files are written and read', async () => {
    const before = await activeNameNode();
    const after = namenodes.find(({ id }) => id !== before.id);
    const stop = new AbortController();
    let rounds = 0;
    const patient = openHdfs(realHdfsSettings(), nameservice, { clock: systemClock, rounds: 8 });
    const working = (async () => {
      while (!stop.signal.aborted) {
        const text = `round ${rounds}`;
        await patient.write(
          at('failover'),
          async function* () {
            yield Buffer.from(text);
          },
          { length: text.length, overwrite: true },
        );
        expect((await readAll(patient, at('failover'))).toString()).toBe(text);
        rounds += 1;
      }
    })();
    await docker('exec', before.container, 'role', 'haadmin', '-failover', before.id, after?.id ?? '');
    const seen = rounds;
    expect((await activeNameNode()).id).toBe(after?.id);
    while (rounds < seen + 3) await Promise.race([systemClock.sleep(50), working]);
    stop.abort();
    await working;
  });
});

describe('a data node that is frozen', () => {
  it('is read around', async () => {
    const [frozen] = datanodes;
    const address = new URL(frozen?.http ?? '').hostname;
    const content = Buffer.alloc(200_000, 'frozen');
    for (let i = 0; i < 8; i++) await put(`frozen/${i}`, content);
    const avoided: unknown[] = [];
    const impatient = openHdfs(realHdfsSettings(), nameservice, {
      clock: systemClock,
      deadlines: { connectMs: 1_000, firstByteMs: 1_000, stallMs: 1_000 },
      log: { debug: (fields: object) => avoided.push('dataNode' in fields && fields.dataNode) },
    });
    await docker('pause', frozen?.container ?? '');
    try {
      const got = await Promise.all(Array.from({ length: 8 }, (_, i) => readAll(impatient, at(`frozen/${i}`))));
      for (const bytes of got) expect(bytes.equals(content)).toBe(true);
    } finally {
      await docker('unpause', frozen?.container ?? '');
    }
    expect(avoided).toContain(address);
  });

  it('is really left out by the name node when it is named so', async () => {
    const content = Buffer.alloc(10_000, 'x');
    await put('excluded', content);
    for (const { http } of datanodes) {
      const excluded = new URL(http).hostname;
      const used: string[] = [];
      for (let i = 0; i < 6; i++) {
        await readAll(hdfs, at('excluded'), { exclude: [excluded], onDataNode: (name) => used.push(name) });
      }
      expect(used).toHaveLength(6);
      expect(used).not.toContain(excluded);
    }
  });
});

it('small files go up and come down many at a time', async () => {
  const files = Array.from({ length: 60 }, (_, i) => ({
    name: `many-files/${i}`,
    text: createHash('md5').update(`${i}`).digest('hex'),
  }));
  for (let from = 0; from < files.length; from += 6) {
    await Promise.all(files.slice(from, from + 6).map(({ name, text }) => put(name, text)));
  }
  const got = await Promise.all(files.slice(0, 20).map(({ name }) => readAll(hdfs, at(name))));
  expect(got.map(String)).toEqual(files.slice(0, 20).map(({ text }) => text));
});
