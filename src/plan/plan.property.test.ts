import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noSuchImage, PlannerWorld } from '../../test/builders/planner-world.ts';
import { errorCatalogue } from '../contracts/error-catalogue.ts';
import { type Mode, modes } from '../contracts/modes.ts';
import { reasonCatalogue } from '../contracts/reason-catalogue.ts';
import { heardReasonOf } from '../contracts/reasons.ts';
import { keyOf } from './children.ts';
import { neededInstances } from './handover.ts';

const paths = ['/models/dga', '/models/dga-2', '/models/missing'];

const rollouts = [
  { strategy: 'Switch' as const },
  { strategy: 'Switch' as const, minReady: 1 },
  { strategy: 'Switch' as const, minReady: '50%' },
  { strategy: 'Surge' as const },
  { strategy: 'Immediate' as const },
];

/** What may happen between two passes. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('reconcile' as const), crashAfter: fc.option(fc.nat(3)) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('controller' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('come-up' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mode' as const), mode: fc.constantFrom(...modes) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('obey' as const), index: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose-holds' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('zookeeper' as const), away: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tamper' as const), index: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('upload' as const), path: fc.constantFrom(...paths) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('overwrite' as const), path: fc.constantFrom(...paths) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recreate' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      version: fc.constantFrom('1.0', '2.0', '3.0'),
      path: fc.constantFrom(...paths.slice(0, 2)),
      readFrom: fc.constantFrom(undefined, 'Path' as const, 'Store' as const),
      instances: fc.integer({ min: 1, max: 3 }),
      memory: fc.constantFrom('512Mi', '1Gi'),
      image: fc.constantFrom('good:1', noSuchImage),
      rollout: fc.constantFrom(undefined, ...rollouts),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function perform(world: PlannerWorld, action: Step): void {
  switch (action.do) {
    case 'reconcile':
      world.reconcile(action.crashAfter ?? undefined);
      return;
    case 'controller':
      world.controllerStep();
      return;
    case 'come-up':
      world.comeUp(action.index);
      return;
    case 'mode':
      world.setMode(action.mode);
      return;
    case 'obey':
      world.obey(action.index);
      return;
    case 'hear':
      world.hear(action.index);
      return;
    case 'lose-holds':
      world.published = undefined;
      return;
    case 'kill':
      world.kill(action.index);
      return;
    case 'zookeeper':
      world.zookeeperAway = action.away;
      return;
    case 'tamper':
      world.tamper(action.index);
      return;
    case 'upload':
      world.payloadsInHdfs.add(action.path);
      return;
    case 'overwrite':
      world.overwrite(action.path);
      return;
    case 'evict':
      world.evict(action.index);
      return;
    case 'recreate':
      world.recreate();
      return;
    case 'change': {
      const { version, path, readFrom, instances, memory, image, rollout } = action;
      const payload = { path, ...(readFrom === undefined ? {} : { readFrom }) };
      world.change({ version, payload, instances, memory, image, rollout });
    }
  }
}

const steps = fc.array(step, { maxLength: 60 });

describe('the planner, in a world that may do anything between two passes', () => {
  it('never takes the last endpoint away from a model that is served', () => {
    fc.assert(
      fc.property(steps, (actions) => {
        const world = new PlannerWorld();
        // Since the last whole pass: what was told to agents may be of a world that is no more.
        let hurt = false;
        for (const action of actions) {
          const before = world.served().length;
          perform(world, action);
          if (action.do === 'reconcile') hurt = false;
          // A mode takes endpoints away on purpose, and so does who deletes the resource.
          if (['kill', 'obey', 'evict', 'recreate', 'mode'].includes(action.do)) {
            hurt = true;
            continue;
          }
          if (hurt && action.do === 'hear') continue;
          if (before > 0) expect(world.served().length, `after ${JSON.stringify(action)}`).toBeGreaterThan(0);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('lets clients see a version that takes the place of another once enough of its instances answer, and the other until then', () => {
    const turn = fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom('reconcile', 'controller', 'come-up', 'hear') },
      { weight: 2, arbitrary: fc.constantFrom('crash', 'lose-holds') },
      { weight: 1, arbitrary: fc.constantFrom('2.0', '3.0', '1.0', 'more', 'fewer') },
    );
    const asked = fc.constantFrom(...rollouts.filter(({ strategy }) => strategy !== 'Immediate'));
    let switches = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        asked,
        fc.array(turn, { minLength: 50, maxLength: 250, size: 'max' }),
        (instances, rollout, turns) => {
          const world = new PlannerWorld();
          world.change({ instances, rollout });
          world.settle();
          world.change({ version: '2.0' });
          const seen = () => {
            const key = keyOf(world.resource.spec);
            const [wanted, others] = [world.served(), world.served()].map((all, index) =>
              all.filter(({ view }) => (view.versionKey === key) === (index === 0)),
            );
            return { key, wanted: wanted?.length ?? 0, others: others?.length ?? 0 };
          };
          for (const what of turns) {
            const before = seen();
            if (what === 'reconcile') world.reconcile();
            if (what === 'crash') world.reconcile(1);
            if (what === 'controller') world.controllerStep();
            if (what === 'come-up') world.comeUp(0);
            if (what === 'hear') world.hear(0);
            if (what === 'lose-holds') world.published = undefined;
            if (/^[0-9]/.test(what)) world.change({ version: what });
            if (what === 'more') world.change({ instances: world.resource.spec.instances + 1 });
            if (what === 'fewer') world.change({ instances: Math.max(1, world.resource.spec.instances - 1) });
            const now = seen();
            expect(now.wanted + now.others, what).toBeGreaterThan(0);
            if (now.key !== before.key || before.wanted > 0 || before.others === 0 || now.wanted === 0) continue;
            // The first of a version that others are there for: what decided it may be a scaling ago.
            const ready = [...world.pods.values()].filter(
              ({ view }) => view.versionKey === now.key && view.ready && !view.deleting,
            ).length;
            switches += 1;
            const { spec } = world.resource;
            expect(ready, what).toBeGreaterThanOrEqual(
              Math.min(
                neededInstances({
                  ...spec,
                  instances: spec.instances - turns.filter((each) => each === 'more').length,
                }),
                neededInstances(spec),
              ),
            );
          }
        },
      ),
      { numRuns: 120 },
    );
    expect(switches).toBeGreaterThan(50);
  });

  it('never runs more than one instance beyond the wanted ones under Surge, and never serves with less than half', () => {
    const turn = fc.constantFrom('reconcile', 'controller', 'come-up', 'hear', 'crash');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(turn, { maxLength: 100 }), (instances, turns) => {
        const world = new PlannerWorld();
        world.change({ instances, rollout: { strategy: 'Surge' } });
        world.settle();
        world.change({ version: '2.0' });
        const living = () => [...world.pods.values()].filter(({ view }) => view.dead === undefined).length;
        const check = () => {
          expect(living()).toBeLessThanOrEqual(instances + 1);
          expect(world.served().length).toBeGreaterThanOrEqual(Math.ceil(instances / 2));
          // Nor does a drain of every node at once take the last one away.
          if (instances > 1) expect(world.served().length).toBeGreaterThan(world.evictable());
        };
        const isOut = () => {
          const { serving, registered, endpointsTotal } = world.resource.status;
          return serving === '2.0' && registered === instances && endpointsTotal === instances;
        };
        for (const what of turns) {
          if (what === 'reconcile') world.reconcile();
          if (what === 'crash') world.reconcile(1);
          if (what === 'controller') world.controllerStep();
          if (what === 'come-up') world.comeUp(0);
          if (what === 'hear') world.hear(0);
          check();
        }
        for (let rest = 0; rest < 200 && !isOut(); rest += 1) {
          world.reconcile();
          world.controllerStep();
          world.hear(0);
          world.comeUp(0);
          check();
        }
        expect(isOut(), JSON.stringify(world.resource.status)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('says Serving only of a model all of whose instances serve the present spec and the digest that the status names', () => {
    fc.assert(
      fc.property(steps, (actions) => {
        const world = new PlannerWorld();
        for (const action of actions) {
          perform(world, action);
          const { status } = world.reconcile();
          const ready = status.conditions?.find((condition) => condition.type === 'Ready');
          if (ready?.reason !== 'Serving') continue;
          const { spec } = world.resource;
          const served = world
            .served()
            .filter(({ view }) => view.versionKey === keyOf(spec) && view.dead === undefined);
          expect(served.length, ready.message).toBe(spec.instances);
          const [deployment] = [...world.deployments.values()].filter((each) => each.versionKey === keyOf(spec));
          for (const pod of served) {
            expect(pod.runs).toBe(status.payload?.digest);
            expect(pod.template).toBe(JSON.stringify(deployment?.spec['template']));
            expect(pod.template).toContain(`"memory":"${spec.memory}"`);
            if (spec.image !== undefined) expect(pod.image).toBe(spec.image);
          }
          expect(status.payload?.verified).toBe(spec.instances);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('never leaves the living out of the status for the dead', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 3 }), (deaths, instances) => {
        const world = new PlannerWorld();
        world.change({ instances });
        world.settle();
        for (let death = 0; death < deaths; death++) {
          world.evict(death);
          world.controllerStep();
          world.comeUp(0);
        }
        world.settle();
        const { status } = world.resource;
        expect(status).toMatchObject({ endpointsTotal: instances, replicas: instances, registered: instances });
        expect(status.endpoints?.map(({ state }) => state)).toEqual(Array(instances).fill('Registered'));
        const ready = status.conditions?.find((condition) => condition.type === 'Ready');
        expect([ready?.reason, ready?.message]).toEqual(['Serving', `${instances} of ${instances} registered`]);
        world.change({ version: '2.0', payload: { path: '/models/dga-2' } });
        world.payloadsInHdfs.add('/models/dga-2');
        world.settle();
        expect(world.pins.size).toBe(1);
      }),
      { numRuns: 30 },
    );
  });

  it('says only what is in the catalogues, each condition and event in one line', () => {
    const known = new Set([...Object.keys(reasonCatalogue), ...Object.keys(errorCatalogue).map(heardReasonOf)]);
    fc.assert(
      fc.property(steps, (actions) => {
        const world = new PlannerWorld();
        for (const action of actions) {
          perform(world, action);
          const { status, events } = world.reconcile();
          const said = [
            ...(status.conditions ?? []).map(({ reason, message }) => ({ reason, message })),
            ...(status.endpoints ?? []).map(({ state }) => ({ reason: state, message: '' })),
            ...events,
          ];
          for (const { reason, message } of said) {
            expect(known).toContain(reason);
            expect(message).not.toMatch(/\p{Cc}/u);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('deletes nothing while ZooKeeper cannot be asked', () => {
    fc.assert(
      fc.property(steps, (actions) => {
        const world = new PlannerWorld();
        for (const action of actions) perform(world, action);
        world.zookeeperAway = true;
        expect(world.reconcile().remove.filter((child) => child.kind === 'Deployment')).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('comes to one Deployment and one pin of the wanted version with all instances served, and then writes nothing', () => {
    fc.assert(
      fc.property(steps, (actions) => {
        const world = new PlannerWorld();
        for (const action of actions) perform(world, action);
        world.payloadsInHdfs.add(world.resource.spec.payload.path);
        world.change({ image: 'good:1' });
        world.setMode('active');
        world.settle();
        const key = keyOf(world.resource.spec);
        expect([...world.deployments.values()].map((deployment) => deployment.versionKey)).toEqual([key]);
        expect([...world.pins.values()].map((pin) => pin.versionKey)).toEqual([key]);
        const [pin] = world.pins.values();
        expect(new Set(world.served().map(({ runs }) => runs))).toEqual(new Set([pin?.payload?.digest]));
        expect(world.served().length).toBe(world.resource.spec.instances);
        expect(world.resource.status).toMatchObject({
          registered: world.resource.spec.instances,
          updated: world.resource.spec.instances,
          endpointsTotal: world.resource.spec.instances,
          serving: world.resource.spec.version,
          observedGeneration: world.resource.metadata.generation,
        });
        const writes = world.writes;
        const wanted = world.reconcile();
        expect(world.writes).toBe(writes);
        expect([wanted.copyPayload, wanted.apply, wanted.remove, wanted.events]).toEqual([false, [], [], []]);
      }),
      { numRuns: 300 },
    );
  });

  it('comes to the same without registrations in shadow and drain, and goes on from there without a restart', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom<Mode>('shadow', 'drain'), (actions, mode) => {
        const world = new PlannerWorld();
        for (const action of actions) perform(world, action);
        world.payloadsInHdfs.add(world.resource.spec.payload.path);
        world.change({ image: 'good:1' });
        world.setMode(mode);
        world.settle();
        const key = keyOf(world.resource.spec);
        expect([...world.deployments.values()].map((deployment) => deployment.versionKey)).toEqual([key]);
        expect(world.served()).toEqual([]);
        const { instances } = world.resource.spec;
        expect(world.resource.status).toMatchObject({ ready: instances, registered: 0 });
        const ready = world.resource.status.conditions?.find((condition) => condition.type === 'Ready');
        expect([ready?.status, ready?.reason]).toEqual(['True', mode === 'shadow' ? 'Shadow' : 'Draining']);
        const pods = [...world.pods.values()].filter(({ view }) => view.dead === undefined).map(({ view }) => view.uid);
        world.setMode('active');
        world.settle();
        expect(world.served().map(({ view }) => view.uid)).toEqual(pods);
      }),
      { numRuns: 200 },
    );
  });

  it('writes nothing but the status while it only observes, and says so', () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const world = new PlannerWorld();
        for (const action of before) perform(world, action);
        world.setMode('observe');
        for (const action of after) {
          if (action.do === 'mode') continue;
          perform(world, action);
          const wanted = world.reconcile();
          expect([wanted.copyPayload, wanted.apply, wanted.remove]).toEqual([false, [], []]);
          expect(wanted.status.conditions?.find((condition) => condition.type === 'Ready')?.reason).toBe('Observed');
        }
      }),
      { numRuns: 100 },
    );
  });

  it('writes nothing but the status while it is paused, says so, and ends where it would have ended', () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const world = new PlannerWorld();
        for (const action of before) perform(world, action);
        world.change({ paused: true });
        world.reconcile();
        const deployments = JSON.stringify([...world.deployments.values()].map(({ uid, spec }) => [uid, spec]));
        for (const action of after) {
          // A predecessor's children go with it, and somebody else may change them.
          if (['recreate', 'tamper', 'controller'].includes(action.do)) continue;
          perform(world, action);
          const wanted = world.reconcile();
          expect([wanted.copyPayload, wanted.apply, wanted.remove, wanted.protect]).toEqual([false, [], [], []]);
          const reconciling = wanted.status.conditions?.find(({ type }) => type === 'Reconciling');
          expect([reconciling?.status, reconciling?.reason]).toEqual(['False', 'Paused']);
          expect(wanted.status.observedGeneration).toBe(world.resource.metadata.generation);
        }
        expect(JSON.stringify([...world.deployments.values()].map(({ uid, spec }) => [uid, spec]))).toBe(deployments);
        world.payloadsInHdfs.add(world.resource.spec.payload.path);
        world.change({ image: 'good:1', paused: false });
        world.setMode('active');
        world.settle();
        expect(world.served().map(({ view }) => view.versionKey)).toEqual(
          Array(world.resource.spec.instances).fill(keyOf(world.resource.spec)),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('says once that it is paused, and once that it goes on', () => {
    const world = new PlannerWorld();
    world.settle();
    const said = (paused: boolean) => {
      world.change({ paused });
      return [...world.reconcile().events, ...world.reconcile().events].map(({ type, reason }) => `${type} ${reason}`);
    };
    expect([said(true), said(false)]).toEqual([['Normal Paused'], ['Normal Resumed']]);
  });

  it('pins a copy in the payload store where instances read from there, and the path itself where they do not', () => {
    fc.assert(
      fc.property(steps, (actions) => {
        const world = new PlannerWorld();
        for (const action of actions) {
          perform(world, action);
          const { payload } = world.resource.spec;
          const pin = [...world.pins.values()].find(({ versionKey }) => versionKey === keyOf(world.resource.spec));
          if (pin?.payload !== undefined) {
            expect(pin.payload.path).toBe(payload.readFrom === 'Store' ? `/store${payload.path}` : payload.path);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('ends where it began when a change is taken back: A, B, A is A', () => {
    fc.assert(
      fc.property(steps, fc.nat(20), (actions, interrupt) => {
        const world = new PlannerWorld();
        world.settle();
        const names = [...world.deployments.keys()];
        const uids = [...world.deployments.values()].map((deployment) => deployment.uid);
        const { spec } = world.resource;
        world.change({ version: '9.9', payload: { path: '/models/dga-2' } });
        world.payloadsInHdfs.add('/models/dga-2');
        // Not so long that the switch can finish: the way back would then be a new start.
        for (const action of actions.slice(0, interrupt)) {
          const { do: what } = action;
          const ends: string[] = ['change', 'come-up', 'kill', 'evict', 'recreate', 'overwrite', 'mode'];
          if (!ends.includes(what)) perform(world, action);
        }
        world.change(spec);
        world.settle();
        expect([...world.deployments.keys()]).toEqual(names);
        expect([...world.deployments.values()].map((deployment) => deployment.uid)).toEqual(uids);
      }),
      { numRuns: 200 },
    );
  });

  it('changes no pod when only the operator is upgraded', () => {
    const world = new PlannerWorld();
    world.settle();
    const templates = [...world.deployments.values()].map((deployment) => JSON.stringify(deployment.spec));
    world.settings = {
      ...world.settings,
      agent: { ...world.settings.agent, image: 'maas-operator:2' },
      model: { ...world.settings.model, image: 'maas-runtime:2' },
    };
    world.settle();
    expect([...world.deployments.values()].map((deployment) => JSON.stringify(deployment.spec))).toEqual(templates);
    world.change({ memory: '1Gi' });
    world.settle();
    const [deployment] = world.deployments.values();
    expect(JSON.stringify(deployment?.spec)).toContain('maas-operator:2');
  });
});
