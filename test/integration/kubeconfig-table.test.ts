/**
 * Kubeconfigs held against kubectl itself: for each, kubectl and our command ask a server that writes down which way
 * the request came, as whom and for what. Both must ask the same, or both must refuse.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { projectRoot } from '../../deploy/local/cache.ts';
import { run } from '../../deploy/local/run.ts';
import { authorityExtensions, type MadeCertificate, makeCertificate } from '../builders/certificates.ts';
import { RecordingApi } from '../builders/recording-api.ts';
import { ended, type Ran } from './cli-process.ts';
import { present } from './world.ts';

interface Certificates {
  readonly root: MadeCertificate;
  readonly middle: MadeCertificate;
  readonly stranger: MadeCertificate;
  readonly expired: MadeCertificate;
  readonly client: MadeCertificate;
  readonly other: MadeCertificate;
  /** Of a server; nobody signed it but itself, and it is no authority. */
  readonly own: MadeCertificate;
}

/** One row: files in the home directory, environment and options; and whether it is to work. */
interface Row {
  readonly works: boolean;
  /** By path in the home directory; objects are written as YAML. `.kube/config` is the usual one. */
  readonly files?: Readonly<Record<string, string | object>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Where it is run, in the home directory. */
  readonly cwd?: string;
  /** Typed on a terminal; without it standard input is none. */
  readonly typed?: string;
  /** The server accepts only this Authorization. */
  readonly wanted?: string;
  /** What our own complaint contains. */
  readonly says?: RegExp;
  /** What is seen, beside being the same. */
  readonly sees?: object;
}

const execVersion = 'client.authentication.k8s.io/v1';
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const work = mkdtempSync(join(tmpdir(), 'kubeconfig-table-'));
const api = new RecordingApi();
let made: Certificates;
const program = join(projectRoot, 'dist/kubectl-maas');

beforeAll(async () => {
  const directory = join(work, 'certificates');
  mkdirSync(directory);
  const authority = (name: string, more: object = {}) =>
    makeCertificate(directory, { name, extensions: authorityExtensions, ...more });
  const root = authority('root');
  const middle = authority('middle', { issuer: root });
  const names = 'subjectAltName=DNS:localhost,DNS:api.test,DNS:*.wild.test,IP:127.0.0.1,IP:192.0.2.1,IP:::1';
  const server = makeCertificate(directory, { name: 'server', issuer: middle, extensions: [names] });
  const client = (name: string, subject: string) =>
    makeCertificate(directory, { name, subject, issuer: root, extensions: ['extendedKeyUsage=clientAuth'] });
  made = {
    root,
    middle,
    stranger: authority('stranger'),
    expired: authority('expired', { days: 0 }),
    client: client('client', '/O=team/CN=alice'),
    other: client('other', '/CN=bob'),
    own: makeCertificate(directory, { name: 'own', extensions: ['subjectAltName=IP:127.0.0.1'] }),
  };
  await api.start(server, server.cert + middle.cert, root.cert, made.own);
  await run(process.execPath, [join(projectRoot, 'build.ts'), 'kubectl-maas']);
});
afterAll(async () => {
  await api.stop();
  rmSync(work, { recursive: true, force: true });
});

/** The address of the server, and what a cluster of it trusts. */
const https = (more: object = {}) => ({
  server: `https://127.0.0.1:${api.port('https')}`,
  'certificate-authority-data': b64(made.root.cert),
  ...more,
});
const http = (more: object = {}) => ({ server: `http://127.0.0.1:${api.port('http')}`, ...more });
/** A name that only a proxy can resolve. */
const far = (host = 'api.test:6443') => https({ server: `https://${host}` });
const proxyUrl = (name: 'proxy' | 'tlsproxy' | 'socks', login = '') => {
  const protocol = { proxy: 'http', tlsproxy: 'https', socks: 'socks5' }[name];
  return `${protocol}://${login}127.0.0.1:${api.port(name)}`;
};
/** A kubeconfig of one context. */
const config = (cluster: object, user: object = { token: 'secret' }, context: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'c', cluster }],
  users: [{ name: 'u', user }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...context } }],
  'current-context': 'x',
});
const usual = (cluster: object, user?: object, context?: object) => ({
  '.kube/config': config(cluster, user, context),
});
const credential = (status: object, apiVersion = execVersion) =>
  JSON.stringify({ apiVersion, kind: 'ExecCredential', status });
/** A plugin that leaves behind what it was told. */
const plugin = (status: object, apiVersion?: string, body = '') =>
  `#!/bin/sh\n${body}\nprintf '%s' "$KUBERNETES_EXEC_INFO" > "$HOME/info"\necho "$@ $EXTRA" >> "$HOME/calls"\ncat <<'END'\n${credential(status, apiVersion)}\nEND\n`;
const withExec = (exec: object = {}) => ({
  exec: { apiVersion: execVersion, command: './plugin', interactiveMode: 'Never', ...exec },
});

const kuberc = (credentialPluginPolicy: string, credentialPluginAllowlist?: object[]) => ({
  apiVersion: 'kubectl.config.k8s.io/v1beta1',
  kind: 'Preference',
  credentialPluginPolicy,
  credentialPluginAllowlist,
});

/** Made when the ports and certificates are known. */
const rows: Readonly<Record<string, () => Row>> = {
  // Files.
  'the usual file': () => ({ works: true, files: usual(https()) }),
  'KUBECONFIG before the usual file': () => ({
    works: true,
    files: { ...usual(https()), other: config(https(), { token: 'other' }) },
    env: { KUBECONFIG: 'HOME/other' },
    sees: { identity: ['authorization: Bearer other'] },
  }),
  'an empty KUBECONFIG': () => ({ works: true, files: usual(https()), env: { KUBECONFIG: '' } }),
  'the first of several files wins, whole entries': () => ({
    works: true,
    files: {
      a: { users: [{ name: 'u', user: { token: 'a' } }] },
      b: config(https(), { token: 'b', as: 'b' }),
    },
    env: { KUBECONFIG: 'HOME/missing:HOME/a:HOME/b:HOME/a' },
    sees: { identity: ['authorization: Bearer a'] },
  }),
  'the first current context wins': () => ({
    works: true,
    files: {
      a: { 'current-context': 'late' },
      b: config(https()),
      c: { contexts: [{ name: 'late', context: { cluster: 'c', user: 'u', namespace: 'from-c' } }] },
    },
    env: { KUBECONFIG: 'HOME/a:HOME/b:HOME/c' },
    sees: { path: '/apis/maas.dev/v1/namespaces/from-c/modeldeployments' },
  }),
  'a broken file among several': () => ({
    works: false,
    files: { a: config(https()), b: 'users: [' },
    env: { KUBECONFIG: 'HOME/a:HOME/b' },
    says: /KUBECONFIG_INVALID.*\/b cannot be read/s,
  }),
  'a directory in KUBECONFIG': () => ({ works: false, files: { 'a/b': '' }, env: { KUBECONFIG: 'HOME/a' } }),
  'an explicit file': () => ({
    works: true,
    files: { ...usual(http()), other: config(https()) },
    args: ['--kubeconfig', 'HOME/other'],
  }),
  'an explicit file that is missing': () => ({
    works: false,
    files: usual(https()),
    args: ['--kubeconfig', 'HOME/nowhere'],
    says: /KUBECONFIG_INVALID.*nowhere/,
  }),
  'an empty --kubeconfig': () => ({ works: true, files: usual(https()), args: ['--kubeconfig', ''] }),
  'the file of old': () => ({ works: true, files: { '.kube/.kubeconfig': config(https()) } }),
  'no file at all': () => ({ works: false, says: /CLUSTER_UNREACHABLE.*localhost:8080.*there is no kubeconfig/s }),
  'KUBERNETES_MASTER without a file': () => ({
    works: true,
    env: { KUBERNETES_MASTER: `http://127.0.0.1:${api.port('http')}` },
  }),
  'an empty file': () => ({ works: false, files: { '.kube/config': '' }, says: /no current context/ }),
  'paths relative to the file that has them': () => ({
    works: true,
    files: {
      'deep/config': config(
        { server: `https://127.0.0.1:${api.port('https')}`, 'certificate-authority': '../pki/ca' },
        { 'client-certificate': 'cert', 'client-key': '../deep/key', tokenFile: 'token' },
      ),
      'pki/ca': made.root.cert,
      'deep/cert': made.client.cert,
      'deep/key': made.client.key,
      'deep/token': 'from-file',
    },
    env: { KUBECONFIG: 'deep/config' },
    sees: { client: JSON.stringify({ O: 'team', CN: 'alice' }), identity: ['authorization: Bearer from-file'] },
  }),
  JSON: () => ({ works: true, files: { '.kube/config': JSON.stringify(config(https()), null, '\t') } }),
  'a byte order mark and Windows line ends': () => ({
    works: true,
    files: { '.kube/config': `\ufeff${stringify(config(https())).replaceAll('\n', '\r\n')}` },
  }),

  // What is not in use does not matter; what is does.
  'entries that are not in use': () => ({
    works: true,
    files: {
      '.kube/config': {
        ...config(https()),
        clusters: [
          { name: 'c', cluster: https() },
          { name: 'no-server', cluster: {} },
          { name: 'no-file', cluster: { server: 'https://x', 'certificate-authority': '/nowhere' } },
          { name: 'nothing', cluster: null },
        ],
        contexts: [
          { name: 'x', context: { cluster: 'c', user: 'u' } },
          { name: 'no-cluster', context: { user: 'u' } },
          { name: 'nothing' },
        ],
        users: [
          { name: 'u', user: { token: 'secret' } },
          { name: 'broken', user: { exec: {}, 'client-certificate': '/nowhere', token: 'a', username: 'b' } },
        ],
        preferences: {},
        extensions: null,
        unknown: { field: 1 },
      },
    },
  }),
  'a value of the wrong type in what is not in use': () => ({
    works: false,
    files: {
      '.kube/config': {
        ...config(https()),
        users: [
          { name: 'u', user: { token: 's' } },
          { name: 'v', user: { token: 1 } },
        ],
      },
    },
    says: /users "v": user.token/,
  }),
  'a context without cluster': () => ({
    works: false,
    files: { '.kube/config': { ...config(https()), contexts: [{ name: 'x', context: { user: 'u' } }] } },
    says: /localhost:8080.*context "x" names no cluster/s,
  }),
  'a cluster without server': () => ({
    works: false,
    files: usual({}),
    says: /localhost:8080.*cluster "c" has no server/s,
  }),
  'a cluster that nobody defines': () => ({
    works: false,
    files: { '.kube/config': { ...config(https()), clusters: [] } },
    says: /localhost:8080.*has no cluster "c"/s,
  }),
  'a user that nobody defines': () => ({
    works: false,
    files: { '.kube/config': { ...config(https()), users: [] } },
    says: /KUBECONFIG_INVALID.*nothing says who asks/s,
  }),
  'a user that nobody defines, without TLS': () => ({
    works: true,
    files: { '.kube/config': { ...config(http()), users: null } },
  }),
  'a current context that nobody defines': () => ({
    works: false,
    files: { '.kube/config': { ...config(https()), 'current-context': 'gone' } },
    says: /has no context "gone".*Choose one of: x/s,
  }),
  'no current context': () => ({
    works: false,
    files: { '.kube/config': { ...config(https()), 'current-context': '' } },
    says: /no current context/,
  }),
  'a name that comes twice': () => ({
    works: false,
    files: {
      '.kube/config': {
        ...config(https()),
        users: [
          { name: 'u', user: {} },
          { name: 'u', user: { token: 's' } },
        ],
      },
    },
    says: /the name "u" twice/,
  }),
  'both authorities, as file and as data': () => ({
    works: false,
    files: { ...usual(https({ 'certificate-authority': 'ca' })), '.kube/ca': made.root.cert },
    says: /cluster "c".*both/,
  }),
  'an authority that is missing': () => ({
    works: false,
    files: usual({ server: `https://127.0.0.1:${api.port('https')}`, 'certificate-authority': 'ca' }),
    says: /cluster "c": certificate-authority .*\.kube\/ca cannot be read: there is no such file/,
  }),
  'a token and a password': () => ({
    works: false,
    files: usual(https(), { token: 'a', username: 'b', password: 'c' }),
    says: /user "u".*both/,
  }),
  'a token file and a password': () => ({
    works: false,
    files: { ...usual(https(), { tokenFile: 'token', username: 'b', password: 'c' }), '.kube/token': 'a' },
  }),
  'a certificate without its key': () => ({
    works: false,
    files: usual(https(), { 'client-certificate-data': b64(made.client.cert) }),
    says: /user "u".*without a key/,
  }),
  'a key that is not the certificate’s': () => ({
    works: false,
    files: usual(https(), {
      'client-certificate-data': b64(made.client.cert),
      'client-key-data': b64(made.other.key),
    }),
  }),

  // Who asks.
  'a token': () => ({ works: true, files: usual(https()), sees: { identity: ['authorization: Bearer secret'] } }),
  'a token file that ends in a newline': () => ({
    works: true,
    files: { ...usual(https(), { tokenFile: 'token' }), '.kube/token': '  from-file\n\n' },
    sees: { identity: ['authorization: Bearer from-file'] },
  }),
  'a token file goes before the token': () => ({
    works: true,
    files: { ...usual(https(), { token: 'old', tokenFile: 'token' }), '.kube/token': 'new\n' },
    sees: { identity: ['authorization: Bearer new'] },
  }),
  'a token file that is missing, beside a token': () => ({
    works: true,
    files: usual(https(), { token: 'old', tokenFile: 'token' }),
    sees: { identity: ['authorization: Bearer old'] },
  }),
  'a token file that is missing': () => ({
    works: false,
    files: usual(https(), { tokenFile: 'token' }),
    says: /tokenFile/,
  }),
  'a token file that is empty': () => ({
    works: false,
    files: { ...usual(https(), { tokenFile: 'token' }), '.kube/token': '\n' },
  }),
  'a token with a newline': () => ({
    works: false,
    files: usual(https(), { token: 'secret\n' }),
    says: /KUBECONFIG_INVALID.*user "u": its token has a line break/,
  }),
  'impersonation of people with names': () => ({ works: true, files: usual(https(), { token: 'a', as: 'jörg 東' }) }),
  'no compression': () => ({ works: true, files: usual(https({ 'disable-compression': true })), sees: { packed: '' } }),
  'user name and password': () => ({
    works: true,
    files: usual(https(), { username: 'joe', password: 'pass:word' }),
    sees: { identity: [`authorization: Basic ${b64('joe:pass:word')}`] },
  }),
  'a client certificate': () => ({
    works: true,
    files: usual(https(), {
      'client-certificate-data': b64(made.client.cert),
      'client-key-data': b64(made.client.key),
    }),
    sees: { client: JSON.stringify({ O: 'team', CN: 'alice' }), identity: [] },
  }),
  'certificate and key in one file': () => ({
    works: true,
    files: {
      ...usual(https(), { 'client-certificate': 'both.pem', 'client-key': 'both.pem' }),
      '.kube/both.pem': `# kubelet\n${made.client.key}${made.client.cert}${made.root.cert}`,
    },
    sees: { client: JSON.stringify({ O: 'team', CN: 'alice' }) },
  }),
  'a key behind its parameters': () => ({
    works: true,
    files: usual(https(), {
      'client-certificate-data': b64(made.client.cert),
      'client-key-data': b64(
        `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${made.client.key}`,
      ),
    }),
  }),
  'a client certificate and a token': () => ({
    works: true,
    files: usual(https(), {
      'client-certificate-data': b64(made.client.cert),
      'client-key-data': b64(made.client.key),
      token: 'secret',
    }),
  }),
  'base64 over several lines': () => ({
    works: true,
    files: usual(https({ 'certificate-authority-data': b64(made.root.cert).replace(/(.{64})/g, '$1\n') })),
  }),
  'broken base64': () => ({
    works: false,
    files: usual(https({ 'certificate-authority-data': `${b64(made.root.cert)} ` })),
    says: /clusters "c": cluster.certificate-authority-data/,
  }),
  'nobody, with TLS': () => ({ works: false, files: usual(https(), {}) }),
  impersonation: () => ({
    works: true,
    files: usual(https(), {
      token: 'secret',
      as: 'jane',
      'as-uid': '7',
      'as-groups': ['a', 'b'],
      'as-user-extra': { 'example.com/reason': ['one', 'two'], 'A%b ü': ['c'] },
    }),
    sees: {
      identity: [
        'authorization: Bearer secret',
        'impersonate-extra-a%25b%20%c3%bc: c',
        'impersonate-extra-example.com%2freason: one',
        'impersonate-extra-example.com%2freason: two',
        'impersonate-group: a',
        'impersonate-group: b',
        'impersonate-uid: 7',
        'impersonate-user: jane',
      ],
    },
  }),
  'groups without a user to impersonate': () => ({
    works: false,
    files: usual(https(), { token: 'secret', 'as-groups': ['a'] }),
    says: /user "u".*without a user/,
  }),
  'auth-provider gcp': () => ({
    works: false,
    files: usual(https(), { 'auth-provider': { name: 'gcp', config: null } }),
    says: /user "u": auth-provider gcp.*gke-gcloud-auth-plugin/s,
  }),
  'an auth-provider that nobody knows': () => ({
    works: false,
    files: usual(https(), { 'auth-provider': { name: 'own' } }),
    says: /"own"/,
  }),
  'auth-provider oidc with a token that holds': () => ({
    works: true,
    files: usual(https(), {
      'auth-provider': {
        name: 'oidc',
        config: {
          'idp-issuer-url': 'https://issuer',
          'client-id': 'id',
          'id-token': `${b64('{}')}.${b64(JSON.stringify({ exp: 4_000_000_000 }))}.${b64('x')}`.replaceAll('=', ''),
        },
      },
    }),
  }),
  'auth-provider oidc with a token that is over': () => ({
    works: false,
    files: usual(https(), {
      'auth-provider': {
        name: 'oidc',
        config: {
          'idp-issuer-url': 'https://issuer',
          'client-id': 'id',
          'id-token': `${b64('{}')}.${b64(JSON.stringify({ exp: 1 }))}.${b64('x')}`.replaceAll('=', ''),
        },
      },
    }),
    says: /id-token/,
  }),

  // Where to.
  'kubectl proxy: HTTP, nobody': () => ({
    works: true,
    files: usual(http(), {}),
    sees: { protocol: 'http', identity: [] },
  }),
  'no credentials over HTTP, but impersonation': () => ({
    works: true,
    files: usual(http(), {
      token: 'secret',
      as: 'jane',
      'client-certificate-data': b64(made.client.cert),
      'client-key-data': b64(made.client.key),
    }),
    sees: { identity: ['impersonate-user: jane'] },
  }),
  'no plugin is asked over HTTP': () => ({ works: true, files: usual(http(), withExec({ command: '/nowhere' })) }),
  'a server below a path': () => ({
    works: true,
    files: usual(https({ server: `https://127.0.0.1:${api.port('https')}/k8s/clusters/c-1/?x=y` })),
    sees: { path: '/k8s/clusters/c-1/apis/maas.dev/v1/namespaces/default/modeldeployments' },
  }),
  'a server with a slash behind it': () => ({
    works: true,
    files: usual(https({ server: `https://127.0.0.1:${api.port('https')}/` })),
    sees: { path: '/apis/maas.dev/v1/namespaces/default/modeldeployments' },
  }),
  'a server without a protocol': () => ({ works: true, files: usual({ server: `127.0.0.1:${api.port('http')}` }) }),
  'a server that is a name without a protocol': () => ({
    works: true,
    files: usual({ server: `localhost:${api.port('http')}` }),
  }),
  'a server without a protocol, below a path': () => ({
    works: false,
    files: usual({ server: `localhost:${api.port('http')}/a` }),
  }),
  IPv6: () => ({ works: true, files: usual(https({ server: `https://[::1]:${api.port('https6')}` })) }),
  'the namespace of the context': () => ({
    works: true,
    files: usual(https(), undefined, { namespace: 'fraud' }),
    sees: { path: '/apis/maas.dev/v1/namespaces/fraud/modeldeployments' },
  }),
  'HTTP where TLS is spoken': () => ({
    works: false,
    files: usual({ server: `http://127.0.0.1:${api.port('https')}` }),
  }),
  'TLS where HTTP is spoken': () => ({
    works: false,
    files: usual(https({ server: `https://127.0.0.1:${api.port('http')}` })),
  }),

  // Trust.
  'no authority, and not the system’s either': () => ({
    works: false,
    files: usual({ server: `https://127.0.0.1:${api.port('https')}` }),
    says: /CLUSTER_UNREACHABLE.*cluster "c": give the authority/s,
  }),
  SSL_CERT_FILE: () => ({
    works: true,
    files: { ...usual({ server: `https://127.0.0.1:${api.port('https')}` }), ca: made.root.cert },
    env: { SSL_CERT_FILE: 'HOME/ca' },
  }),
  SSL_CERT_DIR: () => ({
    works: true,
    files: { ...usual({ server: `https://127.0.0.1:${api.port('https')}` }), 'cas/any.name': made.root.cert },
    env: { SSL_CERT_FILE: 'HOME/nowhere', SSL_CERT_DIR: 'HOME/none:HOME/cas' },
  }),
  'the system does not count beside an authority': () => ({
    works: false,
    files: { ...usual(https({ 'certificate-authority-data': b64(made.stranger.cert) })), ca: made.root.cert },
    env: { SSL_CERT_FILE: 'HOME/ca' },
    says: /cluster "c": its certificate-authority did not sign/,
  }),
  'a bundle as companies have them': () => ({
    works: true,
    files: usual(
      https({
        'certificate-authority-data': b64(
          `# Example Corp\r\nissuer=whatever\r\n${[made.stranger.cert, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', made.expired.cert, made.root.cert].join('# next\n').replaceAll('\n', '\r\n')}`,
        ),
      }),
    ),
  }),
  'an authority that is no root': () => ({
    works: true,
    files: usual(https({ 'certificate-authority-data': b64(made.middle.cert) })),
  }),
  'a server that is its own authority': () => ({
    works: true,
    files: usual({
      server: `https://127.0.0.1:${api.port('own')}`,
      'certificate-authority-data': b64(made.root.cert + made.own.cert),
    }),
  }),
  'a server that nobody signed': () => ({
    works: false,
    files: usual(https({ server: `https://127.0.0.1:${api.port('own')}` })),
  }),
  'no certificate in the authority': () => ({
    works: false,
    files: usual(https({ 'certificate-authority-data': b64('hello') })),
    says: /cluster "c".*no certificate/,
  }),
  'an authority file that is empty': () => ({
    works: false,
    files: {
      ...usual({ server: `https://127.0.0.1:${api.port('https')}`, 'certificate-authority': 'ca' }),
      '.kube/ca': '',
      ca: made.root.cert,
    },
    env: { SSL_CERT_FILE: 'HOME/ca' },
  }),
  'no check': () => ({
    works: true,
    files: usual({ server: `https://127.0.0.1:${api.port('https')}`, 'insecure-skip-tls-verify': true }),
  }),
  'no check, and an authority': () => ({
    works: false,
    files: usual(https({ 'insecure-skip-tls-verify': true })),
    says: /cluster "c": insecure-skip-tls-verify/,
  }),
  'another name of the server': () => ({
    works: true,
    files: usual(https({ 'tls-server-name': 'api.test' })),
    sees: { sni: 'api.test' },
  }),
  'a wildcard’s name': () => ({ works: true, files: usual(https({ 'tls-server-name': 'a.wild.test' })) }),
  'a name that the certificate has not': () => ({
    works: false,
    files: usual(https({ 'tls-server-name': 'other.test' })),
    says: /tls-server-name/,
  }),
  'the common name is no name': () => ({ works: false, files: usual(https({ 'tls-server-name': 'server' })) }),

  // Proxies.
  'proxy-url': () => ({
    works: true,
    files: usual({ ...far(), 'proxy-url': proxyUrl('proxy') }),
    sees: { host: 'api.test:6443' },
  }),
  'proxy-url with a password': () => ({
    works: true,
    files: usual({ ...far(), 'proxy-url': proxyUrl('proxy', 'joe:p%40ss@') }),
  }),
  'proxy-url over TLS': () => ({
    works: true,
    files: usual({ ...far(), 'proxy-url': proxyUrl('tlsproxy') }),
  }),
  'proxy-url of socks5': () => ({ works: true, files: usual({ ...far(), 'proxy-url': proxyUrl('socks') }) }),
  'proxy-url of socks5 with an IPv6 address': () => ({
    works: true,
    files: usual({ ...far(), 'proxy-url': `socks5://[::1]:${api.port('socks6')}` }),
  }),
  'proxy-url of socks5 with a password': () => ({
    works: true,
    files: usual({ ...far(), 'proxy-url': proxyUrl('socks', 'joe:pass@') }),
  }),
  'proxy-url to a server without TLS': () => ({
    works: true,
    files: usual({ server: 'http://api.test:8080/base', 'proxy-url': proxyUrl('proxy', 'joe:pass@') }),
    sees: { host: 'api.test:8080' },
  }),
  'proxy-url over TLS to a server without TLS': () => ({
    works: true,
    files: { ...usual({ server: 'http://api.test:8080', 'proxy-url': proxyUrl('tlsproxy') }), ca: made.root.cert },
    env: { SSL_CERT_FILE: 'HOME/ca' },
  }),
  'proxy-url over TLS that nobody trusts': () => ({
    works: false,
    files: usual({ server: 'http://api.test:8080', 'proxy-url': proxyUrl('tlsproxy') }),
  }),
  'proxy-url of another kind': () => ({
    works: false,
    files: usual({ ...far(), 'proxy-url': 'ftp://127.0.0.1:1' }),
    says: /cluster "c": proxy-url/,
  }),
  'a proxy that refuses': () => ({
    works: false,
    files: usual({ ...far('forbidden.test:6443'), 'proxy-url': proxyUrl('proxy') }),
    says: /the proxy answered 403/,
  }),
  'proxy-url goes before the environment, and NO_PROXY is not for it': () => ({
    works: true,
    files: usual({ ...far(), 'proxy-url': proxyUrl('proxy') }),
    env: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '*' },
  }),
  HTTPS_PROXY: () => ({ works: true, files: usual(far()), env: { HTTPS_PROXY: proxyUrl('proxy') } }),
  'HTTPS_PROXY goes before https_proxy': () => ({
    works: true,
    files: usual(far()),
    env: { https_proxy: 'http://127.0.0.1:1', HTTPS_PROXY: proxyUrl('proxy') },
  }),
  'a proxy without a protocol': () => ({
    works: true,
    files: usual(far()),
    env: { HTTPS_PROXY: `127.0.0.1:${api.port('proxy')}` },
  }),
  'HTTP_PROXY for a server without TLS': () => ({
    works: true,
    files: usual({ server: 'http://api.test:8080' }),
    env: { HTTP_PROXY: proxyUrl('proxy') },
  }),
  'HTTP_PROXY is not for TLS': () => ({ works: false, files: usual(far()), env: { HTTP_PROXY: proxyUrl('proxy') } }),
  'socks5 in HTTPS_PROXY': () => ({ works: true, files: usual(far()), env: { HTTPS_PROXY: proxyUrl('socks') } }),
  'localhost is no matter of proxies': () => ({
    works: true,
    files: usual(https({ server: `https://localhost:${api.port('https')}` })),
    env: { HTTPS_PROXY: 'http://127.0.0.1:1' },
  }),
  'NO_PROXY with the domain': () => ({
    works: false,
    files: usual(far()),
    env: { HTTPS_PROXY: proxyUrl('proxy'), NO_PROXY: 'other, TEST' },
  }),
  'NO_PROXY with the parent domain': () => ({
    works: true,
    files: usual(far()),
    env: { HTTPS_PROXY: proxyUrl('proxy'), NO_PROXY: '.api.test,pi.test,api.test:443,10.0.0.0/8' },
  }),
  'NO_PROXY with other networks and addresses': () => ({
    works: true,
    files: usual(far('192.0.2.1:6443')),
    env: { HTTPS_PROXY: proxyUrl('proxy'), NO_PROXY: '192.0.3.0/24,192.0.2.2,192.0.2.1:443,2.1,.0.2.1,192.0.2.1/999' },
  }),
  'no_proxy with the port': () => ({
    works: false,
    files: usual(far()),
    env: { HTTPS_PROXY: proxyUrl('proxy'), no_proxy: 'api.test:6443' },
  }),

  // Options.
  '--context': () => ({
    works: true,
    files: { '.kube/config': { ...config(https()), 'current-context': 'nowhere' } },
    args: ['--context', 'x'],
  }),
  'empty options': () => ({
    works: true,
    files: usual(https()),
    args: ['--context', '', '--token=', '-n', '', '--user', ''],
  }),
  '--context that nobody defines': () => ({
    works: false,
    files: usual(https()),
    args: ['--context=y'],
    says: /no context "y".*Choose one of: x/s,
  }),
  '--cluster and --user': () => ({
    works: true,
    files: {
      '.kube/config': {
        clusters: [{ name: 'c', cluster: https() }],
        users: [{ name: 'u', user: { token: 'chosen' } }],
      },
    },
    args: ['--cluster', 'c', '--user', 'u', '-n', 'fraud'],
    sees: { identity: ['authorization: Bearer chosen'] },
  }),
  '--cluster that nobody defines': () => ({
    works: false,
    files: usual(https()),
    args: ['--cluster', 'y'],
    says: /no cluster "y"/,
  }),
  '--user that nobody defines': () => ({
    works: false,
    files: usual(https()),
    args: ['--user', 'y'],
    says: /no user "y"/,
  }),
  '--server in place of the context’s': () => ({
    works: true,
    files: usual(https({ server: 'https://nowhere.test', 'tls-server-name': 'nowhere.test' })),
    args: ['--server', `https://127.0.0.1:${api.port('https')}`],
  }),
  '-s and --tls-server-name': () => ({
    works: true,
    files: usual(https({ server: 'https://nowhere.test' })),
    args: ['-s', `https://127.0.0.1:${api.port('https')}`, '--tls-server-name', 'api.test'],
    sees: { sni: 'api.test' },
  }),
  'everything by options, no file': () => ({
    works: true,
    files: { ca: made.root.cert, cert: made.client.cert, key: made.client.key },
    args: [
      ...['--server', `https://127.0.0.1:${api.port('https')}`, '--certificate-authority', 'HOME/ca'],
      ...['--client-certificate', 'HOME/cert', '--client-key', 'HOME/key'],
    ],
  }),
  '--token in place of the file’s': () => ({
    works: true,
    files: usual(https()),
    args: ['--token', 'mine'],
    sees: { identity: ['authorization: Bearer mine'] },
  }),
  '--token in place of a plugin': () => ({
    works: true,
    files: usual(https(), withExec({ command: '/nowhere' })),
    args: ['--token=mine'],
  }),
  '--username and --password': () => ({
    works: true,
    files: usual(https(), {}),
    args: ['--username', 'joe', '--password', 'secret'],
  }),
  '--token and --username': () => ({
    works: false,
    files: usual(https(), {}),
    args: ['--token', 'a', '--username', 'b'],
  }),
  '--as and its companions': () => ({
    works: true,
    files: usual(https(), {
      token: 's',
      as: 'file',
      'as-groups': ['file'],
      'as-user-extra': { a: ['file'], b: ['file'] },
    }),
    args: [
      '--as',
      'jane',
      '--as-uid',
      '8',
      '--as-group',
      'x',
      '--as-group',
      'y',
      '--as-user-extra',
      'a=1',
      '--as-user-extra',
      'a=2',
    ],
  }),
  '--as-group alone': () => ({ works: false, files: usual(https()), args: ['--as-group', 'x'] }),
  '--certificate-authority in place of no check': () => ({
    works: true,
    files: {
      ...usual({ server: `https://127.0.0.1:${api.port('https')}`, 'insecure-skip-tls-verify': true }),
      ca: made.root.cert,
    },
    args: ['--certificate-authority', 'HOME/ca'],
  }),
  '--insecure-skip-tls-verify in place of an authority': () => ({
    works: true,
    files: usual(https({ 'certificate-authority-data': b64(made.stranger.cert) })),
    args: ['--insecure-skip-tls-verify=true'],
  }),
  '--insecure-skip-tls-verify=false changes nothing': () => ({
    works: false,
    files: usual(https({ 'certificate-authority-data': b64(made.stranger.cert) })),
    args: ['--insecure-skip-tls-verify=false'],
  }),
  '--client-certificate beside data of the file': () => ({
    works: true,
    files: {
      ...usual(https(), { 'client-certificate-data': b64(made.client.cert), 'client-key-data': b64(made.client.key) }),
      cert: made.other.cert,
      key: made.other.key,
    },
    args: ['--client-certificate', 'HOME/cert', '--client-key', 'HOME/key'],
    sees: { client: JSON.stringify({ CN: 'bob' }) },
  }),
  '--proxy-url': () => ({ works: true, files: usual(far()), args: ['--proxy-url', proxyUrl('proxy')] }),
  '--request-timeout and the rest': () => ({
    works: true,
    files: usual(https()),
    args: ['--request-timeout', '20', '--disable-compression', '--cache-dir', 'HOME/cache'],
  }),
  '--request-timeout that is none': () => ({
    works: false,
    files: usual(https()),
    args: ['--request-timeout', 'soon'],
  }),

  // Credential plugins.
  'a plugin beside the kubeconfig': () => ({
    works: true,
    files: {
      ...usual(https(), withExec({ args: ['a', 'b'], env: [{ name: 'EXTRA', value: 'c' }] })),
      '.kube/plugin': plugin({ token: 'from-plugin' }),
    },
    cwd: 'elsewhere',
    sees: { identity: ['authorization: Bearer from-plugin'] },
  }),
  'a plugin of the PATH': () => ({
    works: true,
    files: { ...usual(https(), withExec({ command: 'my-login' })), 'bin/my-login': plugin({ token: 'from-path' }) },
  }),
  'a plugin that is told about the cluster': () => ({
    works: true,
    files: {
      ...usual(
        https({
          'tls-server-name': 'api.test',
          'disable-compression': true,
          extensions: [
            { name: 'client.authentication.k8s.io/exec', extension: { audience: 'x', list: [1, -2.5, true, null] } },
          ],
        }),
        withExec({ provideClusterInfo: true }),
      ),
      '.kube/plugin': plugin({ token: 't' }),
    },
  }),
  'a plugin that is told about an authority in a file': () => ({
    works: true,
    files: {
      ...usual(
        { server: `https://127.0.0.1:${api.port('https')}/base/`, 'certificate-authority': 'ca' },
        withExec({ provideClusterInfo: true }),
      ),
      '.kube/ca': made.root.cert,
      '.kube/plugin': plugin({ token: 't' }),
    },
  }),
  'a plugin of v1beta1, without a mode': () => ({
    works: true,
    files: {
      ...usual(
        https(),
        withExec({
          apiVersion: 'client.authentication.k8s.io/v1beta1',
          interactiveMode: undefined,
          provideClusterInfo: true,
        }),
      ),
      '.kube/plugin': plugin({ token: 'beta' }, 'client.authentication.k8s.io/v1beta1'),
    },
  }),
  'a plugin of v1, without a mode': () => ({
    works: false,
    files: { ...usual(https(), withExec({ interactiveMode: undefined })), '.kube/plugin': plugin({ token: 't' }) },
    says: /user "u": exec has no interactiveMode/,
  }),
  'a plugin of v1alpha1': () => ({
    works: false,
    files: {
      ...usual(https(), withExec({ apiVersion: 'client.authentication.k8s.io/v1alpha1' })),
      '.kube/plugin': plugin({ token: 't' }),
    },
    says: /apiVersion/,
  }),
  'a plugin that gives a certificate': () => ({
    works: true,
    files: {
      ...usual(https(), withExec()),
      '.kube/plugin': plugin({
        clientCertificateData: made.client.cert,
        clientKeyData: made.client.key,
        expirationTimestamp: '2099-01-01T00:00:00Z',
      }),
    },
    sees: { client: JSON.stringify({ O: 'team', CN: 'alice' }), identity: [] },
  }),
  'a plugin that gives half a certificate': () => ({
    works: false,
    files: { ...usual(https(), withExec()), '.kube/plugin': plugin({ clientCertificateData: made.client.cert }) },
    says: /CREDENTIAL_PLUGIN_FAILED.*user "u".*without its key/s,
  }),
  'a plugin that gives nothing': () => ({
    works: false,
    files: { ...usual(https(), withExec()), '.kube/plugin': plugin({}) },
    says: /neither a token nor a certificate/,
  }),
  'a plugin that answers in another version': () => ({
    works: false,
    files: {
      ...usual(https(), withExec()),
      '.kube/plugin': plugin({ token: 't' }, 'client.authentication.k8s.io/v1beta1'),
    },
  }),
  'a plugin that prints no JSON': () => ({
    works: false,
    files: { ...usual(https(), withExec()), '.kube/plugin': '#!/bin/sh\necho hello\n' },
    says: /CREDENTIAL_PLUGIN_FAILED/,
  }),
  'a plugin that fails, and says why': () => ({
    works: false,
    files: {
      ...usual(https(), withExec()),
      '.kube/plugin': '#!/bin/sh\necho "visit https://login.example" >&2\nexit 3\n',
    },
    says: /visit https:\/\/login\.example.*CREDENTIAL_PLUGIN_FAILED.*\.kube\/config: user "u": exec: .*exit code 3/s,
  }),
  'a plugin that is missing': () => ({
    works: false,
    files: usual(https(), withExec({ command: 'no-such-login', installHint: 'Run: apt install login' })),
    says: /KUBECONFIG_INVALID.*\.kube\/config: user "u": exec: command no-such-login not found.*Run: apt install login/s,
  }),
  'a plugin that wants a terminal, and has none': () => ({
    works: false,
    files: { ...usual(https(), withExec({ interactiveMode: 'Always' })), '.kube/plugin': plugin({ token: 't' }) },
    says: /terminal/,
  }),
  'a plugin that asks on the terminal': () => ({
    works: true,
    files: {
      ...usual(https(), withExec({ interactiveMode: 'Always' })),
      '.kube/plugin': `#!/bin/sh\nprintf 'Password: ' >&2\nread word\nprintf '%s' "$KUBERNETES_EXEC_INFO" > "$HOME/info"\nprintf '{"apiVersion":"${execVersion}","kind":"ExecCredential","status":{"token":"%s"}}' "$word"\n`,
    },
    typed: 'open-sesame\n',
    sees: { identity: ['authorization: Bearer open-sesame'] },
  }),
  'a plugin that may ask, and is on a terminal': () => ({
    works: true,
    files: { ...usual(https(), withExec({ interactiveMode: 'IfAvailable' })), '.kube/plugin': plugin({ token: 't' }) },
    typed: '\n',
  }),
  'a plugin that may not ask, on a terminal': () => ({
    works: true,
    files: { ...usual(https(), withExec({ interactiveMode: 'Never' })), '.kube/plugin': plugin({ token: 't' }) },
    typed: '\n',
  }),
  'a plugin beside a token of its own user': () => ({
    works: true,
    files: usual(https(), { token: 'static', ...withExec({ command: '/nowhere' }) }),
    sees: { identity: ['authorization: Bearer static'] },
  }),
  'preferences that deny plugins': () => ({
    works: false,
    files: { ...usual(https(), withExec()), '.kube/plugin': plugin({ token: 't' }), '.kube/kuberc': kuberc('DenyAll') },
    says: /user "u": exec: .*plugin may not run/,
  }),
  'preferences that allow this plugin by its name': () => ({
    works: true,
    files: {
      ...usual(https(), withExec({ command: 'my-login' })),
      'bin/my-login': plugin({ token: 't' }),
      '.kube/kuberc': kuberc('Allowlist', [{ command: 'my-login' }]),
    },
  }),
  'preferences that allow a plugin of that name elsewhere': () => ({
    works: false,
    files: {
      ...usual(https(), withExec({ command: './my-login' })),
      '.kube/my-login': plugin({ token: 't' }),
      'bin/my-login': plugin({ token: 't' }),
      '.kube/kuberc': kuberc('Allowlist', [{ command: 'my-login' }]),
    },
  }),
  'preferences that deny plugins, where none is asked': () => ({
    works: true,
    files: { ...usual(https()), '.kube/kuberc': kuberc('DenyAll') },
  }),
  'preferences that cannot be meant': () => ({
    works: false,
    files: { ...usual(https()), '.kube/kuberc': kuberc('Allowlist') },
    says: /kuberc.*credentialPluginAllowlist/,
  }),
  'preferences that are broken': () => ({ works: true, files: { ...usual(https()), '.kube/kuberc': 'hello' } }),
  'preferences that are named and broken': () => ({
    works: false,
    files: { ...usual(https()), other: 'hello' },
    env: { KUBERC: 'HOME/other' },
  }),
  'preferences that are switched off': () => ({
    works: true,
    files: { ...usual(https(), withExec()), '.kube/plugin': plugin({ token: 't' }), '.kube/kuberc': kuberc('DenyAll') },
    env: { KUBERC: 'off' },
  }),
  'a refused token': () => ({
    works: false,
    files: usual(https()),
    wanted: 'Bearer other',
    says: /CLUSTER_UNAUTHENTICATED/,
  }),
};

interface Outcome {
  readonly worked: boolean;
  readonly seen: object[];
  readonly proxied: string[];
  readonly info: unknown;
  readonly calls: string;
}

let homes = 0;

async function outcome(row: Row, command: readonly string[]): Promise<{ outcome: Outcome; ran: Ran }> {
  const home = join(work, `home-${homes++}`);
  mkdirSync(join(home, 'elsewhere'), { recursive: true });
  const located = (text: string) => text.replaceAll('HOME/', `${home}/`);
  for (const [name, content] of Object.entries(row.files ?? {})) {
    const path = join(home, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : stringify(content));
    if (typeof content === 'string' && content.startsWith('#!')) chmodSync(path, 0o755);
  }
  api.forget();
  api.wanted = row.wanted;
  const env = {
    PATH: `${home}/bin:${process.env['PATH']}`,
    HOME: home,
    NO_COLOR: '1',
    ...Object.fromEntries(Object.entries(row.env ?? {}).map(([name, value]) => [name, located(value)])),
  };
  const argv = [...command, ...(row.args ?? []).map(located)];
  const [file = '', ...args] =
    row.typed === undefined ? argv : ['script', '--quiet', '--return', '--command', argv.join(' '), '/dev/null'];
  const child = spawn(file, args, {
    cwd: join(home, row.cwd ?? ''),
    env,
    stdio: [row.typed === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.write(row.typed ?? '');
  const ran = await ended(child);
  const read = (name: string) => (existsSync(join(home, name)) ? readFileSync(join(home, name), 'utf8') : '');
  const info = read('info');
  return {
    ran,
    outcome: {
      worked: ran.code === 0,
      seen: api.seen.map((seen) => ({ ...seen })),
      // Kubectl asks for more than one thing, and may open several tunnels for it.
      proxied: [...new Set(api.proxied)],
      info: info === '' ? undefined : JSON.parse(info),
      calls: read('calls').split('\n')[0] ?? '',
    },
  };
}

describe('a kubeconfig means to us what it means to kubectl', () => {
  it.each(Object.keys(rows))('%s', async (name) => {
    const row = rows[name]?.();
    if (row === undefined) throw new Error(`there is no row ${name}`);
    const kubectl = await outcome(row, [present('tools').kubectl, 'get', 'modeldeployments.v1.maas.dev']);
    const ours = await outcome(row, [program, 'list']);
    const said = `kubectl: ${kubectl.ran.err}\nours: ${ours.ran.err}${ours.ran.out}`;
    expect(kubectl.outcome.worked, said).toBe(row.works);
    expect(ours.outcome, said).toEqual(kubectl.outcome);
    if (row.works) expect(ours.outcome.seen, said).toMatchObject([row.sees ?? {}]);
    if (row.says !== undefined) expect(ours.ran.err).toMatch(row.says);
  });
});
