/** Reading what the model's container wrote. It is untrusted code: it may have made anything of these files. */
import { constants, lstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { asMaasError, MaasError } from '../../contracts/errors.ts';
import { type EndpointFile, maxEndpointFileBytes, parseEndpointFile } from '../../wire/endpoint-file.ts';

export type EndpointReading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'valid'; readonly endpoint: EndpointFile }
  | { readonly kind: 'unusable'; readonly problem: MaasError };

/**
 * Reads endpoint.dat without following links, without blocking on a pipe, and never more than its bound.
 * Everything that can be wrong with it is an answer, not an exception.
 */
export async function readEndpoint(path: string): Promise<EndpointReading> {
  try {
    const bytes = await readSafely(path);
    if (bytes === undefined) return { kind: 'absent' };
    return { kind: 'valid', endpoint: parseEndpointFile(bytes) };
  } catch (error) {
    return { kind: 'unusable', problem: asMaasError(error) };
  }
}

/** @throws MaasError ENDPOINT_UNSAFE; the bytes, or undefined where there is no file */
async function readSafely(path: string): Promise<Uint8Array | undefined> {
  const unsafe = (what: string, cause?: unknown) => new MaasError('ENDPOINT_UNSAFE', `endpoint.dat ${what}`, { cause });
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw unsafe('is a symbolic link', error);
    if (code === 'ENXIO') throw unsafe('is not a regular file', error);
    throw unsafe(`cannot be opened (${code ?? 'unknown error'})`, error);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw unsafe('is not a regular file');
    if (stat.size > maxEndpointFileBytes) throw unsafe(`is larger than ${maxEndpointFileBytes} bytes`);
    // One byte more than its size, so that growing beyond the bound meanwhile is noticed; growing less is, next time.
    const buffer = new Uint8Array(stat.size + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > maxEndpointFileBytes) throw unsafe(`is larger than ${maxEndpointFileBytes} bytes`);
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}

/**
 * A text that changes whenever the model's shell starts anew, because it rewrites its mark then; undefined before the
 * first start.
 */
export function readStartMark(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino}:${stat.mtimeNs}`;
}
