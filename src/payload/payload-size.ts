/**
 * How large a payload may be: how many files a listing may have, and whether the list of them has room in a pin. That
 * is known before the first byte is sent, with checksums, times and ids made up, as long as HDFS's and as hard to
 * compress.
 */
import { createHash } from 'node:crypto';
import { MaasError } from '../contracts/errors.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { fitPin, maxPackedBytes } from '../contracts/pin-content.ts';
import { shown } from './payload-rules.ts';

/** Files in one listing; long before that their list is too long. */
export const maxFiles = 50_000;

const blockSize = 128 * 1024 * 1024;
/** One set of checksums is not compressed exactly as well as another one. */
const margin = 1.02;

/**
 * @param where names the directory for messages
 * @param target absolute; of the directory in HDFS
 * @throws PAYLOAD_TOO_MANY_FILES
 */
export function checkListFits(
  where: string,
  target: string,
  files: readonly { readonly path: string; readonly length: number }[],
): void {
  const madeUp: PinnedPayload = {
    path: target,
    // A copy in the payload store says where it came from, and has a path of its own.
    copiedFrom: target,
    nameservice: 'x'.repeat(60),
    script: 'x'.repeat(255),
    bytes: Number.MAX_SAFE_INTEGER,
    digest: `sha256:${'0'.repeat(64)}`,
    files: files.map(({ path, length }) => {
      const hex = createHash('sha512').update(path).digest('hex');
      return {
        path,
        length,
        fileId: String(1_000_000_000 + Number.parseInt(hex.slice(0, 8), 16)),
        modificationTime: 1_700_000_000_000 + Number.parseInt(hex.slice(8, 17), 16),
        blockSize,
        ...(length === 0
          ? {}
          : {
              checksum: {
                algorithm: 'MD5-of-0MD5-of-512CRC32C',
                bytes: `${'0'.repeat(24)}${hex.slice(17, 49)}00000000`,
              },
            }),
        sha256: hex.slice(49, 113),
      };
    }),
  };
  const fit = fitPin(madeUp, Math.floor(maxPackedBytes / margin));
  if ('bytes' in fit) throw tooManyFiles(where, files.length, fit.bytes);
}

/** The pin in the form in which it has room. @throws PAYLOAD_TOO_MANY_FILES */
export function fittingPin(pin: PinnedPayload): PinnedPayload {
  const fit = fitPin(pin);
  if ('bytes' in fit) throw tooManyFiles(shown(pin.path), pin.files.length, fit.bytes);
  return fit.payload;
}

/** Of a listing that is not at its end yet. @throws PAYLOAD_TOO_MANY_FILES */
export function checkCount(directory: string, count: number, most = maxFiles, what = 'files'): void {
  if (count <= most) return;
  throw new MaasError('PAYLOAD_TOO_MANY_FILES', `${shown(directory)} holds more than ${counted(most)} ${what}`);
}

function tooManyFiles(where: string, files: number, bytes: number): MaasError {
  const list = `whose list needs ${counted(bytes)} bytes, compressed, where ${counted(maxPackedBytes)} bytes have room`;
  return new MaasError('PAYLOAD_TOO_MANY_FILES', `${where} holds ${counted(files)} files, ${list}`);
}

function counted(count: number): string {
  return count.toLocaleString('en-US');
}
