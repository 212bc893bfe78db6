import { describe, expect, it } from 'vitest';
import {
  chooseAccess,
  type KubeconfigOverrides,
  type Surroundings,
  serverUrl,
  type UnusableKubeconfig,
} from './choose.ts';
import { mergeKubeconfigs } from './merge.ts';
import { anyPlugin } from './plugin-policy.ts';
import { readKubeconfig } from './read.ts';

const usual = `
clusters:
- {name: c, cluster: {server: "https://c:6443", certificate-authority: ca.pem, tls-server-name: c.internal}}
- {name: d, cluster: {server: "https://d:6443"}}
- {name: bare}
users:
- {name: u, user: {token: t, as-groups: [a]}}
- {name: v, user: {client-certificate-data: Yw==, client-key-data: aw==, exec: {command: login/it, apiVersion: x, interactiveMode: Never}}}
contexts:
- {name: x, context: {cluster: c, user: v, namespace: fraud}}
- {name: noserver, context: {cluster: bare, user: v}}
- {name: z, context: {cluster: gone, user: gone}}
current-context: x
`;

const surroundings = {
  defaultServer: 'http://localhost:8080',
  unreadable: () => undefined,
  pluginPolicy: anyPlugin,
  searched: '/h/.kube/config',
};
const choose = (flags: KubeconfigOverrides = {}, text: string | null = usual, around: Surroundings = surroundings) => {
  const files = text === null ? [] : [{ path: '/etc/k/config', config: readKubeconfig(text) }];
  return chooseAccess(mergeKubeconfigs(files), flags, around);
};
const failure = (...args: Parameters<typeof choose>): UnusableKubeconfig => {
  try {
    choose(...args);
  } catch (error) {
    return error as UnusableKubeconfig;
  }
  return expect.unreachable('it should have failed');
};

describe('the server and the identity of a context', () => {
  it('are what its entries say, with paths beside their file', () => {
    expect(choose()).toMatchObject({
      server: new URL('https://c:6443'),
      tls: { authority: { file: '/etc/k/ca.pem' }, insecure: false, serverName: 'c.internal' },
      identity: {
        token: '',
        certificate: { certificate: { data: 'c' }, key: { data: 'k' } },
        exec: { command: '/etc/k/login/it' },
      },
      namespace: 'fraud',
      clusterPlace: '/etc/k/config: cluster "c"',
      userPlace: '/etc/k/config: user "v"',
      defaulted: undefined,
    });
  });

  it.each<[string, KubeconfigOverrides, object]>([
    [
      'another cluster, whole',
      { cluster: 'd' },
      { server: new URL('https://d:6443'), tls: { authority: undefined, serverName: '' } },
    ],
    [
      'another server, whose name is its own',
      { server: 'https://e' },
      { server: new URL('https://e'), tls: { authority: { file: '/etc/k/ca.pem' }, serverName: '' } },
    ],
    ['the name with it', { server: 'https://e', tlsServerName: 'n' }, { tls: { serverName: 'n' } }],
    [
      'no check in place of the authority',
      { insecureSkipTlsVerify: true },
      { tls: { authority: undefined, insecure: true } },
    ],
    ['another authority', { certificateAuthority: '/x' }, { tls: { authority: { file: '/x' }, insecure: false } }],
    ['a token beside the rest', { token: 'mine' }, { identity: { token: 'mine', certificate: {} } }],
    [
      'a certificate in place of data',
      { clientCertificate: '/c', clientKey: '/k' },
      { identity: { certificate: { certificate: { file: '/c' }, key: { file: '/k' } } } },
    ],
    [
      'somebody else',
      { as: 'j', asUserExtra: ['a=1', 'a=2=3', 'none'] },
      { impersonation: { user: 'j', groups: [], extra: { a: ['1', '2=3'] } } },
    ],
    ['nothing', { server: '', token: '', cluster: '', user: '', context: '' }, { server: new URL('https://c:6443') }],
  ])('are changed by options: %s', (_, flags, expected) => {
    expect(choose(flags)).toMatchObject(expected);
  });

  it.each<[string, KubeconfigOverrides, string | null, string]>([
    ['no file', {}, null, 'there is no kubeconfig (/h/.kube/config)'],
    ['no current context', {}, 'clusters: []', '/etc/k/config has no current context'],
    ['a cluster without server', { context: 'noserver' }, usual, '/etc/k/config: cluster "bare" has no server'],
    [
      'a cluster that is not there',
      { context: 'z', user: 'v' },
      usual,
      '/etc/k/config has no cluster "gone", which context "z" names',
    ],
  ])('with %s are the default server’s, and it is known why', (_, flags, text, why) => {
    expect(choose(flags, text)).toMatchObject({
      server: new URL('http://localhost:8080'),
      tls: undefined,
      defaulted: why,
    });
    const named = choose(flags, text, { ...surroundings, defaultServer: 'https://master:1' });
    expect(named).toMatchObject({ server: new URL('https://master:1'), defaulted: undefined });
  });

  it.each<[KubeconfigOverrides, string | null, string]>([
    [{ context: 'w' }, usual, '/etc/k/config has no context "w"'],
    [{ cluster: 'w' }, usual, '/etc/k/config has no cluster "w"'],
    [{ user: 'w' }, usual, '/etc/k/config has no user "w"'],
    [{ context: 'w' }, null, 'no kubeconfig (/h/.kube/config) has no context "w"'],
    [{ user: 'u' }, usual, '/etc/k/config: user "u": it impersonates a uid, groups or extras without a user (as)'],
    [{ server: 'ftp://x' }, usual, '/etc/k/config: cluster "c": server "ftp://x" is no address'],
    [
      { proxyUrl: 'socks4://x' },
      usual,
      '/etc/k/config: cluster "c": proxy-url "socks4://x" is no URL of http, https or socks5',
    ],
    [{}, 'current-context: x', '/etc/k/config has no context "x", which is its current one'],
  ])('cannot be had with %j', (flags, text, message) => {
    expect(failure(flags, text).message).toBe(message);
  });

  it('name every complaint about what is in use at once', () => {
    const unreadable = (path: string) => `${path} is secret`;
    const { message } = failure({ token: 't', username: 'j' }, usual, { ...surroundings, unreadable });
    expect(message).toBe(
      '/etc/k/config: user "v": it has both a token and a user name with password; ' +
        '/etc/k/config: cluster "c": certificate-authority /etc/k/ca.pem cannot be read: /etc/k/ca.pem is secret',
    );
  });
});

describe('the address of a server', () => {
  it.each([
    ['https://a:6443', 'https://a:6443/'],
    ['https://a:6443/b/?c=d#e', 'https://a:6443/b/'],
    ['https://[fd00::1]:6443', 'https://[fd00::1]:6443/'],
    ['a:6443', 'http://a:6443/'],
    ['10.0.0.1', 'http://10.0.0.1/'],
    ['localhost:8080/', 'http://localhost:8080/'],
    ['localhost:8080/api', undefined],
    ['ftp://a', undefined],
    ['https://', undefined],
    ['', undefined],
  ])('%s is %s', (text, url) => {
    expect(serverUrl(text)?.href).toBe(url);
  });
});
