/** Payloads are followed in a world that answers in any order, late, twice over, or never. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPayload } from '../../test/builders/model-deployment.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import {
  type Action,
  dueAt,
  type Event,
  type Result,
  type State,
  step,
  type WantedPayload,
} from './payload-following.ts';

const checkMs = 60_000;
type Work = Exclude<Action, { readonly do: 'tell' }>;

const payloads = ['sha256:aa', 'sha256:bb'].map((digest) => aPayload({ digest }));
const copies = payloads.map((payload) => ({ ...payload, path: '/store/aa', copiedFrom: payload.path }));
const problem = { code: 'HDFS_UNREACHABLE' as const, message: 'away', next: 'Wait.' };

/** A ModelDeployment's payload, and what is under way for it. */
class World {
  at = 0;
  state: State | undefined;
  /** Actions whose results are owed, of whatever turn. */
  open: Work[] = [];
  told = 0;

  hear(event: Event): readonly Action[] {
    const before = this.state;
    const next = step(before, event, this.at, checkMs);
    if (next === undefined) return [];
    this.state = next.state;
    for (const action of next.actions) {
      if (action.do === 'tell') this.told += 1;
      else this.open.push(action);
    }
    return next.actions;
  }

  /** Those of the version that is followed now. */
  get current(): Work[] {
    return this.open.filter(({ turn }) => turn === this.state?.turn);
  }

  answer(action: Work, outcome: { readonly fails: boolean; readonly which: 0 | 1; readonly damaged: boolean }) {
    this.open.splice(this.open.indexOf(action), 1);
    return this.hear(resultOf(action, outcome));
  }
}

function resultOf(action: Work, { fails, which, damaged }: { fails: boolean; which: 0 | 1; damaged: boolean }): Result {
  const { turn } = action;
  if (fails) return { type: 'failed', turn, problem, transient: true };
  const drift = damaged ? 'run.sh is gone' : undefined;
  switch (action.do) {
    case 'resolve':
      return { type: 'found', turn, payload: payloads[which] ?? aPayload() };
    case 'keep':
      return { type: 'kept', turn, payload: copies[which] ?? aPayload() };
    case 'mend':
      return { type: 'mended', turn };
    case 'compare':
      return { type: 'compared', turn, drift };
  }
}

const wanted: fc.Arbitrary<WantedPayload> = fc.record(
  {
    path: fc.constantFrom('/m', '/other'),
    readFrom: fc.constantFrom('Store' as const, 'Path' as const),
    completeAt: fc.constantFrom(undefined, 7),
  },
  { requiredKeys: ['path', 'readFrom'] },
);
const pinned: fc.Arbitrary<PinnedPayload | undefined> = fc.constantFrom(undefined, payloads[0], copies[0], copies[1]);
const outcome = fc.record({
  fails: fc.boolean(),
  which: fc.constantFrom(0 as const, 1 as const),
  damaged: fc.boolean(),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;
const happening = fc.oneof(
  fc.record({ do: fc.constant('want' as const), wanted, pinned }),
  fc.record({ do: fc.constant('copy' as const) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 1_000, 20_000, 60_000) }),
  fc.record({ do: fc.constant('answer' as const), which: fc.nat(), outcome }),
  fc.record({ do: fc.constant('tick' as const) }),
  fc.record({ do: fc.constant('progress' as const) }),
  fc.record({ do: fc.constant('forget' as const) }),
);

function play(world: World, happenings: readonly Happening[], after: () => void) {
  for (const each of happenings) {
    if (each.do === 'want') world.hear({ type: 'want', wanted: each.wanted, pinned: each.pinned });
    else if (each.do === 'copy') world.hear({ type: 'copy' });
    else if (each.do === 'tick') world.hear({ type: 'tick' });
    else if (each.do === 'pass') world.at += each.ms;
    else if (each.do === 'forget') world.state = undefined;
    else if (each.do === 'progress') {
      const keeping = world.open.find((action) => action.do === 'keep');
      if (keeping !== undefined) world.hear({ type: 'progress', turn: keeping.turn, bytesDone: 1, bytesTotal: 2 });
    } else {
      const action = world.open[each.which % Math.max(1, world.open.length)];
      if (action !== undefined) world.answer(action, each.outcome);
    }
    after();
  }
}

const lives = fc.array(happening, { maxLength: 60 });

describe('following a payload, whatever happens in whatever order', () => {
  it('does one thing at a time, and always something while it says so', () => {
    fc.assert(
      fc.property(
        lives.filter((life) => life.every((each) => each.do !== 'forget')),
        (life) => {
          const world = new World();
          play(world, life, () => {
            expect(world.current).toHaveLength(world.state?.work === undefined ? 0 : 1);
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('begins a look as soon as one is due, by the time alone or in a pass, and none before', () => {
    fc.assert(
      fc.property(lives, wanted, pinned, fc.boolean(), (life, version, pin, ticks) => {
        const world = new World();
        play(world, life, () => {});
        world.hear({ type: 'want', wanted: version, pinned: pin });
        for (let look = 0; look < 3; look++) {
          for (const action of world.current) world.answer(action, { fails: look === 1, which: 0, damaged: false });
          for (const action of world.current) world.answer(action, { fails: look === 1, which: 0, damaged: false });
          const due = (dueAt(world.state) ?? Number.NaN) - world.at;
          expect(due).toBeLessThanOrEqual(checkMs);
          if (due > 0) {
            world.at += due - 1;
            expect(world.hear({ type: 'want', wanted: version, pinned: pin })).toEqual([]);
            expect(world.hear({ type: 'tick' })).toEqual([]);
            world.at += 1;
          }
          const [action] = world.hear(ticks ? { type: 'tick' } : { type: 'want', wanted: version, pinned: pin });
          expect(action?.do).toBe(pin === undefined ? 'resolve' : 'compare');
        }
      }),
      { numRuns: 200 },
    );
  });

  it('compares all that are at one path at the same moments, whenever they were pinned', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 10 }), fc.string(), (times, path) => {
        const moments = times.map((at) => {
          const world = new World();
          world.at = at;
          world.hear({ type: 'want', wanted: { path }, pinned: payloads[0] });
          for (const action of world.current) world.answer(action, { fails: false, which: 0, damaged: false });
          return (dueAt(world.state) ?? Number.NaN) % checkMs;
        });
        expect(new Set(moments).size).toBe(1);
      }),
    );
  });

  it('takes nothing from what is told late of another version', () => {
    fc.assert(
      fc.property(lives, outcome, (life, late) => {
        const world = new World();
        play(
          world,
          life.filter((each) => each.do !== 'forget'),
          () => {},
        );
        const before = world.state;
        for (const action of world.open.filter(({ turn }) => turn !== before?.turn)) {
          expect(world.answer(action, late)).toEqual([]);
          expect(world.state).toBe(before);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('begins nothing, and tells nothing, for what nobody wants', () => {
    fc.assert(
      fc.property(lives, outcome, (life, late) => {
        const world = new World();
        play(world, life, () => {});
        world.state = undefined;
        for (const action of [...world.open]) expect(world.answer(action, late)).toEqual([]);
        expect([world.hear({ type: 'copy' }), world.hear({ type: 'tick' }), world.state]).toEqual([[], [], undefined]);
      }),
      { numRuns: 100 },
    );
  });

  it('copies only when it is told to, but for what it has copied already', () => {
    fc.assert(
      fc.property(
        lives.filter((life) => life.every((each) => each.do !== 'copy')),
        (life) => {
          const world = new World();
          play(world, life, () =>
            expect(world.open.filter(({ do: what }) => what === 'keep' || what === 'mend')).toEqual([]),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('tells of everything that it found out', () => {
    fc.assert(
      fc.property(lives, (life) => {
        const world = new World();
        let seen = world.state?.view;
        let turn = world.state?.turn;
        let told = 0;
        play(world, life, () => {
          const { state } = world;
          if (state === undefined || state.turn !== turn) seen = state?.view;
          else if (state.work === undefined && JSON.stringify(state.view) !== JSON.stringify(seen)) {
            expect(world.told).toBeGreaterThan(told);
            seen = state.view;
          }
          turn = state?.turn;
          told = world.told;
        });
      }),
      { numRuns: 300 },
    );
  });

  it('tries less and less often what cannot be copied, although it is found each time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 15 }), (attempts) => {
        const world = new World();
        const want = () => world.hear({ type: 'want', wanted: { path: '/m', readFrom: 'Store' }, pinned: undefined });
        const waits: number[] = [];
        for (let attempt = 0; attempt < attempts; attempt++) {
          const [look] = want();
          if (look?.do !== 'resolve') return expect.unreachable('no look was begun');
          world.answer(look, { fails: false, which: 0, damaged: false });
          const [keep] = world.hear({ type: 'copy' });
          if (keep?.do !== 'keep') return expect.unreachable('nothing is copied');
          world.answer(keep, { fails: true, which: 0, damaged: false });
          expect(world.hear({ type: 'copy' })).toEqual([]);
          waits.push((dueAt(world.state) ?? Number.NaN) - world.at);
          world.at += waits.at(-1) ?? 0;
        }
        expect(waits).toEqual(waits.map((_, n) => Math.min(1_000 * 1.5 ** n, 20_000)));
      }),
    );
  });
});
