import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QueueWorld } from '../../test/builders/queue-world.ts';
import { rejectedRequests } from '../../test/builders/rejected-requests.ts';
import { MaasError } from '../contracts/errors.ts';
import { failPoints } from './fail-points.ts';

const add = (name: string, numInstances = 1, more: object = {}) => ({
  name,
  version: '1.0',
  numInstances,
  memory: 512,
  action: 'ADD',
  path: '/models/x',
  ...more,
});
const remove = (name: string, numInstances = 1) => ({
  name,
  version: '1.0',
  numInstances,
  memory: 0,
  action: 'REMOVE',
  path: null,
});

/** Some models are ours, the others' requests go on. */
const some = { models: ['a', 'b'], forwardTo: '/maas/yarn' };

/** Lets an operator work until there is nothing to do. */
async function worked(world: QueueWorld): Promise<void> {
  const operator = world.start();
  await operator.rests();
  await operator.stop();
}

describe('requests', () => {
  it('are done in their order, and are off the queue', async () => {
    const world = new QueueWorld();
    for (const request of [add('dga', 2), add('dga'), remove('dga', 2), add('web')]) world.enqueue(request);
    await worked(world);
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 1, 'fraud/web-1.0': 1 });
    expect(world.queued()).toEqual([]);
    expect(world.effects.map(({ by }) => by)).toEqual([2, 1, -2, 1]);
    expect(world.events.map(({ about, message }) => `${about} ${message}`)).toEqual([
      'ModelDeployment fraud/dga-1.0 created with 2 instances, as qn-0000000000 of the old queue asked',
      'ModelDeployment fraud/dga-1.0 scaled from 2 to 3 instances, as qn-0000000001 of the old queue asked',
      'ModelDeployment fraud/dga-1.0 scaled from 3 to 1 instance, as qn-0000000002 of the old queue asked',
      'ModelDeployment fraud/web-1.0 created with 1 instance, as qn-0000000003 of the old queue asked',
    ]);
  });

  it('that come while it rests are done at once', async () => {
    const world = new QueueWorld();
    const operator = world.start();
    await operator.rests();
    world.enqueue(add('dga'));
    await operator.rests();
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 1 });
    await operator.stop();
  });

  it('that take the last instance delete the resource', async () => {
    const world = new QueueWorld();
    world.enqueue(add('dga', 2));
    world.enqueue(remove('dga', 5));
    await worked(world);
    expect(world.instances()).toEqual({});
    expect(world.queued()).toEqual([]);
  });

  it('are taken from where the configuration node says', async () => {
    const world = new QueueWorld();
    world.put('/metron/maas/config', '{"queueConfig":{"zk_path":"/other/queue"}}');
    world.put('/other/queue', '');
    world.enqueue(add('dga'));
    world.enqueue(add('web'), '/other/queue');
    const operator = world.start();
    await operator.rests();
    expect(world.instances()).toEqual({ 'fraud/web-1.0': 1 });
    // And from elsewhere as soon as it says so; nothing is taken while it says nothing.
    world.put('/metron/maas/config', 'null');
    world.enqueue(add('web'), '/other/queue');
    await operator.rests();
    expect(world.queued('/other/queue')).toHaveLength(1);
    world.put('/metron/maas/config', '{}');
    await operator.rests();
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 1, 'fraud/web-1.0': 1 });
    await operator.stop();
  });

  it('go to the namespace of the longest prefix', async () => {
    const world = new QueueWorld({
      namespaces: [
        { prefix: 'd', namespace: 'letters' },
        { prefix: 'dns-', namespace: 'dns' },
      ],
    });
    for (const name of ['dns-tunnel', 'dga', 'web']) world.enqueue(add(name));
    await worked(world);
    expect(Object.keys(world.instances())).toEqual(['dns/dns-tunnel-1.0', 'fraud/web-1.0', 'letters/dga-1.0']);
  });

  it('for models of others go on as they are, in their order', async () => {
    const world = new QueueWorld({ models: ['dga', 'dns-*'], forwardTo: '/maas/yarn' });
    const texts = ['dga', 'web', 'dns-a', 'dg', 'web'].map((name, at) => `{"name":"${name}", "version":"${at}"}`);
    for (const text of texts) world.enqueue(text);
    await worked(world);
    expect(world.queued('/maas/yarn')).toEqual([texts[1], texts[3], texts[4]]);
    expect(world.outcomes).toEqual(['rejected', 'forwarded', 'rejected', 'forwarded', 'forwarded']);
    expect(world.queued()).toEqual([]);
    expect(rejectedRequests(world.record ?? {}).map(({ why }) => why)).toHaveLength(2);
  });

  it('are not read where the second queue is the first one', async () => {
    const world = new QueueWorld({ models: [], forwardTo: '/maas/queue' });
    world.enqueue(add('dga'));
    await worked(world);
    expect(world.queued()).toHaveLength(1);
    expect(world.log.warnings.join()).toContain('lies in the request queue itself');
  });
});

describe('requests that cannot be done', () => {
  const bad: [string, unknown, RegExp][] = [
    ['broken JSON', '{"name":', /^it is not JSON/],
    ['an unknown field', '{"name":"dga","priority":1}', /does not know: "priority"/],
    ['no name', add('dga', 1, { name: null }), /^it names no model/],
    ['an empty name', add(''), /its name "" cannot be used/],
    ['a name that is a path', add('a/b'), /its name "a\/b" cannot be used/],
    ['no version', add('dga', 1, { version: null }), /^it names no version/],
    ['no action', add('dga', 1, { action: null }), /neither ADD nor REMOVE/],
    ['no instances', add('dga', 0), /asks for 0 instances/],
    ['fewer than none', remove('dga', -3), /asks for -3 instances/],
    ['too many', add('dga', 1_001), /1001 instances, which is too many/],
    ['no memory', add('dga', 1, { memory: 0 }), /names no memory/],
    ['no path', add('dga', 1, { path: null }), /names no path/],
    ['nothing to remove', remove('dga'), /"dga" "1.0" is not deployed in namespace fraud/],
  ];
  it.each(bad)('are rejected, kept and told: %s', async (_what, request, why) => {
    const world = new QueueWorld();
    world.enqueue(request);
    world.enqueue(add('web'));
    await worked(world);
    expect(world.queued()).toEqual([]);
    expect(world.instances()).toEqual({ 'fraud/web-1.0': 1 });
    const [entry, second] = rejectedRequests(world.record ?? {});
    expect(entry?.why).toMatch(why);
    expect(second).toBeUndefined();
    const [event] = world.events;
    expect(event).toMatchObject({ about: 'ConfigMap maas/maas-operator-queue', reason: 'RequestRejected' });
    expect(event?.message).toBe(`qn-0000000000: ${entry?.why}`);
  });

  it('are kept up to a number, the latest ones', async () => {
    const world = new QueueWorld();
    const operator = world.start();
    for (let at = 0; at < 130; at++) {
      world.enqueue(`broken ${at}`);
      await world.clock.advance(1_000);
      await operator.rests();
    }
    await operator.stop();
    const kept = rejectedRequests(world.record ?? {});
    expect(kept).toHaveLength(100);
    expect(kept[0]?.request).toBe('"broken 30"');
    expect(kept.at(-1)?.request).toBe('"broken 129"');
  });

  it('that are the null of a LIST are counted, and push nothing out', async () => {
    const world = new QueueWorld();
    world.enqueue('broken');
    for (let at = 0; at < 150; at++) world.enqueue('null');
    const operator = world.start();
    for (let turn = 0; turn < 20; turn++) await operator.rests();
    await operator.stop();
    expect(world.queued()).toEqual([]);
    expect(rejectedRequests(world.record ?? {})).toHaveLength(1);
    expect(JSON.parse(world.record?.['null-requests'] ?? '')).toMatchObject({ count: 150 });
  });

  it('are taken off with what somebody put below them', async () => {
    const world = new QueueWorld();
    const path = world.enqueue(add('dga'));
    world.put(`${path}/a`, '');
    world.put(`${path}/a/b`, '');
    await worked(world);
    expect(rejectedRequests(world.record ?? {})[0]?.why).toBe('it has nodes below it');
    expect([...world.nodes.keys()]).toEqual(['/maas/queue']);
  });

  it('because Kubernetes refuses them say so', async () => {
    const world = new QueueWorld();
    world.failing = (call, name) =>
      call === 'create' && name === 'dga-1.0' ? new MaasError('CLUSTER_REFUSED', 'exceeded quota') : undefined;
    world.enqueue(add('dga'));
    world.enqueue(add('web'));
    await worked(world);
    expect(rejectedRequests(world.record ?? {})).toMatchObject([{ code: 'CLUSTER_REFUSED', why: 'exceeded quota' }]);
    expect(world.instances()).toEqual({ 'fraud/web-1.0': 1 });
  });

  it('leave nodes that are no requests alone', async () => {
    const world = new QueueWorld();
    world.put('/maas/queue/lock', 'x');
    world.enqueue(add('dga'));
    await worked(world);
    expect(world.nodes.has('/maas/queue/lock')).toBe(true);
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 1 });
  });
});

describe('a request that has to wait', () => {
  it('holds up only its own name and version, and is done later', async () => {
    const world = new QueueWorld();
    world.apply('dga-1.0', { model: 'dga', deleting: true });
    for (const request of [add('dga', 2), add('web'), add('dga', 1)]) world.enqueue(request);
    const operator = world.start();
    await operator.rests();
    expect(world.queued()).toHaveLength(2);
    expect(world.models.get('fraud/web-1.0')?.instances).toBe(1);
    world.models.delete('fraud/dga-1.0');
    await world.clock.advance(10_000);
    await operator.rests();
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 3, 'fraud/web-1.0': 1 });
    expect(world.log.warnings.filter((warning) => warning === 'a request waits')).toHaveLength(1);
    await operator.stop();
  });

  it('because of its mode stays as it is, and its order with it', async () => {
    const world = new QueueWorld({ models: ['dga', 'web'], forwardTo: '/maas/yarn' });
    for (const name of ['dga', 'theirs', '']) world.notTaken.add(name);
    for (const request of [add('dga', 2), add('web'), add('theirs'), 'null', remove('dga')]) world.enqueue(request);
    const operator = world.start();
    await operator.rests();
    expect(world.instances()).toEqual({ 'fraud/web-1.0': 1 });
    expect(world.queued()).toHaveLength(4);
    expect(world.record).toBeUndefined();
    world.notTaken.clear();
    await world.clock.advance(10_000);
    await operator.rests();
    expect(world.queued()).toEqual([]);
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 1, 'fraud/web-1.0': 1 });
    expect(world.queued('/maas/yarn')).toHaveLength(1);
    await operator.stop();
  });

  it('because a permission is missing lets the others through', async () => {
    const world = new QueueWorld();
    let forbidden = true;
    world.failing = (call, name) =>
      forbidden && call === 'create' && name === 'dga-1.0' ? new MaasError('CLUSTER_FORBIDDEN', 'no') : undefined;
    world.enqueue(add('dga'));
    world.enqueue(add('web'));
    const operator = world.start();
    await operator.rests();
    expect(world.instances()).toEqual({ 'fraud/web-1.0': 1 });
    forbidden = false;
    await world.clock.advance(10_000);
    await operator.rests();
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 1, 'fraud/web-1.0': 1 });
    await operator.stop();
  });

  it('for the API server does not lose its turn', async () => {
    const world = new QueueWorld();
    let away = true;
    world.failing = () => (away ? new MaasError('CLUSTER_UNREACHABLE', 'nobody answers') : undefined);
    world.enqueue(add('dga'));
    world.enqueue(remove('dga'));
    const operator = world.start();
    await operator.rests();
    expect(world.queued()).toHaveLength(2);
    away = false;
    await world.clock.advance(60_000);
    await operator.rests();
    expect(world.effects.map(({ by }) => by)).toEqual([1, -1]);
    await operator.stop();
  });

  it('for ZooKeeper is done when it is back', async () => {
    const world = new QueueWorld();
    const operator = world.start();
    await operator.rests();
    world.become('suspended');
    world.enqueue(add('dga'));
    await operator.rests();
    expect(world.instances()).toEqual({});
    world.become('connected');
    await operator.rests();
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 1 });
    await operator.stop();
  });

  it('is done although somebody else changes its resource between a look and a write', async () => {
    const world = new QueueWorld();
    world.apply('dga-1.0', { model: 'dga' });
    let before = 3;
    world.failing = (call) => {
      if (call === 'change' && before-- > 0) world.scale('fraud/dga-1.0', 10 + before);
      return undefined;
    };
    world.enqueue(add('dga', 2));
    await worked(world);
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 12 });
  });
});

describe('a leader', () => {
  it('writes nothing once its lease is not certain any more', async () => {
    const world = new QueueWorld(some);
    world.leading = false;
    for (const request of [add('a'), 'null', 'broken', add('theirs')]) world.enqueue(request);
    await worked(world);
    expect(world.queued()).toHaveLength(4);
    expect(world.instances()).toEqual({});
    expect(world.record).toBeUndefined();
    expect(world.nodes.has('/maas/yarn')).toBe(false);
  });
});

describe('a ZooKeeper that was restored', () => {
  it('gives requests again that were done: they are not done again', async () => {
    const world = new QueueWorld();
    const paths = [world.enqueue(add('dga', 2)), world.enqueue(add('dga')), world.enqueue(remove('dga'))];
    const backup = paths.map((path) => [path, world.nodes.get(path)] as const);
    await worked(world);
    for (const [path, node] of backup) if (node !== undefined) world.nodes.set(path, node);
    await worked(world);
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 2 });
    expect(world.queued()).toEqual([]);
    expect(rejectedRequests(world.record ?? {})).toEqual([]);
  });

  it('gives the same transactions out again: those are other requests', async () => {
    const world = new QueueWorld();
    const path = world.enqueue(add('dga', 2));
    const node = world.nodes.get(path);
    await worked(world);
    if (node !== undefined) world.nodes.set(path, { ...node, ctime: node.ctime + 1 });
    await worked(world);
    expect(world.instances()).toEqual({ 'fraud/dga-1.0': 4 });
  });
});

/** Requests for few models, so that they meet. */
const someRequest = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 4 })).map(([n, i]) => add(n, i)),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 4 })).map(([n, i]) => remove(n, i)),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>('null', '{"x":1}', 'broken', add('theirs'), add('a', 0)) },
);
const someCrash = fc.record({ at: fc.constantFrom(...failPoints), nth: fc.integer({ min: 1, max: 3 }) });

describe('whatever is asked, and wherever it is killed', () => {
  it('writes only between two fail points, and gets to all of them', async () => {
    const world = new QueueWorld(some);
    for (const request of [add('a', 2), remove('a'), remove('a'), 'null', add('theirs')]) world.enqueue(request);
    world.put(`${world.enqueue('broken')}/below`, '');
    await worked(world);
    expect(world.queued()).toEqual([]);
    expect([...world.reached].sort()).toEqual([...failPoints].sort());
    expect(world.bare).toBe(0);
  });

  it('ends where it would have ended without, and no request has two effects', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someRequest, { minLength: 1, maxLength: 8 }),
        fc.array(someCrash, { maxLength: 8 }),
        async (requests, crashes) => {
          const calm = new QueueWorld(some);
          const rough = new QueueWorld(some);
          for (const request of requests) for (const world of [calm, rough]) world.enqueue(request);
          await worked(calm);
          for (const { at, nth } of crashes) {
            const operator = rough.start(at, nth);
            await operator.rests();
            await operator.stop();
          }
          await worked(rough);
          expect(rough.queued()).toEqual([]);
          expect(rough.instances()).toEqual(calm.instances());
          expect(rough.queued('/maas/yarn')).toEqual(calm.queued('/maas/yarn'));
          expect(rough.effects).toEqual(calm.effects);
          expect(rough.record).toEqual(calm.record);
          expect(new Set(rough.effects.map(({ id }) => id)).size).toBe(rough.effects.length);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('never touches what somebody made in place of what it removed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...failPoints), fc.boolean(), async (at, recreated) => {
        const world = new QueueWorld();
        world.apply('dga-1.0', { model: 'dga', instances: 2 });
        world.enqueue(remove('dga', 2));
        const operator = world.start(at);
        await operator.rests();
        await operator.stop();
        const gone = !world.models.has('fraud/dga-1.0');
        if (gone && recreated) world.apply('dga-1.0', { model: 'dga', instances: 7 });
        await worked(world);
        expect(world.queued()).toEqual([]);
        expect(world.instances()).toEqual(gone && recreated ? { 'fraud/dga-1.0': 7 } : {});
        expect(rejectedRequests(world.record ?? {})).toEqual([]);
      }),
    );
  });

  it('leaves a resource that somebody gave instances while it was about to go', async () => {
    for (const at of ['after-empty', 'after-remember', 'before-delete'] as const) {
      const world = new QueueWorld();
      world.apply('dga-1.0', { model: 'dga', instances: 2 });
      world.enqueue(remove('dga', 2));
      const operator = world.start(at);
      await operator.rests();
      await operator.stop();
      expect(operator.crashed()).toBe(true);
      world.scale('fraud/dga-1.0', 5);
      await worked(world);
      expect(world.instances()).toEqual({ 'fraud/dga-1.0': 5 });
      expect(world.queued()).toEqual([]);
    }
  });
});
