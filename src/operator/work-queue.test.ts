import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, settle } from '../../test/builders/manual-clock.ts';
import { createWorkQueue, type Outcome, type Reconcile, type WorkQueueOptions } from './work-queue.ts';

/** A queue whose runs end when the test says so. */
function workshop(options: Partial<WorkQueueOptions & { reconcile: Reconcile }> = {}) {
  const clock = new ManualClock();
  const running = new Map<string, { end: (outcome?: Outcome) => void; fail: (error: Error) => void }>();
  const runs: string[] = [];
  const reconcile: Reconcile = (key) => {
    if (running.has(key)) throw new Error(`two workers on ${key}`);
    runs.push(key);
    return new Promise((resolve, reject) => {
      running.set(key, {
        end: (outcome) => {
          running.delete(key);
          resolve(outcome);
        },
        fail: (error) => {
          running.delete(key);
          reject(error);
        },
      });
    });
  };
  const queue = createWorkQueue({ workers: 2, clock, random: () => 1, ...options });
  const start = () => queue.start(options.reconcile ?? reconcile);
  return { clock, queue, start, running, runs };
}

describe('the work queue', () => {
  it('runs a key once, however often it is added', async () => {
    const { queue, runs, running, start } = workshop();
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(1);
    start();
    await settle();
    expect(runs).toEqual(['a']);
    expect([queue.depth, queue.active]).toEqual([0, 1]);
    running.get('a')?.end();
    await settle();
    expect([runs, queue.active]).toEqual([['a'], 0]);
  });

  it('never works on a key twice at once, and runs it again when it was added meanwhile', async () => {
    const { queue, runs, running, start } = workshop();
    start();
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('a');
    await settle();
    expect(runs).toEqual(['a']);
    running.get('a')?.end();
    await settle();
    expect(runs).toEqual(['a', 'a']);
    running.get('a')?.end();
    await settle();
    expect(runs).toEqual(['a', 'a']);
  });

  it('lets as many workers work as it has', async () => {
    const { queue, running, start } = workshop({ workers: 3 });
    start();
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await settle();
    expect([...running.keys()]).toEqual(['a', 'b', 'c']);
    running.get('b')?.end();
    await settle();
    expect([...running.keys()]).toEqual(['a', 'c', 'd']);
  });

  it('is fair: a key that is always busy waits behind the others', async () => {
    const { queue, runs, running, start } = workshop({ workers: 1 });
    start();
    queue.add('busy');
    await settle();
    for (const key of ['busy', 'a', 'b']) queue.add(key);
    for (let round = 0; round < 4; round++) {
      for (const run of running.values()) run.end();
      queue.add('busy');
      await settle();
    }
    expect(runs.slice(0, 4)).toEqual(['busy', 'a', 'b', 'busy']);
  });

  it('waits longer after each failure, up to a bound, and starts over after a success', async () => {
    const waits: number[] = [];
    let broken = true;
    const clock = new ManualClock();
    const queue = createWorkQueue({
      workers: 1,
      clock,
      random: () => 1,
      hooks: { failed: (_key, _error, _failures, retryInMs) => waits.push(retryInMs) },
    });
    queue.start(async () => {
      if (broken) throw new Error('broken');
      return undefined;
    });
    queue.add('a');
    await clock.advance(600_000);
    expect(waits.slice(0, 12)).toEqual([
      200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000,
    ]);
    broken = false;
    await clock.advance(60_000);
    const before = waits.length;
    broken = true;
    queue.add('a');
    await settle();
    expect(waits.slice(before)).toEqual([200]);
  });

  it('spreads the retries of keys that failed together', async () => {
    const waits: number[] = [];
    let seed = 0;
    const { clock, queue, start } = workshop({
      reconcile: () => Promise.reject(new Error('broken')),
      workers: 10,
      random: () => (1 + (seed++ % 10)) / 10,
      hooks: { failed: (_key, _error, _failures, retryInMs) => waits.push(retryInMs) },
    });
    start();
    for (let i = 0; i < 10; i++) queue.add(`k${i}`);
    await clock.advance(0);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...waits)).toBe(200);
    expect(new Set(waits).size).toBe(10);
  });

  it('does not let an event wait for a back-off', async () => {
    const { clock, queue, runs, running, start } = workshop();
    start();
    queue.add('a');
    await settle();
    running.get('a')?.fail(new Error('broken'));
    await clock.advance(10);
    expect([runs.length, queue.delayed]).toEqual([1, 1]);
    queue.add('a');
    await settle();
    expect(runs).toHaveLength(2);
  });

  it('takes the earliest of several delays', async () => {
    const { clock, queue, runs, start } = workshop();
    start();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 9_000);
    queue.addAfter('b', 500);
    await clock.advance(499);
    expect(runs).toEqual([]);
    await clock.advance(1);
    expect(runs).toEqual(['b']);
    await clock.advance(500);
    expect(runs).toEqual(['b', 'a']);
    expect(queue.delayed).toBe(0);
  });

  it('runs a key again whose delay ended while it was worked on', async () => {
    const { clock, queue, runs, running, start } = workshop();
    start();
    queue.addAfter('a', 100);
    queue.add('a');
    await clock.advance(100);
    running.get('a')?.end();
    await settle();
    expect(runs).toEqual(['a', 'a']);
  });

  it('looks again when the run asked for it', async () => {
    const { clock, queue, runs, running, start } = workshop();
    start();
    queue.add('a');
    await settle();
    running.get('a')?.end({ requeueAfterMs: 30_000 });
    await clock.advance(29_999);
    expect(runs).toEqual(['a']);
    await clock.advance(1);
    expect(runs).toEqual(['a', 'a']);
  });

  it('takes no time as now, infinity as never, and weeks as weeks', async () => {
    const { clock, queue, runs, start } = workshop({
      reconcile: async () => undefined,
      hooks: { started: (key) => runs.push(key) },
    });
    start();
    queue.addAfter('now', 0);
    queue.addAfter('past', -5);
    queue.addAfter('nonsense', Number.NaN);
    queue.addAfter('never', Number.POSITIVE_INFINITY);
    queue.addAfter('late', 40 * 24 * 3_600_000);
    await settle();
    expect(runs).toEqual(['now', 'past', 'nonsense']);
    await clock.advance(40 * 24 * 3_600_000);
    expect(runs).toEqual(['now', 'past', 'nonsense', 'late']);
  });

  it('stops: waits for who works, tells them, and hands out nothing more', async () => {
    const signals: AbortSignal[] = [];
    const done = Promise.withResolvers<Outcome | undefined>();
    const { clock, queue, start } = workshop({
      workers: 1,
      reconcile: (_key, signal) => {
        signals.push(signal);
        return done.promise;
      },
    });
    start();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await settle();
    let stopped = false;
    const stopping = queue.stop().then(() => {
      stopped = true;
    });
    queue.add('d');
    await clock.advance(1_000);
    expect(stopped).toBe(false);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    done.resolve({ requeueAfterMs: 1 });
    await stopping;
    await clock.advance(1_000);
    expect(signals).toHaveLength(1);
    expect([queue.depth, queue.delayed, queue.active, clock.sleepers]).toEqual([0, 0, 0, 0]);
  });

  it('tells its numbers, and survives a listener that fails', async () => {
    const told: string[] = [];
    const { clock, queue, running, start } = workshop({
      workers: 1,
      hooks: {
        added: (key) => told.push(`added ${key}`),
        started: (key, waitedMs) => {
          told.push(`started ${key} after ${waitedMs}`);
          throw new Error('a listener failed');
        },
        failed: (key, error, failures) => told.push(`failed ${key} ${String(error)} ${failures}`),
      },
    });
    start();
    queue.add('a');
    queue.add('b');
    await clock.advance(30);
    running.get('a')?.fail(new Error('x'));
    await settle();
    expect(told).toEqual(['added a', 'added b', 'started a after 0', 'failed a Error: x 1', 'started b after 30']);
  });

  it('survives a reconciler that throws at once', async () => {
    const failed: unknown[] = [];
    const { queue, start } = workshop({
      reconcile: () => {
        throw new Error('at once');
      },
      hooks: { failed: (_key, error) => failed.push(error) },
    });
    start();
    queue.add('a');
    await settle();
    expect(String(failed[0])).toContain('at once');
    expect(queue.active).toBe(0);
  });

  it('has never two workers on a key, and loses no key, whatever happens', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const action = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key }),
      fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 3_000 }) }),
      fc.record({ do: fc.constant('end' as const), key, again: fc.option(fc.integer({ min: 0, max: 3_000 })) }),
      fc.record({ do: fc.constant('fail' as const), key }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 2_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (actions, workers) => {
          const doubled: string[] = [];
          let most = 0;
          const clock = new ManualClock();
          const running = new Map<string, { end: (outcome?: Outcome) => void; fail: (error: Error) => void }>();
          /** Keys that are due and have not started since; and when the delayed ones become due. */
          const due = new Set<string>();
          const delayed = new Map<string, number>();
          const pass = (): void => {
            for (const [name, at] of delayed) if (at <= clock.monotonic() && delayed.delete(name)) due.add(name);
          };
          const delay = (name: string, ms: number): void => {
            pass();
            delayed.set(name, Math.min(clock.monotonic() + ms, delayed.get(name) ?? Number.POSITIVE_INFINITY));
          };
          const queue = createWorkQueue({
            workers,
            clock,
            random: () => 0.5,
            hooks: { failed: (name, _error, _failures, ms) => delay(name, ms) },
          });
          queue.start(
            (name) =>
              new Promise((resolve, reject) => {
                if (running.has(name)) doubled.push(name);
                running.set(name, { end: resolve, fail: reject });
                most = Math.max(most, running.size);
                pass();
                due.delete(name);
              }),
          );
          for (const step of actions) {
            if (step.do === 'add') {
              due.add(step.key);
              queue.add(step.key);
            } else if (step.do === 'addAfter') {
              delay(step.key, step.ms);
              queue.addAfter(step.key, step.ms);
            } else if (step.do === 'pass') await clock.advance(step.ms);
            else {
              const run = running.get(step.key);
              running.delete(step.key);
              if (step.do === 'fail') run?.fail(new Error('failed'));
              else run?.end(step.again === null ? undefined : { requeueAfterMs: step.again });
              if (run !== undefined && step.do === 'end' && step.again !== null) delay(step.key, step.again);
            }
            await settle();
          }
          // From here on every run succeeds at once: all that is owed must come, and then there is rest.
          for (let round = 0; round < 200 && (queue.active > 0 || queue.depth > 0 || queue.delayed > 0); round++) {
            for (const [name, run] of running) {
              running.delete(name);
              run.end();
            }
            await clock.advance(500);
          }
          expect(doubled).toEqual([]);
          expect(most).toBeLessThanOrEqual(workers);
          expect([queue.active, queue.depth, queue.delayed]).toEqual([0, 0, 0]);
          pass();
          expect([[...due], [...delayed.keys()]]).toEqual([[], []]);
          await queue.stop();
        },
      ),
      { numRuns: 200 },
    );
  });
});
