import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, settle } from '../../test/builders/manual-clock.ts';
import { SharedLooks } from './shared-looks.ts';

const everyMs = 250;

function setUp(parallel = 8) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const looks = new SharedLooks({ clock, parallel, everyMs, signal: stop.signal });
  return { clock, stop, looks };
}

describe('looks that many want at once', () => {
  it('begin after everybody has asked whom they answer, and never twice at once, whatever the order', async () => {
    const happening = fc.oneof(
      fc.record({ do: fc.constant('ask' as const), question: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ do: fc.constant('answer' as const), which: fc.nat(10), fails: fc.boolean() }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 100, everyMs) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 80 }),
        fc.integer({ min: 1, max: 3 }),
        async (life, parallel) => {
          const { clock, looks } = setUp(parallel);
          let turn = 0;
          const begun = new Map<string, number[]>();
          const open: { question: string; end: (fails: boolean) => void }[] = [];
          const answered: Promise<void>[] = [];
          const ask = (question: string) => {
            const asked = ++turn;
            const look = () => {
              const at = ++turn;
              expect(open.some((one) => one.question === question)).toBe(false);
              expect(open.length).toBeLessThan(parallel);
              const before = begun.get(question) ?? [];
              expect(clock.monotonic() - (before.at(-1) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(everyMs);
              begun.set(question, [...before, clock.monotonic()]);
              return new Promise<number>((resolve, reject) => {
                const one = {
                  question,
                  end: (fails: boolean) => {
                    open.splice(open.indexOf(one), 1);
                    if (fails) reject(Object.assign(new Error('away'), { at }));
                    else resolve(at);
                  },
                };
                open.push(one);
              });
            };
            answered.push(
              looks.ask(question, look).then(
                (at) => expect(at).toBeGreaterThan(asked),
                (error: { at: number }) => expect(error.at).toBeGreaterThan(asked),
              ),
            );
          };
          for (const each of life) {
            if (each.do === 'ask') ask(each.question);
            else if (each.do === 'pass') await clock.advance(each.ms);
            else open[each.which % Math.max(1, open.length)]?.end(each.fails);
            await settle();
          }
          // Nobody is left without an answer.
          for (let rounds = 0; rounds < 10; rounds++) {
            for (const one of [...open]) one.end(false);
            await clock.advance(everyMs);
          }
          await Promise.all(answered);
          expect(clock.sleepers).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are one for all who ask before it begins', async () => {
    const { clock, looks } = setUp();
    let count = 0;
    const look = async () => ++count;
    const ask = () => Promise.all(Array.from({ length: 100 }, () => looks.ask('a', look)));
    expect(new Set(await ask())).toEqual(new Set([1]));
    const later = ask();
    await settle();
    expect(count).toBe(1);
    await clock.advance(everyMs);
    expect(new Set(await later)).toEqual(new Set([2]));
  });

  it('do not begin once nobody waits any more', async () => {
    const { stop, looks } = setUp(1);
    const first = Promise.withResolvers<string>();
    const one = looks.ask('a', () => first.promise);
    let begun = false;
    const other = looks.ask('b', async () => {
      begun = true;
    });
    await settle();
    stop.abort(new Error('over'));
    first.resolve('done');
    expect(await one).toBe('done');
    await expect(other).rejects.toThrow('over');
    expect(begun).toBe(false);
  });
});
