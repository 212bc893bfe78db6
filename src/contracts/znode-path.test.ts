import { expect, test } from 'vitest';
import { znodePathProblem } from './znode-path.ts';

test.each(['/', '/maas', '/maas/service', '/maas/spam filter', '/maas/модель', '/maas/..a', '/a%2Fb'])(
  'takes %s',
  (path) => {
    expect(znodePathProblem(path)).toBeUndefined();
  },
);

test.each([
  ['', 'does not start with a slash'],
  ['maas', 'does not start with a slash'],
  ['/maas/', 'ends in a slash'],
  ['/maas//service', 'has two slashes in a row'],
  ['/maas/./service', 'has "." as a name'],
  ['/maas/..', 'has ".." as a name'],
  ['/maas/a\u0000', 'has a character that ZooKeeper refuses'],
  ['/maas/a\u007f', 'has a character that ZooKeeper refuses'],
  ['/maas/\ue000', 'has a character that ZooKeeper refuses'],
  ['/maas/😀', 'has a character that ZooKeeper refuses'],
])('refuses %j', (path, problem) => {
  expect(znodePathProblem(path)).toBe(problem);
});
