/**
 * An API server with one empty kind, and proxies in front of it, that write down who asked for what and which way it
 * came. Kubectl and our command can be compared by what they make it write.
 */
import http, { type IncomingMessage, type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { MadeCertificate } from './certificates.ts';

/** What was seen of a request for the list of models. */
export interface Seen {
  /** `http` or `https`, and the path behind the port. */
  readonly protocol: string;
  readonly path: string;
  readonly host: string;
  /** Authorization and those of impersonation, sorted. */
  readonly identity: readonly string[];
  /** How the answer may be packed. */
  readonly packed: string;
  readonly sni: string;
  /** Subject of the client certificate. */
  readonly client: string;
}

export class RecordingApi {
  readonly seen: Seen[] = [];
  /** `CONNECT api.test:443 Basic …`, of the proxies. */
  readonly proxied: string[] = [];
  /** Answers 401 to who does not send this. */
  wanted: string | undefined;
  /** How many were made so far. */
  connections = 0;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #ports = new Map<string, number>();

  /** @param own of a second server, that nobody signed but itself */
  async start(
    server: MadeCertificate,
    chain: string,
    clientAuthority: string,
    own: MadeCertificate = server,
  ): Promise<this> {
    const security = {
      cert: chain,
      key: server.key,
      ca: clientAuthority,
      requestCert: true,
      rejectUnauthorized: false,
    };
    const serve: RequestListener = (request, response) => {
      const status = this.#record(request);
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify(answerTo(request.url ?? '', status)));
    };
    await this.#listen('http', http.createServer(serve), '127.0.0.1');
    await this.#listen('https', https.createServer(security, serve), '127.0.0.1');
    await this.#listen('own', https.createServer({ ...security, cert: own.cert, key: own.key }, serve), '127.0.0.1');
    await this.#listen('https6', https.createServer(security, serve), '::1');
    for (const [name, proxy] of [
      ['proxy', http.createServer()],
      ['tlsproxy', https.createServer({ cert: chain, key: server.key })],
    ] as const) {
      proxy.on('connect', (request, client: Socket) => this.#tunnel(name, request, client));
      proxy.on('request', (request: IncomingMessage, response: http.ServerResponse) => {
        this.proxied.push([name, 'GET', ...proxyAuthorization(request)].join(' '));
        const { pathname, search, host } = new URL(request.url ?? '');
        request.url = `${pathname}${search}`;
        request.headers.host = host;
        serve(request as never, response as never);
      });
      await this.#listen(name, proxy, '127.0.0.1');
    }
    await this.#listen('socks', net.createServer((client) => this.#socks(client)) as Server, '127.0.0.1');
    await this.#listen('socks6', net.createServer((client) => this.#socks(client)) as Server, '::1');
    return this;
  }

  port(name: 'http' | 'https' | 'https6' | 'own' | 'proxy' | 'tlsproxy' | 'socks' | 'socks6'): number {
    return this.#ports.get(name) ?? 0;
  }

  forget(): void {
    this.seen.length = 0;
    this.proxied.length = 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  async #listen(name: string, server: Server, host: string): Promise<void> {
    server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // Clients that do not trust us hang up.
      socket.on('error', () => {});
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    this.#ports.set(name, (server.address() as AddressInfo).port);
  }

  #record(request: IncomingMessage): number {
    const { socket, rawHeaders, headers } = request;
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (this.wanted !== undefined && headers.authorization !== this.wanted) return 401;
    if (!path.endsWith('/modeldeployments')) return 200;
    const secure = socket instanceof TLSSocket;
    const names = rawHeaders.filter((_, index) => index % 2 === 0);
    this.seen.push({
      protocol: secure ? 'https' : 'http',
      path,
      host: headers.host ?? '',
      packed: String(headers['accept-encoding'] ?? ''),
      identity: names
        .map((name, index) => `${name.toLowerCase()}: ${rawHeaders[2 * index + 1]}`)
        .filter((header) => /^(authorization|impersonate-)/.test(header))
        .sort(),
      sni: secure ? String((socket as TLSSocket & { servername?: string | false }).servername || '') : '',
      client: secure ? JSON.stringify(socket.getPeerCertificate().subject ?? '') : '',
    });
    return 200;
  }

  /** Whatever is asked for, it is our server that answers. */
  #tunnel(name: string, request: IncomingMessage, client: Socket): void {
    this.proxied.push([name, 'CONNECT', request.url, ...proxyAuthorization(request)].join(' '));
    if (request.url?.startsWith('forbidden.')) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    this.#joinToServer(client);
  }

  #joinToServer(client: Socket): void {
    const upstream = net.connect(this.port('https'), '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.pipe(upstream).pipe(client);
  }

  /** SOCKS 5, as much of it as a CONNECT with or without a password takes. */
  #socks(client: Socket): void {
    client.once('data', (greeting: Buffer) => {
      const withPassword = greeting.subarray(2).includes(2);
      client.write(Buffer.from([5, withPassword ? 2 : 0]));
      const command = (who: string): void => {
        client.once('data', (request: Buffer) => {
          const host = request[3] === 3 ? request.subarray(5, 5 + (request[4] ?? 0)).toString() : 'an address';
          this.proxied.push(`socks ${host}:${request.readUInt16BE(request.length - 2)}${who}`);
          client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
          this.#joinToServer(client);
        });
      };
      if (!withPassword) {
        command('');
        return;
      }
      client.once('data', (login: Buffer) => {
        const user = login.subarray(2, 2 + (login[1] ?? 0)).toString();
        client.write(Buffer.from([1, 0]));
        command(` as ${user}`);
      });
    });
  }
}

function proxyAuthorization(request: IncomingMessage): string[] {
  const said = request.headers['proxy-authorization'];
  return said === undefined ? [] : [said];
}

const listed = { name: 'modeldeployments', singularName: 'modeldeployment', namespaced: true, kind: 'ModelDeployment' };
const group = {
  name: 'maas.dev',
  versions: [{ groupVersion: 'maas.dev/v1', version: 'v1' }],
  preferredVersion: { groupVersion: 'maas.dev/v1', version: 'v1' },
};

/** What kubectl wants to know before it asks for the list, and the list. */
function answerTo(url: string, status: number): object {
  if (status === 401) {
    return {
      apiVersion: 'v1',
      kind: 'Status',
      status: 'Failure',
      code: 401,
      reason: 'Unauthorized',
      message: 'Unauthorized',
    };
  }
  const path = (url.split('?')[0] ?? '').replace(/^.*?(?=\/(?:api|apis|version)(?:\/|$))/, '');
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };
  if (path === '/version') return { major: '1', minor: '37', gitVersion: 'v1.37.2' };
  if (path.endsWith('/modeldeployments')) {
    return { kind: 'ModelDeploymentList', apiVersion: 'maas.dev/v1', metadata: { resourceVersion: '1' }, items: [] };
  }
  const resources = path === '/apis/maas.dev/v1' ? [{ ...listed, verbs: ['get', 'list'] }] : [];
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: path.replace(/^\/apis?\//, ''), resources };
}
