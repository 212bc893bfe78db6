/** A TCP proxy in the test's process, to cut, silence and refuse connections to a real server. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket | undefined;
}

export class TcpProxy {
  /** What becomes of new connections: served, accepted and never answered, or reset at once. */
  mode: 'serve' | 'mute' | 'reset' = 'serve';
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      client.on('error', () => {});
      if (this.mode === 'reset') {
        client.resetAndDestroy();
        return;
      }
      const upstream = this.mode === 'serve' ? connect({ host, port }) : undefined;
      const pair: Pair = { client, upstream };
      this.#pairs.add(pair);
      client.on('close', () => {
        upstream?.destroy();
        this.#pairs.delete(pair);
      });
      upstream?.on('error', () => client.destroy());
      upstream?.on('close', () => client.destroy());
      if (upstream !== undefined) client.pipe(upstream).pipe(client);
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** The connections stay open and carry nothing any more, as when a firewall forgets them. */
  silence(): void {
    for (const { client, upstream } of this.#pairs) {
      upstream?.unpipe(client);
      client.unpipe(upstream);
      // Read on and drop, so that nothing but silence reaches either side.
      client.resume();
      upstream?.resume();
    }
  }

  /** Resets all connections. */
  cut(): void {
    for (const { client } of this.#pairs) client.resetAndDestroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { client } of this.#pairs) client.destroy();
    await closed;
  }
}
