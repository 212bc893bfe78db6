import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Admission } from './admission.ts';

it('never has more at the model than there are places, nor keeps one free while somebody waits', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('ask' as const) }),
    fc.record({ do: fc.constant('leave' as const), who: fc.nat() }),
    fc.record({ do: fc.constant('withdraw' as const), who: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.nat({ max: 4 }), fc.array(step), (places, seats, steps) => {
      const admission = new Admission<number>(places, seats);
      const inside: number[] = [];
      const waiting: number[] = [];
      let next = 0;
      for (const each of steps) {
        if (each.do === 'ask') {
          const who = next++;
          const verdict = admission.ask(who);
          const expected = inside.length < places ? 'enter' : waiting.length < seats ? 'wait' : 'refuse';
          expect(verdict).toBe(expected);
          if (verdict === 'enter') inside.push(who);
          if (verdict === 'wait') waiting.push(who);
        } else if (each.do === 'leave' && inside.length > 0) {
          inside.splice(each.who % inside.length, 1);
          const entered = admission.leave();
          expect(entered).toBe(waiting[0]);
          if (entered !== undefined) inside.push(...waiting.splice(0, 1));
        } else if (each.do === 'withdraw' && waiting.length > 0) {
          const [gone] = waiting.splice(each.who % waiting.length, 1);
          if (gone !== undefined) admission.withdraw(gone);
        }
        expect([admission.inFlight, admission.queued]).toEqual([inside.length, waiting.length]);
      }
    }),
  );
});
