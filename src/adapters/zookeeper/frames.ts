/** Cuts a stream of bytes into ZooKeeper's frames: four bytes of length, then that many bytes. */

/** Far above what a server with default settings sends; more is not ZooKeeper. */
const longestFrame = 64 * 1024 * 1024;

export class FrameSplitter {
  #chunks: Buffer[] = [];
  #held = 0;

  /**
   * The frames that this chunk completes, without their length. A frame in pieces is put together once, when its last
   * piece is there.
   *
   * @throws Error where the length is absurd; the stream cannot be read any further then
   */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      const length = this.#nextLength();
      if (length === undefined || this.#held < 4 + length) return;
      const all = this.#joined();
      const frame = all.subarray(4, 4 + length);
      this.#chunks = [all.subarray(4 + length)];
      this.#held = all.length - 4 - length;
      yield frame;
    }
  }

  #nextLength(): number | undefined {
    if (this.#held < 4) return undefined;
    const first = this.#chunks[0];
    const length = (first !== undefined && first.length >= 4 ? first : this.#joined()).readInt32BE(0);
    if (length < 0 || length > longestFrame) throw new Error(`a frame of ${length} bytes`);
    return length;
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const all = Buffer.concat(this.#chunks, this.#held);
    this.#chunks = [all];
    return all;
  }
}
