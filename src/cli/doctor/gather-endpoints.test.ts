import { describe, expect, it } from 'vitest';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { ZnodeTree } from '../../../test/builders/znode-tree.ts';
import type { Touch } from '../ports.ts';
import { readZooKeeperSide } from '../zookeeper/zookeeper-side.ts';
import { addressOf } from './endpoint-addresses.ts';
import { gatherEndpoints } from './gather-endpoints.ts';

const refused: Touch = { outcome: 'refused', problem: 'ECONNREFUSED' };
const connected: Touch = { outcome: 'connected' };

async function gathered(tree: ZnodeTree, answers: readonly Touch[]) {
  const touched: string[] = [];
  const clock = new HastyClock();
  const side = await readZooKeeperSide(tree, { configPath: '/c', operatorRoot: '/o' });
  const endpoints = await gatherEndpoints(
    side,
    {
      touch: async (host, port, timeoutMs) => {
        touched.push(`${host}:${port} ${timeoutMs}`);
        return answers[Math.min(touched.length, answers.length) - 1] ?? connected;
      },
      clock,
      signal: new AbortController().signal,
    },
    2_000,
  );
  return { endpoints, touched, slept: clock.monotonic() };
}

describe('gatherEndpoints', () => {
  it('touches each address once, however many are registered there', async () => {
    const tree = new ZnodeTree()
      .register({ id: '1', url: 'http://node7:1500' })
      .register({ id: '2', url: 'http://node7:1500/base' })
      .register({ id: '3', url: 'https://node7' })
      .register({ id: '4', url: 'nowhere' })
      .put('/maas/service/spam/5', 'garbage');
    const { endpoints, touched } = await gathered(tree, [connected]);
    expect(touched).toEqual(['node7:1500 2000', 'node7:443 2000']);
    expect(endpoints.map(({ paths }) => paths)).toEqual([
      ['/maas/service/dga/1', '/maas/service/dga/2'],
      ['/maas/service/dga/3'],
    ]);
  });

  it('is patient with one that refuses: it may serve a single connection at a time', async () => {
    const tree = new ZnodeTree().register({ url: 'http://node7:1500' });
    const moment = await gathered(tree, [refused, refused, connected]);
    expect(moment.endpoints).toMatchObject([{ touch: connected }]);
    expect(moment.touched.length).toBe(3);
    const dead = await gathered(tree, [refused]);
    expect(dead.endpoints).toMatchObject([{ touch: refused }]);
    expect(dead.slept).toBeGreaterThan(1_000);
  });

  it('waits once for one that does not answer', async () => {
    const tree = new ZnodeTree().register({ url: 'http://node7:1500' });
    const { touched } = await gathered(tree, [{ outcome: 'unreachable', problem: 'no connection within 2000 ms' }]);
    expect(touched.length).toBe(1);
  });

  it('does not connect to itself', async () => {
    const { endpoints, touched } = await gathered(new ZnodeTree().register({ url: 'http://localhost:1500' }), []);
    expect(endpoints).toMatchObject([{ host: 'localhost', touch: undefined }]);
    expect(touched).toEqual([]);
  });
});

describe('addresses', () => {
  it.each([
    ['http://node7:22201', { host: 'node7', port: 22_201 }],
    ['http://node7/base', { host: 'node7', port: 80 }],
    ['https://node7', { host: 'node7', port: 443 }],
    ['http://[fd00::7]:1500/x', { host: 'fd00::7', port: 1500 }],
    ['http://user:secret@node7:1', { host: 'node7', port: 1 }],
    ['ftp://node7', undefined],
    ['http://', undefined],
    ['http://node7:99999', undefined],
    ['node7:1500', undefined],
    ['', undefined],
  ])('of %j is %j', (url, address) => {
    expect(addressOf(url)).toEqual(address);
  });
});
