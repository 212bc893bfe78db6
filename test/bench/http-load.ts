/**
 * `node http-load.ts PORT CONNECTIONS MS QUERIES [IDLE]`: GETs as Stellar sends them, one after the other on each of so
 * many kept connections, over so many queries in turn; beside IDLE connections on which nothing more is asked after a
 * first call. Prints one line of JSON.
 */
import { connect, type Socket } from 'node:net';

const [port = 0, connections = 1, forMs = 1_000, queries = 1, idle = 0] = process.argv.slice(2).map(Number);

const request = (query: number) =>
  [
    `GET /apply?host=host-${query}.example HTTP/1.1`,
    'accept: application/json',
    `Host: 127.0.0.1:${port}`,
    'Connection: Keep-Alive',
    'User-Agent: Apache-HttpClient/4.4.1 (Java 1.8)',
    'Accept-Encoding: gzip,deflate',
    '\r\n',
  ].join('\r\n');

class Caller {
  readonly #socket: Socket;
  #answer = '';
  #answered: (status: number) => void = () => undefined;

  constructor() {
    this.#socket = connect(port, '127.0.0.1').setNoDelay();
    this.#socket.on('data', (data) => this.#read(data.toString('latin1')));
    for (const event of ['error', 'close'] as const) this.#socket.on(event, () => this.#answered(0));
  }

  /** The status, 0 for a connection that ended. */
  async call(query: number): Promise<number> {
    const answered = new Promise<number>((resolve) => {
      this.#answered = resolve;
    });
    this.#socket.write(request(query));
    return await answered;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#answer += text;
    const head = this.#answer.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = Number(/^content-length: *(\d+)\r$/im.exec(this.#answer)?.[1] ?? 0);
    if (this.#answer.length < head + 4 + length) return;
    const status = Number(this.#answer.slice(9, 12));
    this.#answer = '';
    this.#answered(status);
  }
}

const waiting = Array.from({ length: idle }, () => new Caller());
for (const caller of waiting) await caller.call(0);

const times: number[] = [];
let failed = 0;
let next = 0;
const end = performance.now() + forMs;
await Promise.all(
  Array.from({ length: connections }, async () => {
    const caller = new Caller();
    for (;;) {
      const begun = performance.now();
      if (begun >= end) break;
      const status = await caller.call(next++ % queries);
      if (status === 200) times.push(performance.now() - begun);
      else failed += 1;
      if (status === 0) break;
    }
    caller.close();
  }),
);
times.sort((one, other) => one - other);
const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
process.stdout.write(
  `${JSON.stringify({ calls: times.length, failed, aSecond: (times.length * 1e3) / forMs, p50: at(0.5), p99: at(0.99) })}\n`,
);
process.exit();
