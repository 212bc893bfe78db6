import type { Clock } from './clock.ts';

/**
 * Waits this long, or until the signal fires. Unlike a sleep it never fails: whoever pauses looks at the signal anyway.
 */
export async function pause(clock: Pick<Clock, 'sleep'>, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch(() => undefined);
}
