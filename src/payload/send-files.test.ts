/** What is compared of a file that was sent, what that costs in requests, and how many are under way at once. */
import type http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeRequest, FakeWebHdfs, json, remote } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import { filesAtOnce, sendFile, sendFiles } from './send-files.ts';

let fake: FakeWebHdfs;
beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  fake.makeDirectories('/d');
});
afterEach(() => fake.stop());

const content = Buffer.from('the weights of a model, more or less'.repeat(100));
const blockSize = 1024;
const { signal } = new AbortController();

function send(name: string, bytes: Buffer = content) {
  const read = async function* () {
    yield bytes;
  };
  const how = { length: bytes.length, blockSize, read, signal, sent: () => {} };
  return sendFile(impatientHdfs(fake), `/d/${name}`, how);
}

type Answer = (request: FakeRequest, response: http.ServerResponse) => boolean;

/** Answers as the real one, but for this. */
const status =
  (other: object): Answer =>
  ({ op, path }, response) => {
    const file = fake.files.get(path);
    if (op !== 'GETFILESTATUS' || file === undefined) return false;
    const { bytes, fileId, modificationTime } = file;
    const own = { pathSuffix: '', type: 'FILE', length: bytes.length, fileId, modificationTime, blockSize };
    json(response, 200, { FileStatus: { ...own, owner: 'o', group: 'g', permission: '644', ...other } });
    return true;
  };
const otherChecksum: Answer = ({ op, node }, response) => {
  if (op !== 'GETFILECHECKSUM' || !node.startsWith('dn')) return false;
  const bytes = `${'00'.repeat(12)}${'ab'.repeat(16)}`;
  json(response, 200, { FileChecksum: { algorithm: 'MD5-of-2MD5-of-512CRC32C', bytes, length: 28 } });
  return true;
};
const noChecksum: Answer = ({ op, node }, response) => {
  if (op !== 'GETFILECHECKSUM' || !node.startsWith('nn')) return false;
  remote(response, 403, 'UnsupportedOperationException', 'no checksum of this file');
  return true;
};
const halfTaken: Answer = ({ op, node, path, parameters }, response) => {
  if (op !== 'CREATE' || !node.startsWith('dn')) return false;
  fake.create(path, parameters, content.subarray(0, 100));
  response.writeHead(201).end();
  return true;
};
const nothingTaken: Answer = ({ op, node }, response) => {
  if (op !== 'CREATE' || !node.startsWith('dn')) return false;
  response.writeHead(201).end();
  return true;
};

describe('a file that was sent', () => {
  it('costs two requests to send and two to compare, and no more', async () => {
    const { sha256, checksum } = await send('f');
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(checksum?.algorithm).toBe('MD5-of-2MD5-of-512CRC32C');
    expect(fake.requests.map(({ op, node }) => `${op} ${node.slice(0, 2)}`)).toEqual([
      'CREATE nn',
      'CREATE dn',
      'GETFILECHECKSUM nn',
      'GETFILECHECKSUM dn',
    ]);
  });

  it('has its length compared where it is empty', async () => {
    expect(await send('f', Buffer.alloc(0))).toMatchObject({ checksum: undefined });
    expect(fake.requests.map(({ op }) => op)).toEqual(['CREATE', 'CREATE', 'GETFILESTATUS']);
  });

  it.each<[string, readonly Answer[]]>([
    ['is encrypted', [otherChecksum, status({ encBit: true })]],
    ['is striped', [otherChecksum, status({ ecPolicy: 'RS-6-3-1024k' })]],
    ['was cut into other blocks', [otherChecksum, status({ blockSize: 2048 })]],
    ['is encrypted by an HDFS that makes no checksum of it', [noChecksum, status({ encBit: true })]],
  ])('is taken by its length where it %s', async (_what, answers) => {
    fake.intercept = (request, response) => answers.some((answer) => answer(request, response));
    expect(await send('f')).toMatchObject({ sha256: expect.any(String) });
  });

  it.each<[string, readonly Answer[], string]>([
    ['holds other bytes', [otherChecksum], 'holds other bytes in HDFS than were sent'],
    ['is shorter', [halfTaken], 'has 100 bytes in HDFS after 3600 were sent'],
    ['is shorter, and encrypted', [halfTaken, status({ encBit: true })], 'has 100 bytes in HDFS after 3600 were sent'],
    ['is not there', [nothingTaken], 'has no bytes in HDFS after 3600 were sent'],
  ])('is refused where it %s', async (_what, answers, message) => {
    fake.intercept = (request, response) => answers.some((answer) => answer(request, response));
    await expect(send('f')).rejects.toMatchObject({
      code: 'HDFS_DATA_CORRUPT',
      message: expect.stringContaining(message),
    });
  });

  it('is not taken on trust where HDFS makes no checksum of it', async () => {
    fake.intercept = noChecksum;
    await expect(send('f')).rejects.toMatchObject({ code: expect.stringMatching(/^HDFS_/) });
  });
});

it('files are sent several at once, but never more than so many', async () => {
  const files = Array.from({ length: 3 * filesAtOnce }, (_, index) => ({ path: `f${index}`, length: content.length }));
  let now = 0;
  let most = 0;
  const underWay: (() => void)[] = [];
  const sending = sendFiles({ files, bytes: content.length * files.length }, {}, async ({ path }) => {
    most = Math.max(most, ++now);
    // Held until as many as may be are under way.
    if (most < filesAtOnce) await new Promise<void>((resolve) => underWay.push(resolve));
    else for (const go of underWay.splice(0)) go();
    await send(path);
    now -= 1;
  });
  await sending;
  expect(most).toBe(filesAtOnce);
  expect(fake.below('/d')).toHaveLength(files.length);
});
