import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { hasCode } from '../../contracts/errors.ts';
import { type KubeconfigChoice, loadKubeconfig } from './kubeconfig.ts';

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
  const load = (options: Partial<KubeconfigChoice>) =>
    loadKubeconfig({ ...options, env: { HOME: home, ...options.env } });
  const server = (options: Partial<KubeconfigChoice>) => load(options).server.href;
  const failure = (options: Partial<KubeconfigChoice>): unknown => {
    try {
      load(options);
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
    expect(server({})).toBe('https://at-home:6443/');
    expect(server({ env: { KUBECONFIG: '' } })).toBe('https://at-home:6443/');
    expect(server({ env: { KUBECONFIG: listed } })).toBe('https://listed:6443/');
    expect(server({ env: { KUBECONFIG: listed }, path: named })).toBe('https://named:6443/');
  });

  it('joins the files of KUBECONFIG: the first that says something wins, missing ones are skipped', () => {
    const a = write('a', 'one', { server: 'https://first:6443' });
    const b = write('b', 'one', { server: 'https://second:6443' });
    const c = write('c', 'other');
    const env = { KUBECONFIG: [join(home, 'missing'), a, b, c].join(delimiter) };
    expect(server({ env })).toBe('https://first:6443/');
    expect(server({ env, context: 'other' })).toBe('https://other:6443/');
  });

  it('takes the current context of a later file where the first has none', () => {
    const a = write('a', 'one', { current: '' });
    const b = write('b', 'other');
    expect(server({ env: { KUBECONFIG: [a, b].join(delimiter) } })).toBe('https://other:6443/');
  });

  it('knows the namespace of its context', () => {
    expect(load({ path: write('a', 'one', { namespace: 'fraud' }) }).namespace).toBe('fraud');
    expect(load({ path: write('b', 'two') }).namespace).toBe('default');
  });

  it('says what is wrong with it, in which file and entry', () => {
    const path = write('a', 'one');
    expect(failure({ path, context: 'two' })).toMatchObject({
      code: 'KUBECONFIG_INVALID',
      message: `${path} has no context "two"`,
      next: 'Choose one of: one.',
    });
    expect(String(failure({ path: join(home, 'none') }))).toContain(`${join(home, 'none')} cannot be read`);
    expect(failure({ path: write('b', 'two', { current: 'nowhere' }) })).toMatchObject({
      message: `${join(home, 'b')} has no context "nowhere", which is its current one`,
    });
    expect(failure({ path: write('c', 'three', { user: { token: 'a', username: 'b' } }) })).toMatchObject({
      message: `${join(home, 'c')}: user "three": it has both a token and a user name with password`,
    });
    for (const [index, text] of ['clusters: [a]', '\u0000: :', '- a'].entries()) {
      const broken = join(home, `broken${index}`);
      writeFileSync(broken, text);
      expect(hasCode(failure({ path: broken }), 'KUBECONFIG_INVALID'), text).toBe(true);
    }
  });

  it('without any file is the default server, and remembers why', () => {
    expect(load({})).toMatchObject({
      server: new URL('http://localhost:8080'),
      defaulted: `there is no kubeconfig (${join(home, '.kube/config')})`,
    });
  });

  describe('in a pod', () => {
    const pod = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    let serviceAccount: string;
    beforeEach(() => {
      serviceAccount = join(home, 'serviceaccount');
      mkdirSync(serviceAccount);
      for (const [name, text] of [
        ['token', 'pod-token\n'],
        ['ca.crt', 'authority'],
        ['namespace', 'models\n'],
      ] as const) {
        writeFileSync(join(serviceAccount, name), text);
      }
    });

    it('is the service account where nothing else says anything', () => {
      expect(load({ env: pod, serviceAccount })).toMatchObject({
        server: new URL('https://[fd00::1]'),
        tls: { authority: { file: join(serviceAccount, 'ca.crt') }, insecure: false },
        identity: { tokenFile: join(serviceAccount, 'token') },
        namespace: 'models',
      });
      expect(load({ env: { ...pod, POD_NAMESPACE: 'own' }, serviceAccount }).namespace).toBe('own');
    });

    it('is a kubeconfig that names a server all the same', () => {
      const path = write('a', 'one');
      expect(server({ env: { ...pod, KUBECONFIG: path }, serviceAccount })).toBe('https://one:6443/');
      expect(server({ env: pod, serviceAccount, server: 'https://other:1' })).toBe('https://other:1/');
    });

    it('is the default server without a token', () => {
      rmSync(join(serviceAccount, 'token'));
      expect(server({ env: pod, serviceAccount })).toBe('http://localhost:8080/');
    });
  });
});
