import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proxyFromEnvironment } from './proxy.ts';

const proxy = 'http://proxy.example:3128/';
const found = (server: string, env: Record<string, string>) => proxyFromEnvironment(new URL(server), env)?.href;

describe('the proxy of the environment', () => {
  it.each([
    ['https://api.example', { HTTPS_PROXY: proxy }, proxy],
    ['https://api.example', { https_proxy: proxy }, proxy],
    ['https://api.example', { https_proxy: 'http://lower', HTTPS_PROXY: proxy }, proxy],
    ['https://api.example', { https_proxy: proxy, HTTPS_PROXY: '' }, proxy],
    ['https://api.example', { HTTP_PROXY: proxy }, undefined],
    ['https://api.example', { ALL_PROXY: proxy }, undefined],
    ['http://api.example', { HTTP_PROXY: proxy }, proxy],
    ['http://api.example', { HTTPS_PROXY: proxy }, undefined],
    ['https://api.example', { HTTPS_PROXY: 'proxy.example:3128' }, proxy],
    ['https://api.example', { HTTPS_PROXY: 'socks5://s:1' }, 'socks5://s:1'],
    ['https://api.example', {}, undefined],
    // This machine is never behind a proxy.
    ['https://localhost:6443', { HTTPS_PROXY: proxy }, undefined],
    ['https://127.9.9.9', { HTTPS_PROXY: proxy }, undefined],
    ['https://[::1]', { HTTPS_PROXY: proxy }, undefined],
    ['https://localhost.example', { HTTPS_PROXY: proxy }, proxy],
  ] as const)('to %s with %j is %s', (server, env, expected) => {
    expect(found(server, env)).toBe(expected);
  });

  it.each([
    ['https://api.example', '*', true],
    ['https://api.example', 'other,*', true],
    ['https://api.example', 'example', true],
    ['https://api.example', '.example', true],
    ['https://api.example', '*.example', true],
    ['https://api.example', 'api.example', true],
    ['https://api.example', ' API.Example ,x', true],
    ['https://api.example', '.api.example', false],
    ['https://api.example', '*.api.example', false],
    ['https://api.example', 'pi.example', false],
    ['https://api.example', 'a*.example', false],
    ['https://api.example', 'api.example:443', true],
    ['https://api.example', 'api.example:6443', false],
    ['https://api.example:6443', '.example:6443', true],
    ['https://api.example', ':443', false],
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://10.1.2.3', '10.1.2.3', true],
    ['https://10.1.2.3:6443', '10.1.2.3:6443', true],
    ['https://10.1.2.3:6443', '10.1.2.3:443', false],
    ['https://10.1.2.3', '10.1', false],
    ['https://10.1.2.3', '10.0.0.0/99', false],
    ['https://10.1.2.3', '.2.3', false],
    ['https://api.example', '10.0.0.0/8', false],
    ['https://[fd00::1]', 'fd00::/8', true],
    ['https://[fd00::1]', 'fd00::1', true],
    ['https://[fd00::1]:6443', '[fd00::1]:6443', true],
    ['https://[fd00::1]', '[fd00::2]', false],
    ['https://api.example', '', false],
    ['https://api.example', ',, ,', false],
  ] as const)('to %s is left out by NO_PROXY=%s: %s', (server, noProxy, direct) => {
    expect(found(server, { HTTPS_PROXY: proxy, NO_PROXY: noProxy }) === undefined).toBe(direct);
  });

  it('never fails, whatever the environment says', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.constantFrom('https://a.b', 'https://10.0.0.1', 'https://[fd::1]'),
        (via, except, server) => {
          proxyFromEnvironment(new URL(server), { HTTPS_PROXY: via, NO_PROXY: except });
        },
      ),
    );
  });
});
