import { describe, expect, it } from 'vitest';
import { ManualClock, settle } from '../../test/builders/manual-clock.ts';
import { Bell } from './bell.ts';
import { pause } from './pause.ts';

async function hasEnded(waiting: Promise<void>): Promise<boolean> {
  let ended = false;
  void waiting.then(() => {
    ended = true;
  });
  await settle();
  return ended;
}

describe('a bell', () => {
  it('wakes whoever waits, and lets the time stand', async () => {
    const clock = new ManualClock();
    const bell = new Bell(clock);
    const waiting = bell.wait(1_000);
    expect(await hasEnded(waiting)).toBe(false);
    bell.ring();
    expect(await hasEnded(waiting)).toBe(true);
    expect(clock.sleepers).toBe(0);
  });

  it('that rang since the last wait keeps nobody, once', async () => {
    const bell = new Bell(new ManualClock());
    bell.ring();
    bell.ring();
    expect(await hasEnded(bell.wait())).toBe(true);
    expect(await hasEnded(bell.wait())).toBe(false);
  });

  it('lets go when it is time', async () => {
    const clock = new ManualClock();
    const waiting = new Bell(clock).wait(1_000);
    await clock.advance(999);
    expect(await hasEnded(waiting)).toBe(false);
    await clock.advance(1);
    expect(await hasEnded(waiting)).toBe(true);
  });

  it('rings when all is over', async () => {
    const over = new AbortController();
    const bell = new Bell(new ManualClock(), over.signal);
    const waiting = bell.wait();
    over.abort();
    expect(await hasEnded(waiting)).toBe(true);
  });
});

describe('a pause', () => {
  it('ends with its time, or with the signal, and never fails', async () => {
    const clock = new ManualClock();
    const over = new AbortController();
    const short = pause(clock, 10, over.signal);
    const long = pause(clock, 10_000, over.signal);
    await clock.advance(10);
    expect(await hasEnded(short)).toBe(true);
    expect(await hasEnded(long)).toBe(false);
    over.abort(new Error('over'));
    expect(await hasEnded(long)).toBe(true);
    await pause(clock, 10_000, over.signal);
  });
});
