import { expect, test } from 'vitest';
import { isLocalHost } from './local-host.ts';

test.each([
  ...['localhost', 'LOCALHOST', 'localhost.', 'model.localhost', 'localhost.localdomain', 'localhost6'],
  ...['ip6-localhost', 'ip6-loopback'],
  ...['127.0.0.1', '127.0.1.1', '127.1', '0.0.0.0', '0'],
  ...['::', '[::]', '::1', '[::1]', '[::1%lo]', '0:0:0:0:0:0:0:1', '[0:0:0:0:0:0:0:0]'],
  ...['::ffff:127.0.0.1', '[::ffff:0.0.0.0]', '::ffff:127.0.1.1'],
])('%s is the machine of whoever reads it', (host) => {
  expect(isLocalHost(host)).toBe(true);
});

test.each([
  ...['node7.example', 'localhost.example', 'mylocalhost', '10.0.0.7', '1.127.0.1', '127.example', '128.0.0.1'],
  ...['fd00::1', '[fd00::5]', '::2', '[::ffff:10.0.0.7]', 'fe80::1%eth0', '', '[', 'a b'],
])('%s is not', (host) => {
  expect(isLocalHost(host)).toBe(false);
});
