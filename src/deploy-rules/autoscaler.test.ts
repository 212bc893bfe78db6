import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOf, shownAutoscaler } from './autoscaler.ts';

const autoscaler = { name: 'dga', min: 2, max: 5 };

describe('the number of instances', () => {
  it.each<[string, number, number, unknown]>([
    ['inside is left to the autoscaler', 3, 4, { kind: 'left', autoscaler }],
    ['inside and fewer, too', 3, 2, { kind: 'left', autoscaler }],
    ['above is refused', 3, 6, { kind: 'outside', autoscaler }],
    ['below is refused', 3, 1, { kind: 'outside', autoscaler }],
    ['that is there already is nobody else’s', 7, 7, { kind: 'set', instances: 7 }],
    ['of a stopped resource becomes at least what the autoscaler keeps', 0, 1, { kind: 'set', instances: 2 }],
    ['of a stopped resource is as asked where that is more', 0, 4, { kind: 'set', instances: 4 }],
    ['of a stopped resource has the same upper bound', 0, 6, { kind: 'outside', autoscaler }],
  ])('%s', (_, present, wanted, share) => {
    expect(shareOf(present, wanted, autoscaler)).toEqual(share);
  });

  it('is what was asked for where there is no autoscaler', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), (present, wanted) => {
        expect(shareOf(present, wanted, undefined)).toEqual({ kind: 'set', instances: wanted });
      }),
    );
  });

  it('that is set is one that the autoscaler keeps, or the one that is there', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.integer({ min: 1, max: 20 }), fc.nat(9), fc.nat(9), (present, wanted, min, more) => {
        const share = shareOf(present, wanted, { name: 'a', min, max: min + more });
        if (share.kind === 'set' && share.instances !== present) {
          expect(share.instances).toBeGreaterThanOrEqual(min);
          expect(share.instances).toBeLessThanOrEqual(min + more);
        }
      }),
    );
  });
});

it('an autoscaler is shown with its bounds', () => {
  expect(shownAutoscaler(autoscaler)).toBe('HorizontalPodAutoscaler dga, which keeps between 2 and 5 instances');
});
