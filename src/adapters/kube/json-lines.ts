/** A byte stream of one JSON value a line, as the API server sends a watch, without ever holding more than one line. */

/** Longer lines are refused: etcd holds objects of 1.5 MB by default, and JSON may be several times longer. */
const defaultLimit = 32 * 1024 * 1024;

/**
 * Yields each complete line's value. A rest without a line break is dropped: the connection was cut inside a value.
 * @throws SyntaxError for a line that is not JSON; RangeError for a line over the limit; what the stream throws
 */
export async function* jsonLines(stream: AsyncIterable<Buffer>, limit = defaultLimit): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      parts.push(chunk.subarray(start, end));
      // Joined before decoding: a character may be split over two chunks.
      const line = Buffer.concat(parts).toString('utf8').trim();
      parts = [];
      length = 0;
      start = end + 1;
      if (line !== '') yield JSON.parse(line);
    }
    length += chunk.length - start;
    if (length > limit) throw new RangeError(`a line is longer than ${limit} bytes`);
    // A copy, so that a short rest does not keep the whole chunk alive.
    if (start < chunk.length) parts.push(start === 0 ? chunk : Buffer.from(chunk.subarray(start)));
  }
}

const newline = 0x0a;
