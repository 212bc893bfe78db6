/**
 * The socket that clients reach: Node's HTTP server, with none of the answers that it would give by itself. Those have
 * statuses that cost a Stellar client its thread (translation.ts).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { shieldErrorHeader } from '../../contracts/pod-contract.ts';
import { bind, boundPort } from '../bind.ts';

/** Stellar puts all arguments into the URL. */
const largestHeadBytes = 65_536;
/** From a connection's beginning, or a request's, until its head is there. */
const usualHeadWithinMs = 10_000;
/** Clients keep a connection for each thread; one that is closed while it is used is opened again. */
const idleMs = 75_000;
const mostConnections = 1_024;

export class ShieldServer {
  readonly #server: Server;
  #connections = 0;

  /** @param callWithinMs no call takes longer, as long as its client reads what it is sent */
  constructor(
    serve: (request: IncomingMessage, response: ServerResponse) => void,
    callWithinMs: number,
    headWithinMs = usualHeadWithinMs,
  ) {
    const server = createServer(
      {
        maxHeaderSize: largestHeadBytes,
        headersTimeout: headWithinMs,
        requestTimeout: headWithinMs + callWithinMs,
        keepAliveTimeout: idleMs,
        connectionsCheckingInterval: headWithinMs / 2,
        requireHostHeader: false,
      },
      serve,
    );
    server.maxConnections = mostConnections;
    // Nothing moves on the connection: the model's time is over, so it is the client that does not read.
    server.timeout = headWithinMs + callWithinMs;
    // An expectation that nobody knows is no reason for another answer than to the request without it.
    server.on('checkExpectation', serve);
    server.on('clientError', answerUnread);
    // Accepting may fail for a while, which is no reason for anything to end.
    server.on('error', () => undefined);
    server.on('connection', (socket) => {
      this.#connections += 1;
      socket.once('close', () => {
        this.#connections -= 1;
      });
      // Those that are idle come back if they are needed, those beyond the bound would be refused.
      if (this.#connections >= mostConnections) server.closeIdleConnections();
    });
    this.#server = server;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Where it listens already, it stays there. @returns the port, or undefined where all of them are taken */
  async listen(ports: readonly number[]): Promise<number | undefined> {
    for (const port of ports) {
      if (this.#server.listening || (await bind(this.#server, port))) return boundPort(this.#server);
    }
    return undefined;
  }

  /** Idle connections are closed, and so is each of the others with the end of what it is at. */
  leave(): void {
    this.#server.closeIdleConnections();
  }

  /** Settles when nobody is connected any more. */
  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }

  closeAll(): void {
    this.#server.closeAllConnections();
  }
}

/** What could not be read as a request is answered only where somebody waits for it: Stellar, with too many arguments. */
function answerUnread(error: NodeJS.ErrnoException, socket: Duplex): void {
  const answering = '_httpMessage' in socket && socket._httpMessage !== null && socket._httpMessage !== undefined;
  if (error.code !== 'HPE_HEADER_OVERFLOW' || answering || !socket.writable) {
    socket.destroy();
    return;
  }
  const why = `the request's head is larger than ${largestHeadBytes} bytes`;
  socket.end(`HTTP/1.1 204 No Content\r\n${shieldErrorHeader}: ${why}\r\nConnection: close\r\n\r\n`);
}
