/** What the agent answers over HTTP: its status, probes and metrics. Nothing can be changed through it. */
import { createServer, type Server } from 'node:http';
import { agentPaths } from '../contracts/pod-contract.ts';

export interface Answers {
  /** A JSON text. */
  status(): string;
  ready(): boolean;
  modelIsLive(): boolean;
  /** In Prometheus' text format. */
  metrics(): string;
}

/** Not yet listening. */
export function agentServer(answers: Answers): Server {
  const server = createServer(
    { maxHeaderSize: 8_192, requestTimeout: 10_000, keepAliveTimeout: 5_000 },
    (request, response) => {
      const send = (status: number, type: string, body: string) => {
        response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
        response.end(request.method === 'HEAD' ? undefined : body);
      };
      const plain = 'text/plain; charset=utf-8';
      const verdict = (good: boolean, yes: string, no: string) => send(good ? 200 : 503, plain, `${good ? yes : no}\n`);
      // Nothing here takes a body.
      request.resume();
      if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, plain, 'only GET\n');
      switch (request.url?.split('?')[0]) {
        case agentPaths.status:
          return send(200, 'application/json', answers.status());
        case agentPaths.ready:
          return verdict(answers.ready(), 'ready', 'not ready');
        case agentPaths.modelLive:
          return verdict(answers.modelIsLive(), 'live', 'to be restarted');
        case agentPaths.metrics:
          return send(200, 'text/plain; version=0.0.4; charset=utf-8', answers.metrics());
        default:
          return send(404, plain, 'not found\n');
      }
    },
  );
  server.maxConnections = 64;
  return server;
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
