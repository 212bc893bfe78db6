/**
 * A file on its way from HDFS, given on to a cache near by as it comes: read back from where it was written, so that the
 * cache may be slower, or start again, without holding up the file itself. Nobody waits for it, and no failure matters.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Log } from '../kernel/log.ts';
import { messageOf } from '../kernel/message-of.ts';

export interface OfferedFileOptions {
  /** Of the file's own, opened before the model runs, which may do with its directory what it likes. Closed at the end. */
  readonly handle: FileHandle;
  readonly path: string;
  readonly length: number;
  readonly bring: (bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>;
  readonly log: Pick<Log, 'debug'>;
  readonly signal: AbortSignal;
}

/** All chunks but the last are as long: what is handed over is taken before the next one, where it is this long. */
const chunkBytes = 256 * 1024;

export class OfferedFile {
  readonly #options: OfferedFileOptions;
  readonly #stop = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #front = 0;
  #begun = false;
  #wake: (() => void) | undefined;

  constructor(options: OfferedFileOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.withdraw, { once: true });
  }

  /** Settles when it was taken, or is not offered any more. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** The file has all bytes up to here. */
  reached(front: number): void {
    this.#front = front;
    if (!this.#hasMore(0)) return;
    if (!this.#begun && !this.#stop.signal.aborted) {
      this.#begun = true;
      void this.#bring();
    }
    this.#wake?.();
  }

  /** What was offered is wrong, or will not come. */
  readonly withdraw = (): void => {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new Error('withdrawn'));
    this.#wake?.();
    if (!this.#begun) void this.#end();
  };

  #hasMore(position: number): boolean {
    return this.#front >= Math.min(this.#options.length, position + chunkBytes);
  }

  async #bring(): Promise<void> {
    const { bring, log, path } = this.#options;
    try {
      await bring(this.#bytes(), this.#stop.signal);
    } catch (error) {
      log.debug({ path, error: messageOf(error) }, "a file was not given to the node's payload cache");
    } finally {
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.withdraw);
    await this.#options.handle.close().catch(() => undefined);
    this.#over.resolve();
  }

  async *#bytes(): AsyncGenerator<Uint8Array, void> {
    const { handle, length } = this.#options;
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, length));
    for (let position = 0; position < length; ) {
      while (!this.#hasMore(position) && !this.#stop.signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      this.#stop.signal.throwIfAborted();
      const wanted = Math.min(buffer.length, length - position);
      for (let filled = 0; filled < wanted; ) {
        const { bytesRead } = await handle.read(buffer, filled, wanted - filled, position + filled);
        if (bytesRead === 0) throw new Error('the file became shorter');
        filled += bytesRead;
      }
      yield buffer.subarray(0, wanted);
      position += wanted;
    }
  }
}
