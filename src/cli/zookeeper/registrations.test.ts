import { expect, it } from 'vitest';
import { wellTree } from '../../../test/builders/well-facts.ts';
import { registrationsIn } from './registrations.ts';
import { readZooKeeperSide } from './zookeeper-side.ts';

it('are read as clients read them, and say why where they are not', async () => {
  const tree = wellTree().put('/maas/service/spam/1', 'garbage');
  const side = await readZooKeeperSide(tree, { configPath: '/metron/maas/config', operatorRoot: '/maas-operator' });
  expect(registrationsIn(side, () => true)).toEqual([
    {
      path: '/maas/service/dga/dga-1',
      problem: undefined,
      owner: 'foreign',
      model: 'dga',
      version: '1.0',
      url: 'http://127.0.0.1:1',
      functions: { apply: 'apply' },
    },
    { path: '/maas/service/spam/1', problem: expect.stringContaining('JSON') },
  ]);
});
