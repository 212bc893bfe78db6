/** Many resources of few payloads, in an HDFS that changes, goes away and is slow: what each of them is told in the end. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock } from '../../test/builders/manual-clock.ts';
import { aPayload } from '../../test/builders/model-deployment.ts';
import { MaasError } from '../contracts/errors.ts';
import { PayloadWatch } from './payload-watch.ts';

const checkMs = 60_000;
/** A look waits for the one before it, and that a moment after its beginning. */
const looksMs = 1_000;
const paths = ['/models/dga', '/models/echo', '/user/maas/spam'] as const;

class World {
  readonly clock = new ManualClock();
  readonly followed = new Map<string, string>();
  readonly changed = new Set<string>();
  away = false;
  looks: { readonly path: string; readonly at: number }[] = [];
  readonly #open = new Set<string>();
  readonly watch: PayloadWatch;

  constructor() {
    const look = async (path: string) => {
      expect(this.#open.has(path)).toBe(false);
      this.#open.add(path);
      this.looks.push({ path, at: this.clock.monotonic() });
      const { away } = this;
      const drift = this.changed.has(path) ? 'run.sh has other content' : undefined;
      await this.clock.sleep(100);
      this.#open.delete(path);
      if (away) throw new MaasError('HDFS_UNREACHABLE', 'away');
      return drift;
    };
    const payloads = {
      resolve: async () => aPayload(),
      keep: async () => aPayload(),
      mend: async () => {},
      drift: ({ path }: { readonly path: string }) => look(path),
      originalDrift: async () => undefined,
      sweep: async () => [],
    };
    this.watch = new PayloadWatch(payloads, this.clock, checkMs, () => {});
  }

  /** As a pass does; every resource has a pin of its own. */
  pin(uid: string, path: string): void {
    this.followed.set(uid, path);
    this.watch.want(uid, { path }, aPayload({ path }));
  }

  forget(uid: string): void {
    this.followed.delete(uid);
    this.watch.forget(uid);
  }
}

const uid = fc.constantFrom('u1', 'u2', 'u3', 'u4', 'u5', 'u6');
const path = fc.constantFrom(...paths);
const happening = fc.oneof(
  fc.record({ do: fc.constant('pin' as const), uid, path }),
  fc.record({ do: fc.constant('forget' as const), uid }),
  fc.record({ do: fc.constant('change' as const), path }),
  fc.record({ do: fc.constant('turn' as const), away: fc.boolean() }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 250, 5_000, 20_000, 61_000) }),
);

async function play(life: readonly (typeof happening extends fc.Arbitrary<infer T> ? T : never)[]): Promise<World> {
  const world = new World();
  for (const each of life) {
    if (each.do === 'pin') world.pin(each.uid, each.path);
    else if (each.do === 'forget') world.forget(each.uid);
    else if (each.do === 'change') world.changed.add(each.path);
    else if (each.do === 'turn') world.away = each.away;
    else await world.clock.advance(each.ms);
  }
  return world;
}

it('every resource is told within the time that is promised, whoever else is at its path', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (life) => {
      const world = await play(life);
      world.away = false;
      await world.clock.advance(checkMs + looksMs);
      for (const [one, at] of world.followed) {
        const drift = world.changed.has(at) ? { drift: 'run.sh has other content' } : {};
        expect(world.watch.view(one)).toEqual({ state: 'pinned', looked: true, ...drift });
      }
    }),
    { numRuns: 200 },
  );
});

it('a path is looked at once in each such time, however many are there, and not at all where nobody is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (life) => {
      const world = await play(life);
      world.away = false;
      await world.clock.advance(checkMs + looksMs);
      world.looks = [];
      await world.clock.advance(3 * checkMs);
      const followed = new Set(world.followed.values());
      for (const each of paths) {
        expect(world.looks.filter(({ path: at }) => at === each)).toHaveLength(followed.has(each) ? 3 : 0);
      }
    }),
    { numRuns: 100 },
  );
});

it('where HDFS is away it is asked less and less often, and never again once nobody leads', async () => {
  const world = new World();
  world.away = true;
  for (let n = 0; n < 50; n++) world.pin(`u${n}`, '/models/dga');
  await world.clock.advance(120_000);
  const waits = world.looks.map(({ at }, index) => at - (world.looks[index - 1]?.at ?? 0)).slice(1);
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits.at(-1)).toBeGreaterThanOrEqual(20_000);
  world.watch.stop();
  world.looks = [];
  await world.clock.advance(10 * checkMs);
  expect(world.looks).toEqual([]);
  expect(world.clock.sleepers).toBe(0);
});
