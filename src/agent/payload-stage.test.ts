import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/builders/manual-clock.ts';
import type { ErrorCode } from '../contracts/error-catalogue.ts';
import { MaasError } from '../contracts/errors.ts';
import { type FetchPayload, fetchUntilVerified } from './payload-stage.ts';

/** Runs a fetch that fails with these codes, one an attempt, and then succeeds. */
async function told(...codes: ErrorCode[]): Promise<string[]> {
  const clock = new ManualClock();
  const report: string[] = [];
  const left = [...codes];
  const fetch: FetchPayload = async () => {
    const code = left.shift();
    if (code !== undefined) throw new MaasError(code, 'so it is');
  };
  const done = fetchUntilVerified(
    fetch,
    {
      progress: () => report.push('progress'),
      trouble: (error) => report.push(`trouble ${error.code}`),
      verified: () => report.push('verified'),
      lost: (error) => report.push(`lost ${error.code}`),
    },
    clock,
    new AbortController().signal,
  );
  await clock.advance(60_000);
  await done;
  return report;
}

describe('fetchUntilVerified', () => {
  it('is verified when the fetch ends', async () => {
    expect(await told()).toEqual(['verified']);
  });

  it('tries again as long as it may help', async () => {
    expect(await told('HDFS_UNREACHABLE', 'HDFS_UNAVAILABLE', 'INTERNAL')).toEqual([
      'trouble HDFS_UNREACHABLE',
      'trouble HDFS_UNAVAILABLE',
      'trouble INTERNAL',
      'verified',
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
    expect(await told(code)).toEqual([`lost ${code}`]);
  });

  it('tells progress, and what is being retried inside of the fetch', async () => {
    const report: unknown[] = [];
    const done = { bytesDone: 1, bytesTotal: 2, filesDone: 0, filesTotal: 1 };
    await fetchUntilVerified(
      async (progress) => {
        progress({ ...done, lastError: new MaasError('HDFS_UNREACHABLE', 'away') });
        progress({ ...done, lastError: undefined });
      },
      {
        progress: (each) => report.push(each),
        trouble: (error) => report.push(error.code),
        verified: () => report.push('verified'),
        lost: () => report.push('lost'),
      },
      new ManualClock(),
      new AbortController().signal,
    );
    expect(report).toEqual([done, 'HDFS_UNREACHABLE', done, 'verified']);
  });

  it('says nothing more once it is interrupted', async () => {
    const over = new AbortController();
    const report: string[] = [];
    await fetchUntilVerified(
      async () => {
        over.abort();
        throw new Error('aborted');
      },
      {
        progress: () => report.push('progress'),
        trouble: () => report.push('trouble'),
        verified: () => report.push('verified'),
        lost: () => report.push('lost'),
      },
      new ManualClock(),
      over.signal,
    );
    expect(report).toEqual([]);
  });
});
