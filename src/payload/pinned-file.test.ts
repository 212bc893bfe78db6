import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { MaasError } from '../contracts/errors.ts';
import type { PinnedFile } from '../contracts/payload.ts';
import type { SourceStatus } from './payload-hdfs.ts';
import { DataNodes, PinnedDigests, type PinnedSource, readFailure, verdictOn } from './pinned-file.ts';

const bytes = Buffer.from('what was pinned');
const own = { fileId: '7', modificationTime: 5, blockSize: 1024, length: bytes.length };
const checksum = { algorithm: 'COMPOSITE-CRC32C', bytes: 'aa' };
const repeatable = { algorithm: 'MD5-of-0MD5-of-512CRC32C', bytes: '00'.repeat(28) };
const sha256 = createHash('sha256').update(bytes).digest('hex');
const pinned = { path: '/m' };
const { signal } = new AbortController();

/** HDFS has the very file that was pinned, unless told otherwise. */
function hdfsWith(status: Partial<SourceStatus> = {}, has = checksum): PinnedSource {
  const there: SourceStatus = { name: '', type: 'FILE', opaqueChecksum: false, ...own, ...status };
  return {
    status: async () => there,
    checksum: async () => has,
    blockLengths: async () => undefined,
  };
}

function verdict(file: Partial<PinnedFile>, came: Uint8Array, source: PinnedSource = hdfsWith()) {
  const whole: PinnedFile = { path: 'f', ...own, ...file };
  const digests = new PinnedDigests(whole);
  digests.update(came);
  return verdictOn(source, pinned, whole, digests, signal);
}

describe('bytes that came', () => {
  it('are right by their digest, whatever became of the file since', async () => {
    expect(await verdict({ sha256 }, bytes, hdfsWith({ fileId: '8', length: 1 }))).toEqual({ kind: 'right' });
  });

  it('are right by their SHA-256 where that is known, without HDFS being asked or its checksum made', async () => {
    const asked: PinnedSource = {
      status: () => Promise.reject(new Error('asked')),
      checksum: () => Promise.reject(new Error('asked')),
      blockLengths: () => Promise.reject(new Error('asked')),
    };
    expect(await verdict({ sha256, checksum: repeatable }, bytes, asked)).toEqual({ kind: 'right' });
  });

  it('are wrong where the digest is another and the file is still the pinned one', async () => {
    expect(await verdict({ sha256 }, Buffer.from('others'))).toEqual({
      kind: 'wrong',
      problem: 'another SHA-256',
      perhapsUneven: false,
    });
  });

  it('are those of a changed payload where the file is another one', async () => {
    const source = hdfsWith({ fileId: '8' }, { ...checksum, bytes: 'bb' });
    expect(await failure(verdict({ sha256, checksum }, Buffer.from('others'), source))).toMatchObject({
      code: 'PAYLOAD_CHANGED',
      message: '"/m/f" has other content',
    });
  });

  it('are unproved where no digest can be compared', async () => {
    expect(await verdict({ checksum }, bytes)).toEqual({ kind: 'unproved' });
  });

  it('may be of an unevenly cut file, unless HDFS makes its checksum of something else', async () => {
    expect(await verdict({ checksum: repeatable }, bytes)).toMatchObject({ kind: 'wrong', perhapsUneven: true });
    const opaque = hdfsWith({ opaqueChecksum: true });
    expect(await verdict({ checksum: repeatable }, bytes, opaque)).toEqual({ kind: 'unproved' });
  });
});

describe('a failure to read', () => {
  const file: PinnedFile = { path: 'f', ...own, checksum };
  const corrupt = new MaasError('HDFS_DATA_CORRUPT', 'cut off');

  it('is itself while the file is the pinned one', async () => {
    expect(await readFailure(hdfsWith(), pinned, file, corrupt, signal)).toBe(corrupt);
    const other = new MaasError('HDFS_UNREACHABLE', 'nobody answers');
    expect(await readFailure(hdfsWith({ fileId: '8', length: 1 }), pinned, file, other, signal)).toBe(other);
  });

  it('is said to be a change where that is what it comes from', async () => {
    expect(await readFailure(hdfsWith({ fileId: '8', length: 1 }), pinned, file, corrupt, signal)).toMatchObject({
      code: 'PAYLOAD_CHANGED',
    });
  });
});

describe('data nodes', () => {
  it('are passed over once they gave wrong bytes, and only they', () => {
    const nodes = new DataNodes();
    nodes.next().onDataNode?.('one');
    const second = nodes.next();
    second.onDataNode?.('two');
    nodes.blame();
    expect(nodes.next().exclude).toEqual(['two']);
  });
});
