/** What the agent answers over HTTP: its status, probes and metrics. Nothing can be changed through it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { agentPaths, probeHeldMs } from '../contracts/pod-contract.ts';
import type { Clock } from '../kernel/clock.ts';
import { pause } from '../kernel/pause.ts';

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

/**
 * Not yet listening.
 *
 * @param answers may come later than the first request, which waits for them then
 */
export function agentServer(answers: Answers | Promise<Answers>, clock: Pick<Clock, 'sleep'>): Server {
  let held = 0;
  /** Ends when the instance is ready, the time is over, or nobody waits any more. */
  const holdUntilReady = async ({ firstReady }: Answers, response: ServerResponse) => {
    if (firstReady.aborted || held === mostHeld) return;
    const over = new AbortController();
    const end = () => over.abort();
    response.once('close', end);
    firstReady.addEventListener('abort', end);
    held += 1;
    await pause(clock, probeHeldMs, over.signal);
    held -= 1;
    firstReady.removeEventListener('abort', end);
    response.off('close', end);
  };
  const server = createServer(
    { maxHeaderSize: 8_192, requestTimeout: 10_000, keepAliveTimeout: 5_000 },
    async (request, response) => {
      // Nothing here takes a body.
      request.resume();
      const say = await answers;
      const path = request.url?.split('?')[0];
      if (request.method === 'GET' && path === agentPaths.readyHeld) await holdUntilReady(say, response);
      const { status, type, body } = answerTo(say, request, path);
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
    },
  );
  server.maxConnections = 64;
  return server;
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

/**
 * Listens on the first of the ports that is free.
 *
 * @returns the port, or undefined where all of them are taken
 */
export async function listenOnFirst(server: Server, ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) {
    const bound = await new Promise<boolean>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) => {
        server.off('listening', listening);
        if (error.code === 'EADDRINUSE') resolve(false);
        else reject(error);
      };
      const listening = () => {
        server.off('error', failed);
        resolve(true);
      };
      server.once('error', failed);
      server.once('listening', listening);
      server.listen(port);
    });
    if (bound) {
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    }
  }
  return undefined;
}
