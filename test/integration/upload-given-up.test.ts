/**
 * What becomes of a CREATE that was given up: HDFS may carry it out after whatever its sender did next. So an upload that
 * failed can only leave nothing behind if such a CREATE finds no directory and makes none.
 */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeHdfsPath } from '../../src/contracts/hdfs-path.ts';
import { activeNameNode, openRealHdfs, ownDirectory } from './hdfs-world.ts';
import { present } from './world.ts';

const hdfs = openRealHdfs();
let own: Awaited<ReturnType<typeof ownDirectory>>;
beforeAll(async () => {
  own = await ownDirectory(hdfs);
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
});

/** A CREATE as far as the name node: what a data node would be asked. */
async function begun(path: string, parameters: Record<string, string>): Promise<string> {
  const { webhdfs } = await activeNameNode();
  const query = new URLSearchParams({ op: 'CREATE', 'user.name': present('hdfs').user, ...parameters });
  const url = `${webhdfs}/webhdfs/v1${encodeHdfsPath(path)}?${query}`;
  const answer = await fetch(url, { method: 'PUT', redirect: 'manual' });
  const location = answer.headers.get('location');
  if (answer.status !== 307 || location === null) throw new Error(`no redirect: ${answer.status}`);
  return location;
}

/** It goes on at the data node, after the directory was taken away. */
async function lateCreate(directory: string, parameters: Record<string, string>): Promise<number> {
  await hdfs.mkdirs(directory);
  const location = await begun(`${directory}/late.bin`, { overwrite: 'true', ...parameters });
  await hdfs.delete(directory, { recursive: true });
  // Not fetch, which cannot take the `100 Continue` that a data node answers with.
  const sending = request(location, { method: 'PUT', headers: { 'content-length': 4 } });
  const answered = once(sending, 'response');
  sending.end('late');
  const [answer]: IncomingMessage[] = await answered;
  answer?.resume();
  return answer?.statusCode ?? 0;
}

describe('a CREATE that comes after its directory was removed', () => {
  it('makes it anew, by itself', async () => {
    const directory = `${own.path}/anew`;
    expect(await lateCreate(directory, {})).toBe(201);
    expect(await hdfs.status(`${directory}/late.bin`)).toMatchObject({ length: 4 });
  });

  it('fails and leaves nothing where it must not make directories', async () => {
    const directory = `${own.path}/gone`;
    expect(await lateCreate(directory, { createparent: 'false' })).toBe(404);
    expect(await hdfs.status(directory)).toBeUndefined();
  });
});

it('a file is not written where its directory has to be there and is not', async () => {
  const content = Buffer.from('x');
  const source = async function* () {
    yield content;
  };
  const path = `${own.path}/none/x`;
  await expect(hdfs.write(path, source, { length: 1, createParent: false })).rejects.toMatchObject({
    code: 'HDFS_PATH_MISSING',
  });
  expect(await hdfs.status(`${own.path}/none`)).toBeUndefined();
});
