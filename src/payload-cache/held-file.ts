/** One file of the cache on its way in or out: one handle for whoever writes it and all who read it. */
import type { FileHandle } from 'node:fs/promises';

export class HeldFile {
  /** So many bytes from its beginning are there. */
  front = 0;
  /** Nothing more comes: it was given up, or turned out to be wrong. */
  #broken = false;
  readonly #handle: FileHandle;
  #users = 0;
  #waiting: (() => void)[] = [];
  readonly #closed: () => void;

  /** @param closed told when the last user has gone */
  constructor(handle: FileHandle, front: number, closed: () => void) {
    this.#handle = handle;
    this.front = front;
    this.#closed = closed;
  }

  hold(): void {
    this.#users += 1;
  }

  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#closed();
    await this.#handle.close();
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length; ) {
      const at = this.front + written;
      written += (await this.#handle.write(chunk, written, chunk.length - written, at)).bytesWritten;
    }
    this.front += chunk.length;
    this.#wake();
  }

  break(): void {
    this.#broken = true;
    this.#wake();
  }

  /**
   * Waits until there is something behind this position. @returns how many bytes were read
   * @throws Error where nothing will come
   */
  async read(into: Buffer, position: number): Promise<number> {
    while (this.front <= position) {
      if (this.#broken) throw new Error('it is not brought to its end');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const wanted = Math.min(into.length, this.front - position);
    const { bytesRead } = await this.#handle.read(into, 0, wanted, position);
    if (bytesRead === 0) throw new Error('it is shorter than it was');
    return bytesRead;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
