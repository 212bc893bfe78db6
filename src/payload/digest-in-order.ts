/**
 * Takes the digest of a file whose bytes come out of order. What comes next in order is taken as it comes; what came
 * early is read back from the file once its turn has come.
 */
import type { FileHandle } from 'node:fs/promises';
import { MaasError } from '../contracts/errors.ts';

interface Digest {
  update(bytes: Uint8Array): void;
}

const readBufferBytes = 512 * 1024;

export class DigestInOrder {
  readonly #handle: FileHandle;
  readonly #digest: Digest;
  readonly #signal: AbortSignal;
  #taken = 0;
  /** Up to here the file is without a gap. */
  #front = 0;
  #buffer: Buffer | undefined;
  #reading: Promise<void> | undefined;
  #failure: unknown;

  constructor(handle: FileHandle, digest: Digest, signal: AbortSignal) {
    this.#handle = handle;
    this.#digest = digest;
    this.#signal = signal;
  }

  /** Bytes that are about to be written. */
  offer(bytes: Uint8Array, position: number): void {
    if (this.#reading !== undefined || position !== this.#taken) return;
    this.#digest.update(bytes);
    this.#taken += bytes.length;
  }

  /** The file has all bytes up to here. */
  written(front: number): void {
    if (this.#failure !== undefined) return;
    this.#front = front;
    if (this.#taken < front) this.#reading ??= this.#readOn();
  }

  /** Waits until all bytes up to here are taken, which must have been written. */
  async until(position: number): Promise<void> {
    while (this.#taken < position && this.#reading !== undefined) await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Nothing is read any more afterwards. */
  async end(): Promise<void> {
    this.#front = 0;
    await this.#reading;
  }

  async #readOn(): Promise<void> {
    this.#buffer ??= Buffer.allocUnsafeSlow(readBufferBytes);
    try {
      while (this.#taken < this.#front) {
        this.#signal.throwIfAborted();
        const wanted = Math.min(this.#buffer.length, this.#front - this.#taken);
        const { bytesRead } = await this.#handle.read(this.#buffer, 0, wanted, this.#taken);
        if (bytesRead === 0) throw new MaasError('INTERNAL', 'A file of the payload became shorter while it was read');
        this.#digest.update(this.#buffer.subarray(0, bytesRead));
        this.#taken += bytesRead;
      }
    } catch (error) {
      this.#failure = error;
      this.#front = 0;
    } finally {
      this.#reading = undefined;
    }
  }
}
