/**
 * The body of a large answer in buffers that are used again and again: the socket reads into two of them in turn, and
 * what the reader gets is lent to it until it asks for more. With a new buffer for each read, as streams have it, clearing
 * them away takes more time than all that is done with the bytes, and fills tens of mebibytes meanwhile.
 */
import type { IncomingMessage } from 'node:http';
import net, { type Socket } from 'node:net';
import { HttpFailure } from './failure.ts';

/** As much of an IncomingMessage as those need who read a body. */
export interface AnswerBody extends AsyncIterable<Buffer> {
  /** All of it has come. */
  readonly complete: boolean;
  destroy(error?: Error): unknown;
}

const bufferBytes = 256 * 1024;
/** Less room than this is not worth a read. */
const leastRoom = 16 * 1024;
const longestHead = 64 * 1024;
const headEnd = '\r\n\r\n';

/** Filled from its beginning up to `end`; up to `start` the reader is done with it. */
interface Part {
  readonly bytes: Buffer;
  start: number;
  end: number;
}

const emptyPart = (): Part => ({ bytes: Buffer.allocUnsafeSlow(bufferBytes), start: 0, end: 0 });

/**
 * A connection for one request. Node's own parser gets the head of the answer and nothing behind it; when it has made
 * out what that says, either `lend` or `leave` has to be called.
 */
export class LendingConnection implements AnswerBody {
  readonly socket: Socket;
  /** The one that the socket fills, and the other one. */
  #filling = emptyPart();
  #other = emptyPart();
  /** The one that the reader has its bytes from. */
  #reading = this.#filling;
  /** `left`: everything goes to Node's parser. */
  #state: 'head' | 'undecided' | 'lending' | 'left' = 'head';
  /** Bytes of the body that have not come yet. */
  #missing = 0;
  /** The filled part is full, and the reader is not done with the other one, which comes next. */
  #paused = false;
  #over: HttpFailure | undefined;
  #awaited: (() => void) | undefined;

  constructor(to: { readonly host: string; readonly port: number }) {
    this.socket = net.connect({
      ...to,
      onread: { buffer: () => this.#room(), callback: (count, into) => this.#came(count, into) },
    });
  }

  get complete(): boolean {
    return this.#state === 'lending' && this.#missing === 0;
  }

  /** The body comes from here. @param length as the head promised it */
  lend(length: number, incoming: IncomingMessage): void {
    this.#state = 'lending';
    this.#missing = length;
    // Node's parser never sees the body, so for it the message breaks off.
    incoming.on('error', () => {});
    incoming.once('close', () => this.#end(new HttpFailure('the answer ended too early', true)));
    const part = this.#filling;
    part.end = Math.min(part.end, part.start + length);
    this.#missing -= part.end - part.start;
    this.#goOn();
  }

  /** The body goes the usual way. */
  leave(): void {
    this.#state = 'left';
    const { bytes, start, end } = this.#filling;
    // Not at once: Node's parser may be busy with the head.
    queueMicrotask(() => this.#push(bytes.subarray(start, end)));
    this.#goOn();
  }

  destroy(error?: Error): void {
    this.#end(error instanceof HttpFailure ? error : new HttpFailure(error?.message ?? 'given up', true));
    this.socket.destroy();
  }

  /** Each chunk is good until the next one is asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    try {
      for (;;) {
        const part = this.#reading;
        const { bytes, start, end } = part;
        if (end > start) {
          yield bytes.subarray(start, end);
          part.start = end;
        } else if (part !== this.#filling || this.#paused) this.#turn();
        else if (this.complete) return;
        else await this.#more();
      }
    } finally {
      this.destroy();
    }
  }

  async #more(): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    await new Promise<void>((resolve) => {
      this.#awaited = resolve;
    });
  }

  /** The reader is done with a full part: it goes on in the other one. */
  #turn(): void {
    this.#reading = this.#filling;
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#fillOther();
    this.socket.resume();
  }

  #fillOther(): void {
    const next = this.#other;
    this.#other = this.#filling;
    this.#filling = next;
    next.start = next.end = 0;
  }

  /** Where the next bytes go. */
  #room(): Buffer {
    return this.#paused ? this.#other.bytes : this.#filling.bytes.subarray(this.#filling.end);
  }

  /** @returns whether more can be taken now */
  #came(count: number, into: Uint8Array): boolean {
    if (this.#state === 'left') return this.#push(Buffer.from(into.buffer, into.byteOffset, count));
    const part = this.#filling;
    if (this.#paused || into.byteOffset !== part.end || into.buffer !== part.bytes.buffer) {
      this.destroy(new HttpFailure('bytes came that were not asked for', true));
      return false;
    }
    const taken = this.#state === 'lending' ? Math.min(count, this.#missing) : count;
    part.end += taken;
    if (this.#state === 'lending') this.#missing -= taken;
    else if (this.#state === 'head') this.#passHead(part);
    this.#wake();
    return this.#hasRoom();
  }

  #passHead(part: Part): void {
    const came = part.bytes.subarray(part.start, part.end);
    const end = came.indexOf(headEnd);
    if (end < 0) {
      if (came.length > longestHead) this.leave();
      return;
    }
    const head = came.subarray(0, end + headEnd.length);
    part.start += head.length;
    // One that only announces the answer has another one behind it.
    const announces = /^HTTP\/1\.\d 1/.test(head.toString('latin1', 0, 10));
    if (!announces) this.#state = 'undecided';
    this.#push(head);
    if (announces) this.#passHead(part);
  }

  #push(bytes: Buffer): boolean {
    return bytes.length === 0 || this.socket.push(Buffer.from(bytes));
  }

  #hasRoom(): boolean {
    const part = this.#filling;
    if (this.complete) return false;
    if (part.bytes.length - part.end >= leastRoom) return true;
    if (this.#state === 'lending' && this.#reading === part) this.#fillOther();
    else this.#paused = true;
    return !this.#paused;
  }

  #end(failure: HttpFailure): void {
    this.#over ??= failure;
    this.#wake();
  }

  #wake(): void {
    this.#awaited?.();
    this.#awaited = undefined;
  }
}
