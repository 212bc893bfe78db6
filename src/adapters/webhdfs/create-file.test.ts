import { afterEach, describe, expect, it, vi } from 'vitest';
import { failure } from '../../../test/builders/failure.ts';
import { FakeWebHdfs, remote } from '../../../test/builders/fake-webhdfs.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import type { Source } from './create-file.ts';
import { type Hdfs, openHdfs } from './hdfs.ts';

let fake: FakeWebHdfs;
afterEach(() => fake.stop());

const clock = new HastyClock();
const deadlines = { connectMs: 1_000, firstByteMs: 200, stallMs: 200, finishMs: 300 };
const content = Buffer.alloc(2_000_000, 'abcdefg');

async function start(count: { nameNodes?: number; dataNodes?: number } = {}): Promise<Hdfs> {
  fake = await FakeWebHdfs.start(count);
  fake.makeDirectories('/d');
  return openHdfs(fake.settings, 'fake', { clock, deadlines });
}

const chunked: Source = async function* () {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
};

const write = (
  hdfs: Hdfs,
  options: { overwrite?: boolean; signal?: AbortSignal; length?: number } = {},
  source = chunked,
) => hdfs.write('/d/f', source, { length: content.length, ...options });

describe('writing', () => {
  it('takes every byte past a 100 Continue that nobody asked for, and gives the new status', async () => {
    const hdfs = await start();
    expect(await write(hdfs)).toMatchObject({ length: content.length, type: 'FILE' });
    expect(fake.files.get('/d/f')?.bytes.equals(content)).toBe(true);
    expect(await hdfs.write('/d/empty', async function* () {}, { length: 0, blockSize: 4096 })).toMatchObject({
      length: 0,
    });
    expect(fake.files.get('/d/empty')?.blockSize).toBe(4096);
  });

  it('waits for the word of a source that ends after its last byte, and after the answer', async () => {
    const hdfs = await start({ dataNodes: 1 });
    const endsLate = (end: () => void): Source =>
      async function* () {
        const stored = new Promise<void>((resolve) => {
          fake.intercept = ({ node, op }, response) => {
            if (node === 'dn1' && op === 'CREATE') response.once('finish', resolve);
            return false;
          };
        });
        yield content;
        await stored;
        // The answer has been received by then, and more than once round.
        for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
        end();
      };
    expect(
      await write(
        hdfs,
        {},
        endsLate(() => {}),
      ),
    ).toMatchObject({ length: content.length });
    expect(fake.count('CREATE', 'dn')).toBe(1);
    const wrong = endsLate(() => {
      throw new Error('that was not right');
    });
    await expect(write(hdfs, { overwrite: true }, wrong)).rejects.toThrow('that was not right');
  });

  it('replaces only when told to', async () => {
    const hdfs = await start();
    fake.put('/d/f', 'old');
    expect(await failure(write(hdfs))).toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    expect(fake.files.get('/d/f')?.bytes.toString()).toBe('old');
    await write(hdfs, { overwrite: true });
    expect(fake.files.get('/d/f')?.bytes.equals(content)).toBe(true);
  });

  it('never replaces a stranger on a second attempt that the first never began', async () => {
    const hdfs = await start();
    await fake.kill('dn1');
    fake.intercept = ({ node, op }) => {
      if (node === 'nn1' && op === 'CREATE' && fake.count('CREATE', 'nn') === 1) fake.put('/d/f', 'stranger');
      return false;
    };
    expect(await failure(write(hdfs))).toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    expect(fake.files.get('/d/f')?.bytes.toString()).toBe('stranger');
  });
});

describe('a data node', () => {
  it('that refuses connections is left out', async () => {
    const hdfs = await start();
    await fake.kill('dn1');
    await write(hdfs);
    expect(fake.requests.findLast(({ op }) => op === 'CREATE')?.parameters.get('excludedatanodes')).toBe('127.0.1.1');
  });

  it.each(['dies half-way', 'takes no more bytes', 'does not answer'])(
    'that %s is left out, and all is sent again',
    async (how) => {
      const hdfs = await start();
      let starts = 0;
      const source: Source = () => {
        starts += 1;
        return chunked();
      };
      fake.intercept = async ({ node, op, path }, response, incoming) => {
        if (node !== 'dn1' || op !== 'CREATE') return false;
        if (how === 'takes no more bytes') return true;
        for await (const chunk of incoming) {
          // What the real one leaves behind looks like a file.
          fake.put(path, chunk);
          if (how === 'dies half-way') response.destroy();
        }
        return true;
      };
      await write(hdfs, {}, source);
      expect(fake.files.get('/d/f')?.bytes.equals(content)).toBe(true);
      expect(starts).toBe(2);
    },
  );

  it.each([
    ['AccessControlException', 'HDFS_FORBIDDEN'],
    ['DSQuotaExceededException', 'HDFS_NO_SPACE'],
    ['FileAlreadyExistsException', 'HDFS_PATH_EXISTS'],
  ])('that answers %s before the end is heard', async (exception, code) => {
    const hdfs = await start();
    fake.intercept = ({ node, op }, response) => {
      if (!node.startsWith('dn') || op !== 'CREATE') return false;
      remote(response, 403, exception, 'no');
      return true;
    };
    expect(await failure(write(hdfs, { overwrite: true }))).toMatchObject({ code });
    expect(fake.count('CREATE', 'dn')).toBe(1);
  });

  it.each([409, 429, 502, 503, 504])('that answers %i has not written', async (status) => {
    const hdfs = await start();
    fake.intercept = async ({ node, op }, response, incoming) => {
      if (!node.startsWith('dn') || op !== 'CREATE') return false;
      for await (const _ of incoming);
      response.writeHead(status).end('<html>sorry</html>');
      return true;
    };
    await expect(write(hdfs)).rejects.toMatchObject({ code: expect.stringMatching(/^HDFS_(UNAVAILABLE|ERROR)$/) });
  });

  it('that says "created" before it has everything is not believed', async () => {
    const hdfs = await start({ dataNodes: 1 });
    fake.intercept = ({ node, op }, response) => {
      if (!node.startsWith('dn') || op !== 'CREATE') return false;
      response.writeHead(201).end();
      return true;
    };
    // Depending on how much the sockets hold, the answer comes too early or the length is wrong.
    await expect(write(hdfs)).rejects.toMatchObject({
      code: expect.stringMatching(/^HDFS_(UNAVAILABLE|DATA_CORRUPT)$/),
    });
  });

  it('that says "created" and keeps only a part is found out by the length', async () => {
    const hdfs = await start();
    fake.intercept = async ({ node, op, path }, response, incoming) => {
      if (!node.startsWith('dn') || op !== 'CREATE') return false;
      for await (const _ of incoming);
      fake.put(path, content.subarray(0, 10));
      response.writeHead(201).end();
      return true;
    };
    const error = await failure(write(hdfs));
    expect(error).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
    expect(error.message).toContain('has 10 bytes in HDFS after 2000000 were written');
  });
});

describe('a source', () => {
  it.each([
    ['fewer', content.length + 1],
    ['more', content.length - 1],
  ])('that gives %s bytes than it said leaves no whole file', async (_what, length) => {
    const hdfs = await start();
    expect(await failure(write(hdfs, { length }))).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
    expect(fake.files.has('/d/f')).toBe(false);
  });

  it('that fails is not asked again', async () => {
    const hdfs = await start();
    const source: Source = async function* () {
      yield content.subarray(0, 100_000);
      throw new Error('the disk is gone');
    };
    await expect(write(hdfs, {}, source)).rejects.toThrow('the disk is gone');
    expect(fake.count('CREATE', 'nn')).toBe(1);
  });

  it('is closed when nobody takes its bytes any more', async () => {
    const hdfs = await start({ dataNodes: 1 });
    let closed = 0;
    const source: Source = async function* () {
      try {
        yield* chunked();
      } finally {
        closed += 1;
      }
    };
    fake.intercept = ({ node, op }, response) => {
      if (!node.startsWith('dn') || op !== 'CREATE') return false;
      remote(response, 403, 'AccessControlException', 'no');
      return true;
    };
    await failure(write(hdfs, {}, source));
    await vi.waitFor(() => expect(closed).toBe(1));
  });
});

it('an aborted write ends with the reason', async () => {
  const hdfs = await start();
  const stop = new AbortController();
  const source: Source = async function* () {
    yield content.subarray(0, 1000);
    stop.abort(new Error('enough'));
    yield content.subarray(1000);
  };
  await expect(write(hdfs, { signal: stop.signal }, source)).rejects.toThrow('enough');
});

it('a name node that is standby passes a write on', async () => {
  const hdfs = await start({ nameNodes: 2 });
  fake.intercept = ({ node }, response) => {
    if (node !== 'nn1') return false;
    remote(response, 403, 'StandbyException', 'standby');
    return true;
  };
  await write(hdfs);
  expect(fake.files.get('/d/f')?.bytes.length).toBe(content.length);
});
