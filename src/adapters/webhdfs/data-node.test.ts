import { expect, it } from 'vitest';
import { excludableName, redirectTarget } from './data-node.ts';

it.each([
  ['http://nn:9870', 'http://dn:9864/x?y=1', 'http://dn:9864/x?y=1'],
  ['http://nn:9870', 'https://dn:9865/x', 'https://dn:9865/x'],
  ['https://nn:9871', 'https://dn:9865/x', 'https://dn:9865/x'],
  ['https://gate/webhdfs/v1', '/webhdfs/data/v1/x', 'https://gate/webhdfs/data/v1/x'],
])('from %s to %s', (base, location, target) => {
  expect(redirectTarget(location, new URL(base), 'OPEN').href).toBe(target);
});

it.each([
  ['https://nn:9871', 'http://dn:9864/x?delegation=SECRET', 'the redirect to dn:9864 leaves TLS'],
  ['http://nn:9870', 'file:///etc/passwd', 'without a usable Location'],
  ['http://nn:9870', 'http://', 'without a usable Location'],
  ['http://nn:9870', undefined, 'without a usable Location'],
])('from %s never to %s', (base, location, why) => {
  const redirect = () => redirectTarget(location, new URL(base), 'OPEN');
  expect(redirect).toThrow(why);
  expect(redirect).not.toThrow('SECRET');
});

it.each([
  ['http://127.0.0.1:9864/', undefined, '127.0.0.1'],
  ['http://localhost:9864/', undefined, '127.0.0.1'],
  ['http://dn:9864/', '10.0.0.7', '10.0.0.7'],
  ['http://[::1]:9864/', undefined, undefined],
  ['http://dn:9864/', 'fe80::1', undefined],
  ['http://no-such-host.invalid:9864/', undefined, undefined],
])('%s with the connection to %s is left out as %s', async (target, peer, name) => {
  expect(await excludableName(new URL(target), peer)).toBe(name);
});
