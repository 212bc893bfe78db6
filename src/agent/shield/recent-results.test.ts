import { expect, it } from 'vitest';
import { RecentResults } from './recent-results.ts';

it('counts the calls of the last five minutes, and forgets them then', () => {
  const recent = new RecentResults();
  expect(recent.at(0)).toEqual({ seconds: 300, requests: 0, errors: 0, results: {} });
  for (const result of ['answered', 'status', 'status', 'gone'] as const) recent.add(result, 1_000);
  recent.add('timeout', 200_000);
  expect(recent.at(299_000)).toEqual({ seconds: 300, requests: 5, errors: 3, results: { status: 2, timeout: 1 } });
  expect(recent.at(301_000)).toEqual({ seconds: 300, requests: 1, errors: 1, results: { timeout: 1 } });
  recent.add('answered', 900_000);
  expect(recent.at(900_000)).toEqual({ seconds: 300, requests: 1, errors: 0, results: {} });
});
