import { describe, expect, it } from 'vitest';
import { anObservation, aPod, aResource, start } from '../../test/builders/model-deployment.ts';
import type { ShieldStatus } from '../contracts/pod-contract.ts';
import type { FailedCalls } from '../contracts/resource-status.ts';
import { callsVerdict, failedCallsOf } from './calls-failing.ts';

const minute = 60_000;

function said(
  results: Readonly<Record<string, number>>,
  message = 'the model answered 500: \u001b[31mno',
): ShieldStatus {
  const errors = Object.values(results).reduce((sum, count) => sum + count, 0);
  return {
    ...{ inFlight: 0, queued: 0, requests: 1_000, errors: 900 },
    lastError: { at: '2026-03-01T11:59:59Z', result: 'status', message },
    recent: { seconds: 300, requests: 40, errors, results },
  };
}

function observed(
  shields: Readonly<Record<string, ShieldStatus>>,
  { now = start, before, shield = {} }: { now?: number; before?: FailedCalls | undefined; shield?: object } = {},
) {
  const pods = ['a', 'b', 'c'].map((uid) => aPod({ uid, name: `dga-${uid}`, ready: uid !== 'c' }));
  const resource = aResource(
    { spec: shield === undefined ? {} : { shield } },
    before === undefined ? {} : { failedCalls: before },
  );
  return anObservation({ now, resource, pods, shields: new Map(Object.entries(shields)) });
}
const failed = (...given: Parameters<typeof observed>) => failedCallsOf(observed(...given));

describe('calls that fail behind shields', () => {
  it('are counted over the instances that are up, with the last one, in words that no terminal obeys', () => {
    const found = failed({ a: said({ status: 2, timeout: 1, later: 1 }), b: said({}), c: said({ status: 9 }) });
    expect(found).toMatchObject({
      instances: 1,
      asked: 2,
      requests: 80,
      errors: 4,
      results: { status: 2, timeout: 1 },
    });
    expect(found && callsVerdict(found).message).toBe(
      '4 of 80 calls failed in the 5 minutes before 12:00:00Z (status 2, timeout 1), at 1 of 2 instances; ' +
        'the last one at dga-a: the model answered 500: \\u001b[31mno',
    );
  });

  it('are nothing where none fails, nobody says so, or there is no shield', () => {
    expect(failed({ a: said({}), b: said({}) })).toBeUndefined();
    expect(failed({})).toBeUndefined();
    const { spec: _, ...resource } = aResource();
    const without = { ...observed({ a: said({ status: 1 }) }), resource: { ...resource, spec: aResource().spec } };
    expect(failedCallsOf(without)).toBeUndefined();
  });

  it('are said anew once a minute, and only where there is something new', () => {
    const before = failed({ a: said({ status: 1 }) });
    for (const age of [1_000, minute - 1]) {
      expect(failed({ a: said({ status: 7 }) }, { now: start + age, before })).toBe(before);
    }
    expect(failed({ a: said({ status: 1 }) }, { now: start + minute, before })).toEqual(before);
    expect(failed({ a: said({ status: 7 }) }, { now: start + minute, before })).toMatchObject({
      ...{ at: '2026-03-01T12:01:00Z', errors: 7 },
    });
  });

  it('are over when all say so, and are remembered while nobody can, for five minutes', () => {
    const before = failed({ a: said({ status: 1 }) });
    expect(failed({ a: said({}), b: said({}) }, { now: start + 1_000, before })).toBeUndefined();
    for (const shields of [{}, { b: said({}) }]) {
      expect(failed(shields, { now: start + 4 * minute, before })).toBe(before);
      expect(failed(shields, { now: start + 5 * minute, before })).toBeUndefined();
    }
  });
});
