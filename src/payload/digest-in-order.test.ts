import { createHash } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DigestInOrder } from './digest-in-order.ts';

let directory: string;
let handle: FileHandle;
const content = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31) % 253));
const { signal } = new AbortController();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'digest-'));
  handle = await open(join(directory, 'file'), 'w+');
});
afterEach(async () => {
  await handle.close();
  await rm(directory, { recursive: true });
});

it('is that of the file, in whatever order its pieces come', async () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: content.length - 1 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.infiniteStream(fc.nat()), async (unsorted, order) => {
      await handle.truncate(0);
      const bounds = [0, ...unsorted.toSorted((a, b) => a - b), content.length];
      const pieces = bounds.slice(0, -1).map((from, i) => ({ from, to: bounds[i + 1] ?? 0, there: false }));
      const hash = createHash('sha256');
      const inOrder = new DigestInOrder(handle, hash, signal);
      for (const left = [...pieces]; left.length > 0; ) {
        const [piece] = left.splice((order.next().value ?? 0) % left.length, 1);
        if (piece === undefined) break;
        const bytes = Buffer.from(content.subarray(piece.from, piece.to));
        inOrder.offer(bytes, piece.from);
        await handle.write(bytes, 0, bytes.length, piece.from);
        // As when a buffer is lent.
        bytes.fill(0);
        piece.there = true;
        inOrder.written(pieces.find(({ there }) => !there)?.from ?? content.length);
      }
      await inOrder.until(content.length);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
    }),
    { numRuns: 50 },
  );
});

it('fails where the file lost what was written to it', async () => {
  const inOrder = new DigestInOrder(handle, createHash('sha256'), signal);
  inOrder.written(10);
  await expect(inOrder.until(10)).rejects.toThrow('became shorter');
});

it('ends with the reason where it is given up, and reads nothing afterwards', async () => {
  await handle.write(content);
  const stop = new AbortController();
  const inOrder = new DigestInOrder(handle, createHash('sha256'), stop.signal);
  inOrder.written(content.length);
  stop.abort(new Error('enough'));
  await expect(inOrder.until(content.length)).rejects.toThrow('enough');
  await inOrder.end();
});
