/** A byte stream of text, line by line, without ever holding more than one line. */

/** What is longer comes in pieces: nothing that a container prints may fill the memory of who looks at it. */
const longestLine = 256 * 1024;
const newline = 0x0a;

/** Without the line breaks; a rest without one comes last. @throws what the stream throws */
export async function* textLines(stream: AsyncIterable<Buffer>, limit = longestLine): AsyncGenerator<string, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline)) {
      yield textOf(bytes.subarray(0, end));
      bytes = bytes.subarray(end + 1);
    }
    while (bytes.length > limit) {
      yield textOf(bytes.subarray(0, limit));
      bytes = bytes.subarray(limit);
    }
    // A copy, so that a short rest does not keep the whole chunk alive.
    rest = Buffer.from(bytes);
  }
  if (rest.length > 0) yield textOf(rest);
}

function textOf(line: Buffer): string {
  return line.toString('utf8').replace(/\r$/, '');
}
