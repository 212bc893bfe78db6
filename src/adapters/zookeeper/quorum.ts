/** The connect string: where the servers are, and below which node everything of ours lies. */
import { isIPv6 } from 'node:net';
import { MaasError } from '../../contracts/errors.ts';
import { znodePathProblem } from '../../contracts/znode-path.ts';
import { quoted } from '../../kernel/shown-text.ts';

export interface Server {
  /** A name, an IPv4 address or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface Quorum {
  /** In the order of the connect string, each once. */
  readonly servers: readonly [Server, ...Server[]];
  /** Prefix of every path: empty, or an absolute path without a slash at its end. */
  readonly chroot: string;
}

const defaultPort = 2181;
const hostName = /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/;

/**
 * Reads `host:port,host:port/chroot`. The port is 2181 where none is said; an IPv6 address stands in brackets; white
 * space around hosts is ignored.
 *
 * @throws MaasError SETTINGS_INVALID
 */
export function parseQuorum(text: string): Quorum {
  const invalid = (problem: string) =>
    new MaasError('SETTINGS_INVALID', `The ZooKeeper quorum ${quoted(text)} cannot be used: ${problem}`, {
      next: 'Write it as host:port,host:port or host:port,host:port/path.',
    });
  const slash = text.indexOf('/');
  const hosts = (slash === -1 ? text : text.slice(0, slash)).trim();
  const path = slash === -1 ? '/' : text.slice(slash).trim();
  const problem = znodePathProblem(path);
  if (problem !== undefined) throw invalid(`the path ${quoted(path)} ${problem}`);
  if (hosts === '') throw invalid('it names no server');

  const servers = new Map<string, Server>();
  for (const part of hosts.split(',')) {
    const server = parseServer(part.trim());
    if (typeof server === 'string') throw invalid(server);
    servers.set(serverName(server), server);
  }
  const [first, ...others] = servers.values();
  if (first === undefined) throw invalid('it names no server');
  return { servers: [first, ...others], chroot: path === '/' ? '' : path };
}

/** `host:port`, with an IPv6 address in brackets. */
export function serverName({ host, port }: Server): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The server, or what is wrong with the text. */
function parseServer(text: string): Server | string {
  if (text === '') return 'there is nothing between two commas or at an end';
  if (isIPv6(text)) return `an IPv6 address needs brackets, as in [${text}]:${defaultPort}`;
  const match = /^(?:\[(?<address>[^\]]*)\]|(?<name>[^:]*))(?::(?<port>.*))?$/.exec(text);
  if (match === null) return `${quoted(text)} is not host:port`;
  const { address, name = '', port } = match.groups ?? {};
  if (address !== undefined && !isIPv6(address)) return `${quoted(address)} is not an IPv6 address`;
  if (address === undefined && !hostName.test(name)) return `${quoted(name)} is not a host`;
  if (port !== undefined && !isPort(port)) return `${quoted(port)} is not a port`;
  return { host: address ?? name, port: port === undefined ? defaultPort : Number(port) };
}

function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
