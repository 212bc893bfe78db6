/** Whatever happens in whatever order: everybody is told once, and nothing is left behind. */
import { Agent } from 'node:http';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualTimer } from '../../../test/builders/shielded-model.ts';
import { ModelCalls } from './model-calls.ts';
import { type Answer, type askModel, Cut, type Upstream } from './upstream.ts';

const asked = { method: 'GET', path: '/', headers: [] };
const upstream: Upstream = { host: 'localhost', port: 1, agent: new Agent() };

/** A model whose answers come when a test says so. */
class Model {
  readonly open: { answer: (answer: Answer) => void; cut: boolean; rest?: PassThrough }[] = [];

  ask: typeof askModel = (_upstream, _asked, answered) => {
    const call: Model['open'][number] = { answer: answered, cut: false };
    this.open.push(call);
    return (cut) => {
      call.cut = true;
      call.rest?.destroy(cut);
    };
  };

  /** @returns whether there was a call to answer */
  answer(at: number, how: 'shared' | 'private' | 'failed' | 'flowing'): boolean {
    const waiting = this.open.filter(({ cut, rest }) => !cut && rest === undefined);
    const call = waiting[at % waiting.length];
    if (call === undefined) return false;
    const headers = how === 'private' ? ['Set-Cookie', 'a=1'] : [];
    if (how === 'failed') call.answer({ kind: 'failed', failure: 'closed', why: '' });
    else if (how === 'flowing') {
      call.rest = new PassThrough().on('error', () => undefined);
      call.rest.resume();
      call.answer({ kind: 'flowing', status: 200, headers, begun: Buffer.from(''), rest: call.rest });
      return true;
    } else call.answer({ kind: 'whole', status: 200, headers, body: Buffer.from(how) });
    this.open.splice(this.open.indexOf(call), 1);
    return true;
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), key: fc.constantFrom('a', 'b', undefined) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      at: fc.nat(),
      how: fc.constantFrom('shared' as const, 'private' as const, 'failed' as const, 'flowing' as const),
    }),
  },
  fc.record({ do: fc.constant('leave' as const), who: fc.nat() }),
  fc.record({ do: fc.constant('queue time' as const) }),
  fc.record({ do: fc.constant('time limit' as const) }),
  fc.record({ do: fc.constant('restart' as const) }),
);

it('tells everybody who stays once, keeps its bounds, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const model = new Model();
      const timer = new ManualTimer();
      const calls = new ModelCalls({
        ...{ timeLimitMs: 1_000, maxInFlight: 2, maxQueued: 2, queueTimeMs: 100, askModel: model.ask, timer },
        ...{ upstream: () => upstream, clock: { monotonic: () => 0 } },
      });
      const callers: { told: number; left: boolean; leave: () => void }[] = [];
      const ask = (key: string | undefined) => {
        const caller = { told: 0, left: false, leave: () => {} };
        callers.push(caller);
        caller.leave = calls.ask(asked, key, () => {
          expect(caller.left).toBe(false);
          caller.told += 1;
        });
      };
      for (const each of steps) {
        if (each.do === 'ask') ask(each.key);
        else if (each.do === 'answer') model.answer(each.at, each.how);
        else if (each.do === 'leave') {
          const staying = callers.filter(({ told, left }) => told === 0 && !left);
          const caller = staying[each.who % staying.length];
          if (caller === undefined) continue;
          caller.left = true;
          caller.leave();
        } else if (each.do === 'queue time') timer.pass(100);
        else if (each.do === 'time limit') timer.pass(1_000);
        else calls.endAll(new Cut('restarted', ''));
        expect(calls.inFlight).toBeLessThanOrEqual(2);
        expect(calls.queued).toBeLessThanOrEqual(2);
        expect(calls.queued === 0 || calls.inFlight === 2).toBe(true);
      }
      // What is asked again because an answer was another one's alone ends as well.
      while (timer.waits.length > 0) {
        timer.pass(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect([calls.inFlight, calls.queued]).toEqual([0, 0]);
      for (const { told, left } of callers) expect(told).toBe(left ? 0 : 1);
    }),
    { numRuns: 300 },
  );
});
