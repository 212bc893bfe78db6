import { createHash } from 'node:crypto';
import type http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../../test/builders/failure.ts';
import { FakeWebHdfs, remote } from '../../../test/builders/fake-webhdfs.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { type HdfsReader, openHdfsReader } from './hdfs-reader.ts';
import type { ReadOptions } from './open-file.ts';

let fake: FakeWebHdfs;
let lent = false;
afterEach(async () => {
  lent = false;
  await fake.stop();
});

const clock = new HastyClock();
const deadlines = { connectMs: 1_000, firstByteMs: 200, stallMs: 150, finishMs: 1_000 };
const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251));

async function start(count: { nameNodes?: number; dataNodes?: number } = {}): Promise<HdfsReader> {
  fake = await FakeWebHdfs.start(count);
  fake.put('/f', content);
  return openHdfsReader(fake.settings, 'fake', { clock, deadlines });
}

async function readAll(reader: HdfsReader, options: ReadOptions = {}, path = '/f'): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await reader.read(path, { lent, ...options })) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Sends the head of the answer and a part of the body, then does something else. */
function part(response: http.ServerResponse, body: Buffer, bytes: number, then: () => void): boolean {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length });
  response.write(body.subarray(0, bytes), then);
  return true;
}

const rest = (parameters: URLSearchParams) => content.subarray(Number(parameters.get('offset') ?? 0));

describe('reading', () => {
  it.each([
    [{}, 0, content.length],
    [{ offset: 1 }, 1, content.length],
    [{ offset: 299_999 }, 299_999, content.length],
    [{ offset: 5, length: 10 }, 5, 15],
    [{ length: 100_000 }, 0, 100_000],
    [{ length: 0 }, 0, 0],
  ])('%j', async (options, from, to) => {
    const reader = await start();
    const nodes: string[] = [];
    const got = await readAll(reader, { ...options, onDataNode: (name) => nodes.push(name) });
    expect(got.equals(content.subarray(from, to))).toBe(true);
    expect(nodes).toEqual(to > from ? ['127.0.1.1'] : []);
  });

  it('an empty file', async () => {
    const reader = await start();
    fake.put('/empty', '');
    expect(await readAll(reader, {}, '/empty')).toHaveLength(0);
  });

  it('a file that is missing fails at once', async () => {
    const reader = await start();
    expect(await failure(reader.read('/nothing'))).toMatchObject({ code: 'HDFS_PATH_MISSING' });
  });

  it('an old or a slow reader is no stall', async () => {
    const reader = await start();
    const hash = createHash('md5');
    for await (const chunk of await reader.read('/f')) {
      hash.update(chunk);
      await new Promise((done) => setTimeout(done, deadlines.stallMs / 4));
    }
    expect(hash.digest('hex')).toBe(createHash('md5').update(content).digest('hex'));
    expect(fake.count('OPEN', 'dn')).toBe(1);
  });

  it('stops early without harm', async () => {
    const reader = await start();
    for await (const chunk of await reader.read('/f')) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await readAll(reader)).equals(content)).toBe(true);
  });
});

describe.each([false, true])('a data node whose bytes are lent: %s', (how) => {
  beforeEach(() => {
    lent = how;
  });

  it('that refuses connections is left out', async () => {
    const reader = await start();
    await fake.kill('dn1');
    expect((await readAll(reader)).equals(content)).toBe(true);
    expect(fake.requests.at(-1)?.parameters.get('excludedatanodes')).toBe('127.0.1.1');
  });

  it('that accepts and says nothing is left out', async () => {
    const reader = await start();
    fake.intercept = ({ node }) => node === 'dn1';
    expect((await readAll(reader)).equals(content)).toBe(true);
  });

  it.each([
    ['breaks off', (response: http.ServerResponse) => response.destroy()],
    ['falls silent', () => {}],
  ])('that %s in the middle is left out, and the bytes go on where they were', async (_how, then) => {
    const reader = await start();
    fake.intercept = ({ node, parameters }, response) =>
      node === 'dn1' && part(response, rest(parameters), 123_456, () => then(response));
    expect((await readAll(reader)).equals(content)).toBe(true);
    const second = fake.requests.at(-1);
    expect(second?.node).toBe('dn2');
    expect(Number(second?.parameters.get('offset'))).toBeGreaterThan(0);
    expect(Number(second?.parameters.get('offset'))).toBeLessThanOrEqual(123_456);
  });

  it('that delivers less than it said, with a proper end, is not believed', async () => {
    const reader = await start();
    fake.intercept = ({ node }, response) => {
      if (node !== 'dn1') return false;
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.end(content.subarray(0, 1000));
      return true;
    };
    expect((await readAll(reader, { length: content.length })).equals(content)).toBe(true);
  });

  it('that all break off at the same place is reported, with the place', async () => {
    const reader = await start();
    fake.intercept = ({ node, parameters }, response) => {
      if (!node.startsWith('dn')) return false;
      const left = rest(parameters);
      const bytes = Math.max(0, 100_000 - (content.length - left.length));
      return part(response, left, bytes, () => response.destroy());
    };
    const error = await failure(readAll(reader));
    expect(error.code).toBe('HDFS_DATA_CORRUPT');
    expect(error.message).toContain('100000 of 300000 bytes');
  });

  it('that refuses the user is final, and one in trouble is not', async () => {
    const reader = await start();
    fake.intercept = ({ node }, response) => {
      if (node !== 'dn1') return false;
      remote(response, 403, 'AccessControlException', 'Permission denied');
      return true;
    };
    expect(await failure(readAll(reader))).toMatchObject({ code: 'HDFS_FORBIDDEN' });
    fake.intercept = ({ node }, response) => {
      if (node !== 'dn1') return false;
      remote(response, 403, 'BlockMissingException', 'Could not obtain block');
      return true;
    };
    expect((await readAll(reader)).equals(content)).toBe(true);
  });

  it('is asked again after all were left out', async () => {
    const reader = await start({ dataNodes: 1 });
    let failures = 2;
    fake.intercept = ({ node }, response) => {
      if (node !== 'dn1' || failures-- <= 0) return false;
      response.destroy();
      return true;
    };
    expect((await readAll(reader)).equals(content)).toBe(true);
  });

  it('that was left out by the caller is not asked', async () => {
    const reader = await start();
    await readAll(reader, { exclude: ['127.0.1.1'] });
    expect(fake.count('OPEN', 'dn1')).toBe(0);
    expect(fake.count('OPEN', 'dn2')).toBe(1);
  });

  it.each([409, 429, 502, 503, 504])('that answers %i with a page never passes it off as data', async (status) => {
    const reader = await start();
    fake.intercept = ({ node }, response) => {
      if (!node.startsWith('dn')) return false;
      response.writeHead(status, { 'content-type': 'text/html' }).end('<html>sorry</html>');
      return true;
    };
    await expect(readAll(reader)).rejects.toMatchObject({ code: expect.stringMatching(/^HDFS_/) });
  });
});

describe('a file that changes while it is read', () => {
  it('is noticed by its length', async () => {
    const reader = await start();
    fake.intercept = ({ node, parameters }, response) => {
      if (node !== 'dn1') return false;
      return part(response, rest(parameters), 1000, () => {
        fake.put('/f', content.subarray(0, 200_000));
        response.destroy();
      });
    };
    expect(await failure(readAll(reader))).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
  });

  it('is an error when it is shorter than what was asked for', async () => {
    const reader = await start();
    expect(await failure(readAll(reader, { offset: 1, length: content.length }))).toMatchObject({
      code: 'HDFS_DATA_CORRUPT',
    });
  });
});

describe('a redirect', () => {
  it.each([
    [undefined, 'without a usable Location'],
    ['ftp://127.0.0.1/x', 'without a usable Location'],
    ['http://', 'without a usable Location'],
  ])('to %s is refused', async (location, why) => {
    const reader = await start();
    fake.intercept = (_request, response) => {
      response.writeHead(307, location === undefined ? {} : { location }).end();
      return true;
    };
    expect((await failure(reader.read('/f'))).message).toContain(why);
  });

  it('is not followed twice', async () => {
    const reader = await start();
    fake.intercept = ({ node }, response) => {
      if (!node.startsWith('dn')) return false;
      response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
      return true;
    };
    expect(await failure(reader.read('/f'))).toMatchObject({ code: 'HDFS_ERROR' });
  });

  it('may be left out by a gateway, whose length is checked all the same', async () => {
    const reader = await start();
    fake.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 6 }).end('direct');
      return true;
    };
    expect((await readAll(reader)).toString()).toBe('direct');
    fake.intercept = (_request, response) => {
      response.shouldKeepAlive = false;
      response.useChunkedEncodingByDefault = false;
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end('how long?');
      return true;
    };
    expect((await failure(readAll(reader))).message).toContain('does not say how long it is');
  });
});

it('an aborted read ends with the reason, in the middle too', async () => {
  const reader = await start();
  const stop = new AbortController();
  fake.intercept = ({ node, parameters }, response) =>
    node.startsWith('dn') && part(response, rest(parameters), 1000, () => {});
  const reading = async () => {
    for await (const _ of await reader.read('/f', { signal: stop.signal })) stop.abort(new Error('enough'));
  };
  await expect(reading()).rejects.toThrow('enough');
  await expect(reader.read('/f', { signal: stop.signal })).rejects.toThrow('enough');
});

it('a checksum is asked of another data node where one is dead', async () => {
  const reader = await start();
  await fake.kill('dn1');
  const { algorithm, bytes } = await reader.checksum('/f');
  expect(algorithm).toBe('MD5-of-0MD5-of-512CRC32C');
  expect(bytes).toHaveLength(56);
  expect(await failure(reader.checksum('/nothing'))).toMatchObject({ code: 'HDFS_PATH_MISSING' });
});
