import { describe, expect, it } from 'vitest';
import { lookAgainMs } from './look-again.ts';

describe('the next look at a resource of which nothing is heard', () => {
  it.each([
    ['does not come where all is well', { awaits: 'nothing', statusMs: undefined }, Number.POSITIVE_INFINITY],
    ['comes after a second while something is on its way', { awaits: 'much', statusMs: undefined }, 1_000],
    ['comes after a minute where little is hoped for', { awaits: 'little', statusMs: undefined }, 60_000],
    ['comes with the status that may be written then', { awaits: 'much', statusMs: 300 }, 300],
    ['comes for the status alone', { awaits: 'nothing', statusMs: 300 }, 300],
  ] as const)('%s', (_what, waits, ms) => expect(lookAgainMs(waits)).toBe(ms));
});
