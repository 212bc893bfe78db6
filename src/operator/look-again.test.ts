import { describe, expect, it } from 'vitest';
import { lookAgainMs } from './look-again.ts';

describe('the next look at a resource of which nothing is heard', () => {
  it.each([
    ['does not come where all is well', { awaits: false, statusMs: undefined }, undefined],
    ['comes after a second while something is awaited', { awaits: true, statusMs: undefined }, 1_000],
    ['comes with the status that may be written then', { awaits: true, statusMs: 300 }, 300],
    ['comes for the status alone', { awaits: false, statusMs: 300 }, 300],
  ])('%s', (_what, waits, ms) => expect(lookAgainMs(waits)).toBe(ms));
});
