import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readKubeconfig, UnreadableKubeconfig } from './read.ts';

const user = (text: string) => readKubeconfig(`users: [{name: u, user: {${text}}}]`).users.get('u');

describe('the text of a kubeconfig', () => {
  it.each([
    ['', 'empty'],
    ['# only a comment\n', 'empty'],
    ['{}', 'empty'],
    ['null', 'empty'],
    ['clusters:\nusers: null\ncontexts: []\n', 'empty'],
    ['Users: [{name: u}]\nusers2: 1\n', 'empty'],
  ])('%j is %s', (text) => {
    expect(readKubeconfig(text)).toEqual({
      clusters: new Map(),
      users: new Map(),
      contexts: new Map(),
      currentContext: '',
    });
  });

  it.each([
    ['token: a, token: b', 'b'],
    ['token: 2020-01-01', '2020-01-01'],
    ['token: 12:30:45', '12:30:45'],
    ['token: null', ''],
    ['token: ~', ''],
    ['token: "yes"', 'yes'],
    ['&x token: a, as: b', 'a'],
  ])('a user with %s has the token %j', (text, token) => {
    expect(user(text)?.token).toBe(token);
  });

  it.each([
    ['token: 12345', 'users "u": user.token'],
    ['token: 1e3', 'users "u": user.token'],
    ['token: yes', 'users "u": user.token'],
    ['token: y', 'users "u": user.token'],
    ['token: [a]', 'users "u": user.token'],
    ['as-groups: a', 'users "u": user.as-groups'],
    ['as-user-extra: {a: b}', 'users "u": user.as-user-extra.a'],
    ['exec: {env: [{name: A, value: 1}]}', 'users "u": user.exec.env.0.value'],
    ['client-key-data: "YWJj ZGVm"', 'users "u": user.client-key-data'],
    ['client-key-data: YQ', 'users "u": user.client-key-data'],
  ])('a user with %s is refused', (text, where) => {
    expect(() => user(text)).toThrow(where);
  });

  it.each([
    'hello',
    '- a',
    'users: {}',
    'users: [',
    'clusters:\n\t- a\n',
    'kind: Foo',
    'apiVersion: v2',
    'apiVersion: 1',
    'users: [{name: u}, {name: u}]',
    'clusters: [{name: c, cluster: {insecure-skip-tls-verify: "true"}}]',
    "current-context: 'a\u0001b'",
  ])('%j is refused', (text) => {
    expect(() => readKubeconfig(text)).toThrow(UnreadableKubeconfig);
  });

  it('hands on what a cluster says to plugins', () => {
    const said = '{a: 1, b: -1.5e3, c: 0x1F, d: 017, e: 1_000, f: 12:30, g: 2020-01-01, h: yes, i: [null, ~]}';
    const text = `clusters: [{name: c, cluster: {extensions: [{name: client.authentication.k8s.io/exec, extension: ${said}}]}}]`;
    expect(readKubeconfig(text).clusters.get('c')?.execExtension).toEqual({
      ...{ a: 1, b: -1500, c: 31, d: 15, e: 1000, f: '12:30', g: '2020-01-01', h: true, i: [null, null] },
    });
  });

  it('takes the first of several documents', () => {
    expect(readKubeconfig('---\ncurrent-context: a\n---\nusers: [\n').currentContext).toBe('a');
  });

  it('gives plugins of old versions the terminal, and newer ones none that they do not ask for', () => {
    const mode = (version: string) => user(`exec: {command: c, apiVersion: ${version}}`)?.exec?.interactiveMode;
    expect(mode('client.authentication.k8s.io/v1beta1')).toBe('IfAvailable');
    expect(mode('client.authentication.k8s.io/v1')).toBe('');
  });

  it('is the same in YAML and in JSON', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/).map((letters) => `n-${letters}`);
    const config = fc.record({
      'current-context': name,
      clusters: fc.uniqueArray(fc.record({ name, cluster: fc.record({ server: fc.webUrl() }) }), {
        selector: (entry) => entry.name,
      }),
      users: fc.uniqueArray(fc.record({ name, user: fc.record({ token: fc.base64String() }) }), {
        selector: (entry) => entry.name,
      }),
    });
    fc.assert(
      fc.property(config, (value) => {
        const yaml = stringify(value, { version: '1.1' });
        expect(readKubeconfig(yaml)).toEqual(readKubeconfig(JSON.stringify(value)));
      }),
    );
  });
});
