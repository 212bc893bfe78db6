import { describe, expect, it } from 'vitest';
import { lookAgainMs } from './look-again.ts';

describe('the next look at a resource of which nothing is heard', () => {
  it.each([
    ['comes with the payload where all is well', { awaits: false, statusMs: undefined, payloadMs: 60_000 }, 60_010],
    [
      'comes after a second while something is awaited',
      { awaits: true, statusMs: undefined, payloadMs: 60_000 },
      1_000,
    ],
    ['comes with the status that may be written then', { awaits: true, statusMs: 300, payloadMs: 60_000 }, 300],
    ['comes at once for a payload that is due', { awaits: true, statusMs: 300, payloadMs: 0 }, 10],
  ])('%s', (_what, waits, ms) => expect(lookAgainMs(waits)).toBe(ms));
});
