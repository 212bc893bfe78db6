import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/builders/manual-clock.ts';
import { silentLog } from '../kernel/log.ts';
import { LastingWrites } from './lasting-writes.ts';

/** A volume that is full for a while. */
function volume() {
  const clock = new ManualClock();
  const over = new AbortController();
  const world = { full: true, text: '' };
  const write = (text: string) => async () => {
    if (world.full) throw new Error('ENOSPC');
    world.text = text;
  };
  return { clock, over, world, write, writes: new LastingWrites(clock, silentLog, over.signal) };
}

describe('LastingWrites', () => {
  it('tries until it succeeds, and the last word stays', async () => {
    const { clock, world, write, writes } = volume();
    writes.inTurn('write first', write('first'));
    writes.inTurn('write last', write('last'));
    await clock.advance(60_000);
    expect(world.text).toBe('');
    world.full = false;
    await clock.advance(1_000);
    expect(world.text).toBe('last');
  });

  it('lets no later word overtake one that takes longer', async () => {
    const { clock, world, write, writes } = volume();
    let attempts = 0;
    world.full = false;
    writes.inTurn('write first', async () => {
      attempts += 1;
      if (attempts < 5) throw new Error('EIO');
      await write('first')();
    });
    writes.inTurn('write last', write('last'));
    await clock.advance(60_000);
    expect(world.text).toBe('last');
  });

  it('writes what is not in turn at once', async () => {
    const { world, write, writes } = volume();
    world.full = false;
    await writes.now('open the gate', write('open'));
    expect(world.text).toBe('open');
  });

  it('holds nobody back that wants to end', async () => {
    const { clock, over, world, write, writes } = volume();
    writes.inTurn('write it', write('it'));
    const drained = writes.drain();
    await clock.advance(1_000);
    await drained;
    const gaveUp = writes.now('open the gate', write('open'));
    over.abort();
    await gaveUp;
    expect(world.text).toBe('');
  });
});
