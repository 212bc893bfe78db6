import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/builders/manual-clock.ts';
import type { ErrorCode } from '../../contracts/error-catalogue.ts';
import { MaasError } from '../../contracts/errors.ts';
import { silentLog } from '../../kernel/log.ts';
import type { Event } from '../lifecycle/events.ts';
import { type FetchPayload, fetchUntilVerified } from './fetch-payload.ts';

/** What a fetch tells the lifecycle, in short. */
function report(over = new AbortController()) {
  const told: unknown[] = [];
  const dispatch = (event: Event) => {
    if (event.type === 'payload-progress') told.push(event.progress);
    else told.push('problem' in event ? `${event.type} ${event.problem.code}` : event.type);
  };
  return { told, lifecycle: { dispatch, ended: over.signal } };
}

/** Runs a fetch that fails with these codes, one an attempt, and then succeeds. */
async function told(...codes: ErrorCode[]): Promise<unknown[]> {
  const clock = new ManualClock();
  const { told, lifecycle } = report();
  const left = [...codes];
  const fetch: FetchPayload = async () => {
    const code = left.shift();
    if (code !== undefined) throw new MaasError(code, 'so it is');
  };
  const done = fetchUntilVerified(fetch, lifecycle, clock, silentLog);
  await clock.advance(60_000);
  await done;
  return told;
}

describe('fetchUntilVerified', () => {
  it('is verified when the fetch ends', async () => {
    expect(await told()).toEqual(['payload-verified']);
  });

  it('tries again as long as it may help', async () => {
    expect(await told('HDFS_UNREACHABLE', 'HDFS_UNAVAILABLE', 'INTERNAL')).toEqual([
      'payload-trouble HDFS_UNREACHABLE',
      'payload-trouble HDFS_UNAVAILABLE',
      'payload-trouble INTERNAL',
      'payload-verified',
    ]);
  });

  it.each<ErrorCode>([
    'PAYLOAD_CHANGED',
    'PAYLOAD_NO_SPACE',
    'HDFS_FORBIDDEN',
    'HDFS_PATH_MISSING',
    // The fetch has tried again often enough.
    'HDFS_DATA_CORRUPT',
  ])('gives up on %s', async (code) => {
    expect(await told(code)).toEqual([`payload-lost ${code}`]);
  });

  it('tells progress, and what is being retried inside of the fetch', async () => {
    const { told, lifecycle } = report();
    const done = { bytesDone: 1, bytesTotal: 2, filesDone: 0, filesTotal: 1 };
    await fetchUntilVerified(
      async (progress) => {
        progress({ ...done, lastError: new MaasError('HDFS_UNREACHABLE', 'away') });
        progress({ ...done, lastError: undefined });
      },
      lifecycle,
      new ManualClock(),
      silentLog,
    );
    expect(told).toEqual([done, 'payload-trouble HDFS_UNREACHABLE', done, 'payload-verified']);
  });

  it('says nothing more once it is interrupted', async () => {
    const over = new AbortController();
    const { told, lifecycle } = report(over);
    await fetchUntilVerified(
      async () => {
        over.abort();
        throw new Error('aborted');
      },
      lifecycle,
      new ManualClock(),
      silentLog,
    );
    expect(told).toEqual([]);
  });
});
