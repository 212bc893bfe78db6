import { expect, it } from 'vitest';
import { keptOfLate, keptOfStart, type Reached, reach } from './reached.ts';

it('keeps a start, and what happened last', () => {
  let reached: readonly Reached[] = [];
  for (let at = 1; at <= 50; at++)
    reached = reach(reached, { stage: at % 2 === 0 ? 'Registered' : 'NotAnswering', at });
  const times = reached.map(({ at }) => at);
  expect(times).toEqual([...Array(keptOfStart).keys()].map((n) => n + 1).concat(times.slice(keptOfStart)));
  expect(times.slice(keptOfStart)).toEqual([...Array(keptOfLate).keys()].map((n) => 50 - keptOfLate + 1 + n));
});
