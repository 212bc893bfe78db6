import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/builders/manual-clock.ts';
import { Timetable } from './timetable.ts';

function setUp() {
  const clock = new ManualClock();
  const due: { key: string; at: number; told: number }[] = [];
  const timetable = new Timetable(clock, (key, at) => due.push({ key, at, told: clock.monotonic() }));
  return { clock, due, timetable };
}

describe('Timetable', () => {
  it('tells of each key at its last time and never again, whatever was said before', async () => {
    const saying = fc.oneof(
      fc.record({ do: fc.constant('set' as const), key: fc.constantFrom('a', 'b', 'c', 'd'), ms: fc.nat(50) }),
      fc.record({ do: fc.constant('delete' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(saying, { maxLength: 200 }), async (sayings) => {
        const { clock, due, timetable } = setUp();
        const expected = new Map<string, number>();
        for (const each of sayings) {
          if (each.do === 'set') {
            const at = clock.monotonic() + each.ms;
            timetable.set(each.key, at);
            expected.set(each.key, at);
          } else if (each.do === 'delete') {
            timetable.delete(each.key);
            expected.delete(each.key);
          } else await clock.advance(each.ms);
          for (const [key, at] of expected) {
            const told = due.filter((one) => one.key === key && one.at === at);
            // What is due now is told as soon as somebody lets time go on.
            if (at < clock.monotonic()) expect(told).toHaveLength(1);
            if (told.length > 0) expected.delete(key);
            else expect(timetable.at(key)).toBe(at);
          }
          expect(timetable.size).toBe(expected.size);
        }
        await clock.advance(100);
        expect(timetable.size).toBe(0);
        for (const { at, told } of due) expect(told).toBe(at);
        expect(due.map(({ at }) => at)).toEqual(due.map(({ at }) => at).toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it('tells of what is put in for the same time in that order', async () => {
    const { clock, due, timetable } = setUp();
    const keys = Array.from({ length: 100 }, (_, n) => `k${n}`);
    for (const key of keys) timetable.set(key, 10);
    await clock.advance(10);
    expect(due.map(({ key }) => key)).toEqual(keys);
  });

  it('lets others act in between, where what is due puts itself in again for now', async () => {
    const clock = new ManualClock();
    let rings = 0;
    const timetable: Timetable = new Timetable(clock, (key, at) => {
      if (++rings < 3) timetable.set(key, at);
    });
    timetable.set('a', 5);
    await clock.advance(5);
    expect(rings).toBe(3);
  });

  it('waits on one timer however many there are, and on none after it was stopped', async () => {
    const { clock, due, timetable } = setUp();
    for (let n = 100; n > 0; n--) timetable.set(`k${n}`, n);
    expect(clock.sleepers).toBe(1);
    timetable.stop();
    timetable.set('late', 1);
    await clock.advance(200);
    expect([due, clock.sleepers, timetable.size]).toEqual([[], 0, 0]);
  });

  it('forgets what was put off a thousand times over', async () => {
    const { clock, due, timetable } = setUp();
    for (let n = 1; n <= 1_000; n++) timetable.set('a', n);
    await clock.advance(1_000);
    expect(due.map(({ at }) => at)).toEqual([1_000]);
  });

  it('waits longer than a timer can', async () => {
    const { clock, due, timetable } = setUp();
    timetable.set('a', 40 * 86_400_000);
    await clock.advance(40 * 86_400_000);
    expect(due).toHaveLength(1);
  });
});
