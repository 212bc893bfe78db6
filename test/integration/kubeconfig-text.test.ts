/** The text of a kubeconfig, read by kubectl and by us: what one refuses the other refuses, what one reads both read alike. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeCurrentContext } from '../../deploy/local/existing-cluster.ts';
import { run } from '../../deploy/local/run.ts';
import { readKubeconfig } from '../../src/adapters/kube/kubeconfig/read.ts';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';
import { helpTexts } from '../../src/cli/parse.ts';
import { present } from './world.ts';

const work = mkdtempSync(join(tmpdir(), 'kubeconfig-text-'));
afterAll(() => rmSync(work, { recursive: true }));

interface Viewed {
  readonly 'current-context': string;
  readonly clusters: { name: string; cluster: { server?: string; 'insecure-skip-tls-verify'?: boolean } }[] | null;
  readonly users: { name: string; user: { token?: string; as?: string } }[] | null;
  readonly contexts: { name: string }[] | null;
}

let files = 0;

/** What kubectl makes of it; undefined where it refuses. */
async function viewed(text: string | Uint8Array): Promise<Viewed | undefined> {
  const file = join(work, `config-${files++}`);
  writeFileSync(file, text);
  try {
    const args = ['--kubeconfig', file, 'config', 'view', '--raw', '-o', 'json'];
    return JSON.parse(await run(present('tools').kubectl, args)) as Viewed;
  } catch {
    return undefined;
  }
}

function read(text: string) {
  try {
    const { clusters, users, contexts, currentContext } = readKubeconfig(text);
    return {
      clusters: [...clusters].map(([name, { server, insecureSkipTlsVerify }]) => ({
        name,
        server,
        insecureSkipTlsVerify,
      })),
      users: [...users].map(([name, { token, as }]) => ({ name, token, as })),
      contexts: [...contexts.keys()],
      currentContext,
    };
  } catch {
    return undefined;
  }
}

const comparable = (config: Viewed | undefined) =>
  config && {
    clusters: (config.clusters ?? []).map(({ name, cluster }) => ({
      name,
      server: cluster.server ?? '',
      insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] ?? false,
    })),
    users: (config.users ?? []).map(({ name, user }) => ({ name, token: user.token ?? '', as: user.as ?? '' })),
    contexts: (config.contexts ?? []).map(({ name }) => name),
    currentContext: config['current-context'],
  };

describe('the text of a kubeconfig means to us what it means to kubectl', () => {
  it.each([
    ...['y', 'n', 'Y', 'NO', 'yes', 'on', 'off', 'true', 'True', 'tRUE', '~', 'null', 'Null', 'nil', ''],
    ...['0', '-0', '+1', '017', '0o17', '0x1F', '0b11', '1_000', '_1', '1e3', '1.', '.5', '.', '.inf', '.NaN', '-.Inf'],
    ...[
      '1:30',
      '190:20:30',
      '1:30.5',
      '2020-01-01',
      '2001-12-14t21:59:43.10-05:00',
      '2020-1-1',
      '12e',
      '0x',
      '09',
      '08.5',
    ],
    ...['!!str 12', '!!str yes', '!!int "3"', '!!binary YQ==', '!own a', '"a\\u00e4\\n"', "'it''s'", '=', '<', '- a'],
    ...[
      '[a]',
      '{a: b}',
      '&x a',
      '*x',
      '@a',
      '`a',
      '%a',
      'a: b',
      'a #b',
      'a#b',
      '|-\n      a\n      b',
      '>\n      a\n      b',
    ],
    ...['9223372036854775808', '1E400', '0.1e-5', '12345678901234567890123', '0xZZ', '+.inf', '1,000', 'ä', '東'],
  ])('token: %s', async (scalar) => {
    const text = `users:\n- name: u\n  user:\n    token: ${scalar}\n`;
    expect(read(text)).toEqual(comparable(await viewed(text)));
  });

  it.each([
    '',
    '\n',
    '# hello\n',
    'null',
    '{}',
    '[]',
    '- a\n',
    'hello',
    '12',
    '---\ncurrent-context: a\n---\nusers: [\n',
    'current-context: a\n---\ncurrent-context: b\n',
    'current-context: a\n...\nrest',
    '%YAML 1.2\n---\ncurrent-context: yes\n',
    'users: null\nclusters: []\ncontexts:\n',
    'users: {}\n',
    'users: a\n',
    'users: [null]\n',
    'users: [a]\n',
    'users: [{name: null, user: null}]\n',
    'users: [{}]\n',
    'users: [{name: u, user: []}]\n',
    'users: [{name: u, user: {token: a, token: b}}]\n',
    'users: [{name: u}, {name: u}]\n',
    'users: [{name: u, user: {as-groups: [a, null, 1]}}]\n',
    'users: [{name: u, user: {as-groups: a}}]\n',
    'users: [{name: u, user: {as-user-extra: {a: [b], c: null}}}]\n',
    'users: [{name: u, user: {as-user-extra: {1: [b]}}}]\n',
    'users: [{name: u, user: {as-user-extra: [a]}}]\n',
    'users: [{name: u, user: {auth-provider: {name: a, config: {b: 1}}}}]\n',
    'users: [{name: u, user: {auth-provider: a}}]\n',
    'users: [{name: u, user: {exec: {command: a, args: [1]}}}]\n',
    'users: [{name: u, user: {exec: {env: [{name: A, value: 1}]}}}]\n',
    'users: [{name: u, user: {exec: {provideClusterInfo: "true"}}}]\n',
    'users: [{name: u, user: {exec: []}}]\n',
    'users: [{name: u, user: &a {token: t}}, {name: v, user: {<<: *a, as: me}}]\n',
    'users: [{name: u, user: {client-key-data: "YWJj\\nZGVm"}}]\n',
    'users: [{name: u, user: {client-key-data: "YWJj ZGVm"}}]\n',
    'users: [{name: u, user: {client-key-data: YQ}}]\n',
    'users: [{name: u, user: {client-key-data: YR==}}]\n',
    'users: [{name: u, user: {client-key-data: "=="}}]\n',
    'clusters: [{name: c, cluster: {insecure-skip-tls-verify: yes}}]\n',
    'clusters: [{name: c, cluster: {insecure-skip-tls-verify: "true"}}]\n',
    'clusters: [{name: c, cluster: {insecure-skip-tls-verify: 1}}]\n',
    'clusters: [{name: c, cluster: {Server: a}}]\n',
    'clusters: [{name: c, cluster: {extensions: [{name: a, extension: 1}]}}]\n',
    'clusters: [{name: c, cluster: {extensions: {a: b}}}]\n',
    'clusters: [{name: c, cluster: {server: a}, extra: 1}]\nextra: {a: 1}\n',
    'Clusters: [{name: c}]\n',
    'contexts: [{context: {cluster: c}}]\n',
    'kind: Config\napiVersion: v1\n',
    'kind: config\n',
    'kind: Foo\n',
    'kind: null\napiVersion: ""\n',
    'apiVersion: v2\n',
    'apiVersion: 1\n',
    'apiVersion: /v1\nkind: Config\n',
    'extensions: a\n',
    'preferences: a\n',
    'preferences: {colors: true}\n',
    'preferences: null\n',
    'contexts: [{name: x, context: {extensions: a}}]\n',
    '1: a\ntrue: b\n',
    'clusters:\n\t- a\n',
    '{\n\t"clusters": [\n\t\t{"name": "c", "cluster": {"server": "https://x"}}\n\t]\n}\n',
    '{"clusters":[{"name":"c","cluster":{"server":"https://x"}},],}',
    '{"current-context":"a\\u0041"}',
    '\ufeffcurrent-context: a\n',
    'current-context: a\r\nusers: []\r\n',
    "current-context: 'a\u0001b'\n",
    "current-context: 'a\u007fb'\n",
    'current-context: "a\\x00b"\n',
    'current-context: &a b\nusers: [{name: *a}]\n',
    'current-context: *missing\n',
    'current-context: a\ncurrent-context: b\n',
  ])('%j', async (text) => {
    expect(read(text)).toEqual(comparable(await viewed(text)));
  });

  it('is refused when it is not UTF-8', async () => {
    const file = join(work, 'latin1');
    const bytes = Buffer.from('current-context: a\u00e9\n', 'latin1');
    writeFileSync(file, bytes);
    expect(await viewed(bytes)).toBeUndefined();
    expect(() => loadKubeconfig({ env: {}, path: file })).toThrow('it is not UTF-8');
  });
});

describe('the existing cluster', () => {
  it('is that of a kubeconfig of several files', () => {
    const [clusters, users] = ['clusters', 'users'].map((name) => join(work, name)) as [string, string];
    writeFileSync(clusters, 'clusters: [{name: c, cluster: {server: "https://api.example"}}]\n');
    writeFileSync(
      users,
      'users: [{name: u, user: {tokenFile: token}}]\n' +
        'contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n',
    );
    const into = join(work, 'joined');
    writeCurrentContext(present('tools').kubectl, { KUBECONFIG: `${clusters}:${users}` }, into);
    expect(loadKubeconfig({ env: {}, path: into })).toMatchObject({
      server: new URL('https://api.example'),
      identity: { tokenFile: join(work, 'token') },
    });
    expect(statSync(into).mode & 0o777).toBe(0o600);
  });
});

describe('the options of kubectl', () => {
  /** What names neither a cluster nor an identity. */
  const others = [
    ...[
      'kuberc',
      'log-flush-frequency',
      'match-server-version',
      'profile',
      'profile-output',
      'v',
      'version',
      'vmodule',
    ],
    ...['warnings-as-errors', 'cache-dir'],
  ];

  it('that name a cluster or an identity are all ours', async () => {
    const shown = await run(present('tools').kubectl, ['options']);
    const theirs = [...shown.matchAll(/^ {4}(-\w, )?--([a-z-]+)=/gm)].map(([, short = '', long = '']) => short + long);
    expect(theirs.length).toBeGreaterThan(20);
    const ours = [...(helpTexts()[0]?.text ?? '').matchAll(/^ {2}(-\w, )?--([a-z-]+)/gm)].map(
      ([, short = '', long = '']) => short + long,
    );
    expect(ours).toEqual(
      expect.arrayContaining(theirs.filter((option) => !others.includes(option.replace(/^-\w, /, '')))),
    );
  });
});
