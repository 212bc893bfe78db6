/**
 * Copies a pinned payload from HDFS into a directory: with bounded memory, several files and several segments of a file
 * at a time, going on where an earlier attempt stopped, and believing no byte before its file's digest was compared with
 * the pin. See fetch-file.ts for one attempt at one file.
 */
import { asMaasError, hasCode, MaasError } from '../contracts/errors.ts';
import type { FetchProgress, PinnedFile, PinnedPayload } from '../contracts/payload.ts';
import { backOffMs } from '../kernel/back-off.ts';
import { mapBounded, Slots } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { type FetchSource, FileFetch } from './fetch-file.ts';
import type { NearPayload } from './near-payload.ts';
import { shown } from './payload-rules.ts';
import { type Cut, usualCut } from './segments.ts';
import { TransferTally } from './transfer-tally.ts';

export interface FetchOptions {
  readonly clock: Pick<Clock, 'sleep' | 'monotonic'>;
  /** From 0 to 1; for jitter. */
  readonly random: () => number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each file, error and mebibyte; must not throw. */
  readonly progress?: ((progress: FetchProgress) => void) | undefined;
  /** Requests at a time, and files. */
  readonly concurrency?: number;
  /** How large files are cut. */
  readonly cut?: Cut;
  /** Asked for each file before HDFS. */
  readonly near?: NearPayload | undefined;
}

export interface FetchResult {
  /** Bytes that came from HDFS; the others were there. */
  readonly bytesFetched: number;
}

/** Attempts of one file with wrong bytes before that is reported as final. */
const maxCorrupt = 5;
const pauses = { firstMs: 500, longestMs: 30_000 };
const requestsAtOnce = 8;

/**
 * Brings all files of the payload into the directory. What may pass (HDFS away, a standby, a refused connection) is
 * retried for ever, with growing pauses, and told through `progress`.
 *
 * @param directory existing; other files in it are left alone
 * @throws PAYLOAD_CHANGED when a file in HDFS has other bytes than the pinned one, PAYLOAD_NO_SPACE,
 *   HDFS_DATA_CORRUPT when wrong bytes keep coming, HDFS_FORBIDDEN and other codes that do not pass by themselves
 */
export async function fetchPayload(
  source: FetchSource,
  pinned: PinnedPayload,
  directory: string,
  options: FetchOptions,
): Promise<FetchResult> {
  const trouble: Trouble = { lastError: undefined };
  const total = { files: pinned.files.length, bytes: pinned.bytes };
  const { near } = options;
  const tally = new TransferTally(total, (done) => {
    options.progress?.({ ...done, ...trouble, ...(near === undefined ? {} : { bytesFromCache: near.bytes }) });
  });
  const concurrency = options.concurrency ?? requestsAtOnce;
  const requests = new Slots(concurrency);
  const cut = options.cut ?? usualCut;
  const received = await mapBounded(
    pinned.files,
    concurrency,
    async (file, signal) => {
      const told = tally.file();
      const inPlace = (bytes: number) => {
        if (bytes > 0) trouble.lastError = undefined;
        told(bytes);
      };
      const fetch = new FileFetch({
        source,
        pinned,
        file,
        directory,
        signal,
        requests,
        cut,
        clock: options.clock,
        near,
        inPlace,
      });
      const failed = (error: MaasError) => {
        trouble.lastError = error;
        tally.tell();
      };
      await untilRight(fetch, file, { ...options, signal, failed });
      trouble.lastError = undefined;
      tally.fileDone();
      return fetch.received;
    },
    options.signal,
  );
  return { bytesFetched: received.reduce((sum, bytes) => sum + bytes, 0) };
}

/** Of all files. */
interface Trouble {
  lastError: MaasError | undefined;
}

async function untilRight(
  fetch: FileFetch,
  file: PinnedFile,
  options: FetchOptions & { readonly signal: AbortSignal; readonly failed: (error: MaasError) => void },
): Promise<void> {
  const { clock, random, signal, failed } = options;
  let corrupt = 0;
  for (let failures = 0; ; ) {
    const before = fetch.received;
    try {
      return await fetch.attempt();
    } catch (error) {
      signal.throwIfAborted();
      const coded = codedFailure(error, file);
      if (coded.code === 'HDFS_DATA_CORRUPT') corrupt += 1;
      if (!coded.transient || corrupt >= maxCorrupt) throw coded;
      failures = fetch.received > before && coded.code !== 'HDFS_DATA_CORRUPT' ? 1 : failures + 1;
      failed(coded);
      await clock.sleep(backOffMs(pauses, failures - 1, random), signal);
    }
  }
}

function codedFailure(error: unknown, file: PinnedFile): MaasError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new MaasError('PAYLOAD_NO_SPACE', `There is no room for ${shown(file.path)} (${file.length} bytes)`, {
      cause: error,
    });
  }
  if (code === 'ENAMETOOLONG') {
    return new MaasError('PAYLOAD_NAME_INVALID', `The name ${shown(file.path)} is too long for the node`, {
      cause: error,
    });
  }
  // Gone between looking and opening.
  if (hasCode(error, 'HDFS_PATH_MISSING')) return new MaasError('PAYLOAD_CHANGED', error.message, { cause: error });
  return asMaasError(error);
}
