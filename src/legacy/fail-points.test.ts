import { describe, expect, it } from 'vitest';
import { crashingAt, failPoints, noFailPoints } from './fail-points.ts';

describe('a fail point', () => {
  it('crashes the program there and nowhere else', () => {
    const crashed: string[] = [];
    for (const named of failPoints) {
      const reach = crashingAt(named, () => crashed.push(named));
      for (const point of failPoints) reach(point);
    }
    expect(crashed).toEqual(failPoints);
  });

  it('is never hit where none is named', () => {
    for (const point of failPoints) expect(() => noFailPoints(point)).not.toThrow();
  });

  it('has to exist', () => {
    expect(() => crashingAt('after-creation', () => {})).toThrow(/there is no fail point "after-creation"/);
  });
});
