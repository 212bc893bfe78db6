/**
 * Through which proxy the environment wants a server to be reached. The rules are those of Go's net/http, which kubectl
 * follows; libraries for Node differ in networks (10.0.0.0/8), in ports and in what localhost means.
 */
import { BlockList, isIP } from 'node:net';
import { withoutBrackets } from '../../../kernel/bare-address.ts';
import type { Environment } from '../environment.ts';

/** The proxy's URL; undefined where the server is reached directly. */
export function proxyFromEnvironment(server: URL, env: Environment): URL | undefined {
  const either = (name: string): string => env[name] || env[name.toLowerCase()] || '';
  const proxy = proxyUrl(either(server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'));
  if (proxy === undefined) return undefined;
  const host = withoutBrackets(server.hostname);
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  return isLocal(host) || exempted(host, port, either('NO_PROXY')) ? undefined : proxy;
}

/** A proxy may be said without a protocol, which means HTTP. */
function proxyUrl(text: string): URL | undefined {
  const whole = /^[a-z][a-z0-9+.-]*:\/\/./i.test(text) ? text : `http://${text}`;
  return text !== '' && URL.canParse(whole) ? new URL(whole) : undefined;
}

function isLocal(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && within(host, '127.0.0.0/8', '::1/128'));
}

function exempted(host: string, port: string, noProxy: string): boolean {
  return noProxy
    .split(',')
    .map((rule) => rule.trim().toLowerCase())
    .some((rule) => rule === '*' || (rule !== '' && matches(host, port, rule)));
}

function matches(host: string, port: string, rule: string): boolean {
  if (rule.includes('/')) return isIP(host) !== 0 && within(host, rule);
  const withPort = isIP(rule) === 0 ? /^(.*):(\d+)$/.exec(rule) : null;
  const name = withoutBrackets(withPort?.[1] ?? rule);
  if (name === '' || (withPort !== null && withPort[2] !== port)) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && within(host, `${name}/${isIP(name) === 4 ? 32 : 128}`);
  if (isIP(host) !== 0) return false;
  const suffix = name.replace(/^\*\./, '.');
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

/** Is the address in one of the networks? What is no network has no address in it. */
function within(host: string, ...networks: readonly string[]): boolean {
  return networks.some((network) => {
    const [, address = '', bits = ''] = /^([^/]*)\/(\d+)$/.exec(network) ?? [];
    const family = isIP(address);
    if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return false;
    const list = new BlockList();
    list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
    return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
  });
}
