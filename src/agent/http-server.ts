/** What the agent answers over HTTP: its status, probes and metrics. Nothing can be changed through it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { agentPaths, probeHeldMs } from '../contracts/agent-http.ts';
import type { Clock } from '../kernel/clock.ts';
import { pause } from '../kernel/pause.ts';
import { bind, boundPort } from './bind.ts';

export interface Answers {
  /** A JSON text. */
  status(): string;
  ready(): boolean;
  /** Fires when the instance is ready for the first time. */
  readonly firstReady: AbortSignal;
  modelIsLive(): boolean;
  /** In Prometheus' text format. */
  metrics(): string;
}

/** Probes that wait at once. There is one kubelet; more than it needs is somebody else's. */
const mostHeld = 8;

/** May listen before there is anything to answer: requests wait for that. */
export class AgentServer {
  readonly #answers = Promise.withResolvers<Answers>();
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #server: Server;
  #held = 0;

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
    this.#server = createServer(
      { maxHeaderSize: 8_192, requestTimeout: 10_000, keepAliveTimeout: 5_000 },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = 64;
  }

  /** To be told once. */
  answer(answers: Answers): void {
    this.#answers.resolve(answers);
  }

  /**
   * Listens on the first of the ports that is free; where it listens already, it stays there.
   *
   * @returns the port, or undefined where all of them are taken
   */
  async listen(ports: readonly number[]): Promise<number | undefined> {
    for (const port of ports) {
      if (this.#server.listening || (await bind(this.#server, port))) return boundPort(this.#server);
    }
    return undefined;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Nothing here takes a body.
    request.resume();
    const answers = await this.#answers.promise;
    const path = request.url?.split('?')[0];
    if (request.method === 'GET' && path === agentPaths.readyHeld) await this.#holdUntilReady(answers, response);
    const { status, type, body } = answerTo(answers, request, path);
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  /** Ends when the instance is ready, the time is over, or nobody waits any more. */
  async #holdUntilReady({ firstReady }: Answers, response: ServerResponse): Promise<void> {
    if (firstReady.aborted || this.#held === mostHeld) return;
    const over = new AbortController();
    const end = () => over.abort();
    response.once('close', end);
    firstReady.addEventListener('abort', end);
    this.#held += 1;
    await pause(this.#clock, probeHeldMs, over.signal);
    this.#held -= 1;
    firstReady.removeEventListener('abort', end);
    response.off('close', end);
  }
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function answerTo(answers: Answers, { method }: IncomingMessage, path: string | undefined): Answer {
  const plain = (status: number, text: string) => ({ status, type: 'text/plain; charset=utf-8', body: `${text}\n` });
  const verdict = (good: boolean, yes: string, no: string) => (good ? plain(200, yes) : plain(503, no));
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET');
  switch (path) {
    case agentPaths.status:
      return { status: 200, type: 'application/json', body: answers.status() };
    case agentPaths.ready:
    case agentPaths.readyHeld:
      return verdict(answers.ready(), 'ready', 'not ready');
    case agentPaths.modelLive:
      return verdict(answers.modelIsLive(), 'live', 'to be restarted');
    case agentPaths.metrics:
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: answers.metrics() };
    default:
      return plain(404, 'not found');
  }
}
