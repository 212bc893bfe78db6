/**
 * Puts the ZooKeeper and the HDFS of the local world, which know nothing but IPv4, on an IPv6 address: as a site would
 * with a proxy. It is a container in both networks, in which this very file runs.
 */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer } from 'node:net';

export const relayName = 'maas-ipv6-relay';

export interface Relayed {
  /** Port of the relay -> `host:port` of a TCP server. */
  readonly tcp: Readonly<Record<number, string>>;
  /** Port of the relay -> `host:port` of an HTTP server; redirects from one to another stay on the relay. */
  readonly http: Readonly<Record<number, string>>;
  /** The relay's own address. */
  readonly address: string;
}

/** Arguments of Node to run the relay. */
export function relayProgram(relayed: Relayed): string[] {
  const source = readFileSync(import.meta.filename, 'utf8');
  return ['--input-type=module-typescript', '--eval', `${source}\nrelay(${JSON.stringify(relayed)});`];
}

export function relay({ tcp, http, address }: Relayed): void {
  for (const [port, target] of Object.entries(tcp)) {
    createServer((client) => {
      const server = connect(partsOf(target));
      client.pipe(server).pipe(client);
      client.on('error', () => server.destroy());
      server.on('error', () => client.destroy());
    }).listen(Number(port), '::');
  }
  const here = new Map(Object.entries(http).map(([port, target]) => [target, `[${address}]:${port}`]));
  for (const [port, target] of Object.entries(http)) {
    createHttpServer((asked, answering) => {
      const { method, url, headers } = asked;
      const options = { ...partsOf(target), method, path: url, headers: { ...headers, host: target } };
      const passed = request(options, (answer) => {
        const to = answer.headers.location === undefined ? undefined : new URL(answer.headers.location);
        const location =
          to === undefined ? {} : { location: `http://${here.get(to.host) ?? to.host}${to.pathname}${to.search}` };
        answering.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...location });
        answer.pipe(answering);
      });
      passed.on('error', () => answering.destroy());
      asked.pipe(passed);
    }).listen(Number(port), '::');
  }
}

function partsOf(target: string): { host: string; port: number } {
  const { hostname, port } = new URL(`http://${target}`);
  return { host: hostname, port: Number(port || 80) };
}
