/** Operators whose settings name an HDFS or a ZooKeeper that nobody answers at: what a person reads then. */
import { describe, expect, it } from 'vitest';
import { present } from '../integration/world.ts';
import { pythonModel } from './payloads.ts';
import { Stage } from './stage.ts';
import { tellsWhy } from './why-text.ts';

/** An address of the local world's own network that no container has. */
function nobody(): string {
  return present('engine').subnet.replace(/\d+\/\d+$/, '250');
}

describe('kubectl get mdl says', () => {
  it('that HDFS cannot be reached', async () => {
    await using stage = await Stage.open('no-hdfs', {
      hdfs: { nameservices: { lake: { webhdfs: [`http://${nobody()}:9870`] } } },
    });
    await stage.apply('model', {});
    const message = await stage.reasonIs('model', 'HdfsUnreachable');
    expect(message).toContain(nobody());
    const payload = (await stage.show('model')).status.conditions.find((each) => each.type === 'PayloadResolved');
    expect(payload?.status).toBe('Unknown');
    await tellsWhy(stage, 'model', 'no-hdfs');
  });

  it('that ZooKeeper cannot be reached, and no pod is restarted for that', async () => {
    await using stage = await Stage.open('no-zk', { zookeeper: { quorum: `${nobody()}:2181` } });
    await stage.payload('model', pythonModel('1.0'));
    await stage.apply('model', { spec: { startupTimeout: '5s' } });
    expect(await stage.reasonIs('model', 'ZookeeperUnreachable')).toMatch(/ZooKeeper/);
    await tellsWhy(stage, 'model', 'no-zookeeper');
    // Longer than the start-up timeout, which does not count while nobody could be registered.
    const since = performance.now();
    while (performance.now() - since < 10_000) {
      expect(await stage.reason('model')).toBe('ZookeeperUnreachable');
      expect((await stage.pods()).map((pod) => pod.restarts)).toEqual([0]);
    }
  });
});
