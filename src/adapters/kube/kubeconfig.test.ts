import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { FakeKubeApi } from '../../../test/builders/fake-kube-api.ts';
import { hasCode } from '../../api/errors.ts';
import { createKubeClient } from './client.ts';
import { contextNamespace, loadKubeconfig } from './kubeconfig.ts';
import { pods } from './resource-kind.ts';
import { createTransport } from './transport.ts';

describe('the kubeconfig', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** A file with one cluster, one user and one context of the same name. */
  const write = (
    file: string,
    name: string,
    more: { user?: object; namespace?: string; server?: string; current?: string } = {},
  ): string => {
    const path = join(home, file);
    const cluster = { server: more.server ?? `https://${name}:6443`, 'insecure-skip-tls-verify': true };
    writeFileSync(
      path,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name, cluster }],
        users: [{ name, user: more.user ?? {} }],
        contexts: [{ name, context: { cluster: name, user: name, namespace: more.namespace } }],
        'current-context': more.current ?? name,
      }),
    );
    return path;
  };
  const server = (options: Parameters<typeof loadKubeconfig>[0]) =>
    loadKubeconfig({ home, ...options }).getCurrentCluster()?.server;
  const failure = (options: Parameters<typeof loadKubeconfig>[0]): unknown => {
    try {
      loadKubeconfig({ home, ...options });
    } catch (error) {
      return error;
    }
    return expect.unreachable('it should have failed');
  };

  it('is the named file, or that of KUBECONFIG, or that of the home directory', () => {
    mkdirSync(join(home, '.kube'));
    write('.kube/config', 'at-home');
    const listed = write('listed', 'listed');
    const named = write('named', 'named');
    expect(server({ env: {} })).toBe('https://at-home:6443');
    expect(server({ env: { KUBECONFIG: '' } })).toBe('https://at-home:6443');
    expect(server({ env: { KUBECONFIG: listed } })).toBe('https://listed:6443');
    expect(server({ env: { KUBECONFIG: listed }, path: named })).toBe('https://named:6443');
  });

  it('joins the files of KUBECONFIG: the first that says something wins, missing ones are skipped', () => {
    const a = write('a', 'one', { server: 'https://first:6443' });
    const b = write('b', 'one', { server: 'https://second:6443' });
    const c = write('c', 'other');
    const env = { KUBECONFIG: [join(home, 'missing'), a, b, c].join(delimiter) };
    expect(server({ env })).toBe('https://first:6443');
    expect(server({ env, context: 'other' })).toBe('https://other:6443');
  });

  it('takes the current context of a later file where the first has none', () => {
    const a = write('a', 'one', { current: '' });
    const b = write('b', 'other');
    expect(server({ env: { KUBECONFIG: [a, b].join(delimiter) } })).toBe('https://other:6443');
  });

  it('knows the namespace of its context', () => {
    const path = write('a', 'one', { namespace: 'fraud' });
    expect(contextNamespace(loadKubeconfig({ env: {}, path }))).toBe('fraud');
    expect(contextNamespace(loadKubeconfig({ env: {}, path: write('b', 'two') }))).toBe('default');
  });

  it('says what is wrong with it', () => {
    const path = write('a', 'one');
    expect(failure({ env: {}, path, context: 'two' })).toMatchObject({
      code: 'KUBECONFIG_INVALID',
      next: 'Choose one of: one.',
    });
    expect(String(failure({ env: {} }))).toContain('there is no kubeconfig');
    expect(String(failure({ env: { KUBECONFIG: join(home, 'none') } }))).toContain('names no file that exists');
    expect(String(failure({ env: {}, path: write('b', 'two', { current: 'nowhere' }) }))).toContain('which cluster');
    for (const [index, text] of ['clusters: [{}]', '\u0000: :', '- a'].entries()) {
      const broken = join(home, `broken${index}`);
      writeFileSync(broken, text);
      expect(hasCode(failure({ env: {}, path: broken }), 'KUBECONFIG_INVALID'), text).toBe(true);
    }
  });

  describe('with a server', () => {
    let api: FakeKubeApi;
    beforeEach(async () => {
      api = await new FakeKubeApi().start();
    });
    afterEach(() => api.stop());

    /** The Authorization header that reaches the server. */
    const authorization = async (user: object): Promise<string | undefined> => {
      const path = write('config', 'fake', { server: api.url, user });
      const transport = createTransport(
        () => loadKubeconfig({ env: {}, path }),
        () => performance.now(),
        'maas-test',
      );
      try {
        const client = createKubeClient(transport, { monotonic: () => performance.now(), sleep: async () => {} });
        await Promise.all([client.list(pods), client.list(pods), client.list(pods)]);
      } finally {
        transport.close();
      }
      return api.requests.at(-1)?.headers.authorization;
    };

    it('sends a token, a password, and the token of a file', async () => {
      expect(await authorization({ token: 'secret' })).toBe('Bearer secret');
      const basic = `Basic ${Buffer.from('joe:pass').toString('base64')}`;
      expect(await authorization({ username: 'joe', password: 'pass' })).toBe(basic);
      writeFileSync(join(home, 'token'), 'from-file');
      expect(await authorization({ tokenFile: 'token' })).toBe('Bearer from-file');
    });

    it('asks a credential plugin, once for calls that come together', async () => {
      const plugin = join(home, 'plugin');
      const calls = join(home, 'calls');
      const credential = {
        apiVersion: 'client.authentication.k8s.io/v1',
        kind: 'ExecCredential',
        status: { token: 'from-plugin' },
      };
      writeFileSync(plugin, `#!/bin/sh\necho call >> ${calls}\necho '${JSON.stringify(credential)}'\n`);
      chmodSync(plugin, 0o755);
      expect(await authorization({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin } })).toBe(
        'Bearer from-plugin',
      );
      expect(readFileSync(calls, 'utf8')).toBe('call\n');
    });

    it('says that a credential plugin failed', async () => {
      const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: join(home, 'missing') } };
      const error = await authorization(user).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(hasCode(error, 'CLUSTER_UNAUTHENTICATED')).toBe(true);
      expect(String(error)).toContain('credentials cannot be used');
    });
  });
});
