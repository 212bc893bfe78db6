import { describe, expect, it } from 'vitest';
import { mayRun, readPluginPolicy } from './plugin-policy.ts';

const head = 'apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n';

describe('the preferences of kubectl', () => {
  it.each([
    ['', { policy: 'AllowAll', commands: [] }],
    ['defaults: []\n', { policy: 'AllowAll', commands: [] }],
    ['credentialPluginPolicy: ""\n', { policy: 'AllowAll', commands: [] }],
    ['credentialPluginPolicy: DenyAll\n', { policy: 'DenyAll', commands: [] }],
    [
      'credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: a}, {name: /b}]\n',
      { policy: 'Allowlist', commands: ['a', '/b'] },
    ],
  ])('with %j let plugins run as %j', (text, policy) => {
    expect(readPluginPolicy(head + text)).toEqual(policy);
  });

  it.each([
    'credentialPluginPolicy: Some\n',
    'credentialPluginPolicy: Allowlist\n',
    'credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []\n',
    'credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{}]\n',
    'credentialPluginAllowlist: [{command: a}]\n',
    'credentialPluginPolicy: DenyAll\ncredentialPluginAllowlist: [{command: a}]\n',
  ])('are refused with %j', (text) => {
    expect(() => readPluginPolicy(head + text)).toThrow('credentialPlugin');
  });

  it.each(['', 'hello', '{', 'kind: Preference', `${head}credentialPluginPolicy: 1`])('are none in %j', (text) => {
    expect(readPluginPolicy(text)).toBeUndefined();
  });
});

describe('a plugin', () => {
  const found = (command: string) =>
    ({ login: '/bin/login', '/bin/login': '/bin/login', other: '/bin/other' })[command];

  it.each([
    ['login', ['login'], true],
    ['login', ['/bin/login'], true],
    ['/bin/login', ['login'], true],
    ['/bin/login', ['other', '/bin/login'], true],
    ['/sbin/login', ['login'], false],
    ['login', ['other'], false],
    ['missing', ['login'], false],
    ['missing', ['missing'], true],
    ['missing', ['gone'], false],
  ])('%s with %j allowed may run: %s', (command, commands, may) => {
    expect(mayRun(command, { policy: 'Allowlist', commands }, found)).toBe(may);
    expect(mayRun(command, { policy: 'AllowAll', commands: [] }, found)).toBe(true);
    expect(mayRun(command, { policy: 'DenyAll', commands: [] }, found)).toBe(false);
  });
});
