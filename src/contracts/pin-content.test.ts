import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPayload } from '../../test/builders/model-deployment.ts';
import type { PinnedFile, PinnedPayload } from './payload.ts';
import { decodePin, encodePin, fitPin, maxPackedBytes, maxPlainBytes } from './pin-content.ts';
import { packedPayloadFile, pinnedPayloadFile } from './pod-contract.ts';

/** As hard to compress as real ones: nothing in it follows from anything else. */
function files(count: number, seed = ''): PinnedFile[] {
  return Array.from({ length: count }, (_, index) => {
    const hex = createHash('sha512').update(`${seed}${index}`).digest('hex');
    return {
      path: `data/${hex.slice(0, 20)}.bin`,
      length: Number.parseInt(hex.slice(20, 27), 16),
      fileId: String(16_386 + Number.parseInt(hex.slice(27, 35), 16)),
      modificationTime: 1_795_000_000_000 + Number.parseInt(hex.slice(35, 42), 16),
      blockSize: 134_217_728,
      checksum: {
        algorithm: 'MD5-of-0MD5-of-512CRC32C',
        bytes: `000002000000000000000000${hex.slice(42, 74)}00000000`,
      },
      sha256: createHash('sha256').update(hex).digest('hex'),
    };
  });
}

const payloadOf = (own: readonly PinnedFile[]): PinnedPayload => ({ ...aPayload(), files: [...own] });
/** What Kubernetes counts against 1 MiB. */
const contentBytes = ({ data = {}, binaryData = {} }: ReturnType<typeof encodePin>) =>
  Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0) +
  Object.values(binaryData).reduce((sum, text) => sum + Buffer.from(text, 'base64').length, 0);

describe('a pin', () => {
  it('is read as it was written, whatever its size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6_000 }), fc.string(), (count, seed) => {
        const payload = payloadOf(files(count, seed));
        expect(decodePin(encodePin(payload))).toEqual(payload);
      }),
      { numRuns: 20 },
    );
  });

  it('of a usual payload is there for people, and for agents of earlier releases', () => {
    const payload = payloadOf(files(100));
    expect(encodePin(payload)).toEqual({ data: { [pinnedPayloadFile]: JSON.stringify(payload) } });
  });

  it('has room for ten thousand files, and for more without their SHA-256s', () => {
    const many = payloadOf(files(10_000));
    expect(JSON.stringify(many).length).toBeGreaterThan(3 * maxPlainBytes);
    expect(fitPin(many)).toEqual({ payload: many });
    expect(contentBytes(encodePin(many))).toBeLessThanOrEqual(2 ** 20);

    const more = fitPin(payloadOf(files(15_000)));
    const lean = 'payload' in more ? more.payload : expect.fail('no room');
    expect(lean.files.every(({ sha256, checksum }) => sha256 === undefined && checksum !== undefined)).toBe(true);
    expect(contentBytes(encodePin(lean))).toBeLessThanOrEqual(2 ** 20);

    const most = fitPin(payloadOf(files(40_000)));
    expect('bytes' in most && most.bytes).toBeGreaterThan(maxPackedBytes);
  });

  it.each([
    ['nothing', {}],
    ['half of it', { data: { [pinnedPayloadFile]: '{"path":' } }],
    ['something else', { data: { [pinnedPayloadFile]: '{}' } }],
    ['no gzip', { binaryData: { [packedPayloadFile]: Buffer.from('{}').toString('base64') } }],
    ['no JSON in it', { binaryData: { [packedPayloadFile]: gzipSync('x').toString('base64') } }],
    ['a bomb', { binaryData: { [packedPayloadFile]: gzipSync(Buffer.alloc(80_000_000)).toString('base64') } }],
  ])('that holds %s is none', (_what, content) => {
    expect(decodePin(content)).toBeUndefined();
  });
});
