import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { PinnedPayload } from '../contracts/payload.ts';
import { fitPin } from '../contracts/pin-content.ts';
import { checkListFits } from './payload-size.ts';

const local = (count: number, nameLength: number) =>
  Array.from({ length: count }, (_, index) => {
    const hex = createHash('sha512').update(`${index}`).digest('hex');
    return {
      path: `${hex.slice(0, 2)}/${hex.repeat(2).slice(2, 2 + nameLength)}`,
      length: Number.parseInt(hex.slice(-7), 16),
    };
  });

/** What the operator finds in HDFS after the upload of these files. */
function pinned(files: ReturnType<typeof local>, seed: string): PinnedPayload {
  return {
    path: '/user/me/models/dga',
    copiedFrom: '/user/me/models/dga',
    nameservice: 'lake',
    script: 'run.sh',
    bytes: 1,
    digest: `sha256:${'0'.repeat(64)}`,
    files: files.map(({ path, length }) => {
      const hex = createHash('sha512')
        .update(seed + path)
        .digest('hex');
      const bytes = `000002000000000000000000${hex.slice(0, 32)}00000000`;
      return {
        path,
        length,
        fileId: String(1_000_000_000 + Number.parseInt(hex.slice(32, 40), 16)),
        modificationTime: 1_795_000_000_000 + Number.parseInt(hex.slice(40, 48), 16),
        blockSize: 134_217_728,
        checksum: { algorithm: 'MD5-of-0MD5-of-512CRC32C', bytes },
        sha256: hex.slice(48, 112),
      };
    }),
  };
}

const refused = (files: ReturnType<typeof local>) => {
  try {
    checkListFits('"./dga"', '/user/me/models/dga', files);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

it.each([
  [20, 5_001],
  [20, 10_000],
  [120, 8_000],
])('takes names of %i characters in %i files', (nameLength, count) => {
  expect(refused(local(count, nameLength))).toBeUndefined();
});

it.each([20, 120])('whatever it takes has room in its pin (names of %i characters)', (nameLength) => {
  const all = local(24_000, nameLength);
  let fits = 1_000;
  for (let step = 16_000; step >= 100; step = Math.floor(step / 2)) {
    const more = fits + step;
    if (more <= all.length && refused(all.slice(0, more)) === undefined) fits = more;
  }
  expect(fits).toBeLessThan(24_000);
  for (const seed of ['a', 'b']) expect(fitPin(pinned(all.slice(0, fits), seed))).toHaveProperty('payload');
  // And it refuses little that would have had room.
  expect(fitPin(pinned(all.slice(0, Math.ceil(fits * 1.05)), 'a'))).toHaveProperty('bytes');
});

it('says how many there are and what has room', () => {
  expect(refused(local(40_000, 20))).toMatch(
    /^"\.\/dga" holds 40,000 files, whose list needs [\d,]+ bytes, compressed, where 1,000,000 bytes have room$/,
  );
});
