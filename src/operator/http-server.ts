/** The operator's small HTTP server: health for the kubelet, metrics for Prometheus. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthPorts {
  /** Why the process should be restarted, or undefined. */
  readonly dead: () => string | undefined;
  /** Why it is not in service, or undefined; a standby that follows its watches is in service. */
  readonly unready: () => string | undefined;
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
}

/** @param port 0 takes a free one. Gives the port and a way to close the server. */
export async function serveHttp(
  port: number,
  ports: HealthPorts,
): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': type }).end(text);
    };
    const verdict = (problem: string | undefined) => answer(problem === undefined ? 200 : 503, `${problem ?? 'ok'}\n`);
    switch (new URL(request.url ?? '/', 'http://operator').pathname) {
      case '/healthz':
        return verdict(ports.dead());
      case '/readyz':
        return verdict(ports.unready());
      case '/metrics':
        ports.metrics().then(
          ({ type, text }) => answer(200, text, type),
          (error) => answer(500, `${error}\n`),
        );
        return;
      default:
        return answer(404, 'try /metrics, /healthz or /readyz\n');
    }
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
