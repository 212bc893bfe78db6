import { describe, expect, it } from 'vitest';
import { ModelStore } from '../../../test/builders/model-store.ts';
import { ZnodeTree } from '../../../test/builders/znode-tree.ts';
import { readModel } from '../cluster/model.ts';
import { printStatus } from './print-status.ts';
import { statusFields, statusView } from './status-view.ts';
import { readZooKeeperSide } from './zookeeper-side.ts';

const ourId = 'dga-2-3f0b7c1e-8a41-4d7a-9a53-0c6d1f2e9b10';
const theirId = 'dga-9-11111111-8a41-4d7a-9a53-0c6d1f2e9b10';
const everything = { model: undefined, version: undefined };

function resource(version: string, status: Record<string, unknown> = {}, name = 'dga', namespace = 'fraud') {
  return readModel(
    new ModelStore().put({
      metadata: { name: `${name}-${version}`, namespace },
      spec: { name, version, instances: 2, memory: '1Gi', payload: { path: 'p' } },
      status,
    }),
  );
}

async function view(
  tree: ZnodeTree,
  models: readonly ReturnType<typeof resource>[] = [],
  wanted: { model: string | undefined; version: string | undefined } = everything,
  clusterId: string | undefined = 'here',
) {
  const side = await readZooKeeperSide(tree, { configPath: '/metron/maas/config', operatorRoot: '/maas/operator' });
  return statusView({ models, side, clusterId }, wanted);
}

const bothSides = () =>
  new ZnodeTree()
    .register({ id: '1', version: '1.0', url: 'http://node7:1500' })
    .register({ id: '2', version: '1.0', url: 'http://node7:1500' })
    .registerFromPod({ id: ourId, version: '2.0' })
    .registerFromPod({ id: theirId, version: '2.0' }, { cluster: 'there', session: '2' });

describe('statusView', () => {
  it('puts both sides of each version beside each other, the served one first', async () => {
    const { items } = await view(bothSides(), [resource('2.0', { ready: 1 })]);
    expect(items).toMatchObject([
      {
        model: 'dga',
        version: '2.0',
        served: true,
        resources: [{ namespace: 'fraud', resource: 'dga-2.0', desired: 2, ready: 1, reason: 'NotSeen' }],
        registered: { here: 1, otherCluster: 1, foreign: 0 },
      },
      { version: '1.0', served: false, resources: [], registered: { here: 0, otherCluster: 0, foreign: 2 } },
    ]);
  });

  it('knows what is here by its pods where nobody tells the id of the cluster', async () => {
    const endpoint = { pod: 'dga-2', version: '2.0', state: 'Registered' };
    const { items } = await view(bothSides(), [resource('2.0', { endpoints: [endpoint] })], everything, '');
    expect(items[0]?.registered).toEqual({ here: 0, otherCluster: 2, foreign: 0 });
    const side = await readZooKeeperSide(bothSides(), {
      configPath: '/metron/maas/config',
      operatorRoot: '/maas/operator',
    });
    const guessed = statusView(
      { models: [resource('2.0', { endpoints: [endpoint] })], side, clusterId: undefined },
      everything,
    );
    expect(guessed.items[0]?.registered).toEqual({ here: 1, otherCluster: 1, foreign: 0 });
  });

  it('says which version is served as clients choose it, among all that are registered', async () => {
    const tree = new ZnodeTree().register({ id: '1', version: '1.9' }).register({ id: '2', version: '1.10' });
    const { items } = await view(tree, [resource('2.0')], { model: 'dga', version: '1.10' });
    expect(items).toMatchObject([{ version: '1.10', served: false }]);
    const all = await view(tree, [resource('2.0')]);
    expect(all.items.filter(({ served }) => served).map(({ version }) => version)).toEqual(['1.9']);
  });

  it('tells what clients cannot read, and how many requests wait', async () => {
    const tree = new ZnodeTree()
      .put('/maas/service/spam/1', 'garbage')
      .put('/maas/service/spam/2', '', { hidden: true })
      .request(1, 'null');
    expect(await view(tree)).toMatchObject({
      items: [],
      queued: 1,
      unreadable: [{ path: '/maas/service/spam/1' }, { path: '/maas/service/spam/2' }],
    });
    expect((await view(new ZnodeTree())).queued).toBeNull();
  });

  it('has the documented fields', async () => {
    const tree = bothSides().put('/maas/service/spam/1', 'garbage');
    const shape = await view(tree, [resource('2.0')]);
    expect(fields(JSON.parse(JSON.stringify(shape)))).toEqual(
      new Set(['kind', 'apiVersion', ...statusFields.map(([field]) => field)]),
    );
  });
});

/** `a.b`, and `a[].b` for what is in arrays; functions have names of their own. */
function fields(value: unknown, prefix = ''): Set<string> {
  if (Array.isArray(value)) return new Set(value.flatMap((item) => [...fields(item, `${prefix}[]`)]));
  if (typeof value !== 'object' || value === null || prefix.endsWith('.functions')) return new Set([prefix]);
  return new Set(
    Object.entries(value).flatMap(([name, child]) => [...fields(child, prefix === '' ? name : `${prefix}.${name}`)]),
  );
}

describe('printStatus', () => {
  it('is a table', async () => {
    const shown = await view(bothSides(), [resource('2.0', { ready: 1 }), resource('1', {}, 'echo', 'lab')]);
    expect(printStatus(shown, undefined, { colour: false })).toBe(
      [
        'MODEL   VERSION   SERVED   RESOURCE        DESIRED   READY   REGISTERED   FOREIGN   REASON',
        'dga     2.0       yes      fraud/dga-2.0   2         1       1            0         NotSeen',
        'dga     1.0       -        -               -         -       0            2         Foreign',
        'echo    1         -        lab/echo-1      2         -       0            0         NotSeen',
        '',
      ].join('\n'),
    );
    expect(printStatus(shown, 'name', { colour: false })).toBe('dga 2.0\ndga 1.0\necho 1\n');
    const wide = printStatus(shown, 'wide', { colour: false }).split('\n');
    expect(wide[0]).toMatch(/OTHER-CLUSTER {3}FOREIGN-ENDPOINTS$/);
    expect(wide[2]).toMatch(/ 0 +http:\/\/node7:1500$/);
  });

  it('lets nobody steer the terminal', async () => {
    const tree = new ZnodeTree().register({ version: '1\u001b[31m', url: 'http://x:1/\u0007' });
    for (const format of ['wide', 'json', 'yaml', 'name'] as const) {
      const text = printStatus(await view(tree), format, { colour: false });
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      expect(text).toMatch(/\\(u001b|e)\[31m/);
    }
  });

  it('has a line for each of several resources that claim one version', async () => {
    const shown = await view(bothSides(), [resource('2.0'), resource('2.0', {}, 'dga', 'lab')], {
      model: 'dga',
      version: '2.0',
    });
    const lines = printStatus(shown, undefined, { colour: false }).split('\n');
    expect(lines[1]).toMatch(/fraud\/dga-2\.0 +2 +- +1 +0/);
    expect(lines[2]).toMatch(/lab\/dga-2\.0 +2 +- +- +-/);
  });
});
