import { expect, it } from 'vitest';
import { withoutBrackets } from './bare-address.ts';

it.each([
  ['[fd00::1]', 'fd00::1'],
  ['fd00::1', 'fd00::1'],
  ['10.0.0.1', '10.0.0.1'],
  ['namenode.example.org', 'namenode.example.org'],
  ['', ''],
])('%s is %s to a socket', (host, bare) => {
  expect(withoutBrackets(host)).toBe(bare);
});
