import { expect, test } from 'vitest';
import { mountPointsBelow } from './engine.ts';

test('mount points below a directory, the innermost first', () => {
  const table = `proc /proc proc rw 0 0
nsfs /run/maas/one/netns/default nsfs rw 0 0
overlay /run/maas/one/a\\040b overlay rw 0 0
overlay /run/maas/one/a\\040b/inner overlay rw 0 0
nsfs /run/maas/one-more/netns nsfs rw 0 0
`;
  expect(mountPointsBelow('/run/maas/one', table)).toEqual([
    '/run/maas/one/a b/inner',
    '/run/maas/one/a b',
    '/run/maas/one/netns/default',
  ]);
});
