/** The one line that shows how far an upload is. Pure but for the line that is drawn. */

import { formatAge } from '../../contracts/duration.ts';
import type { TransferProgress } from '../../contracts/payload.ts';
import { formatBytes } from '../../contracts/quantity.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Output } from '../ports.ts';
import { columnsOf } from './text-columns.ts';

type Done = Pick<TransferProgress, 'bytesDone' | 'filesDone'>;

interface Sample extends Done {
  /** Milliseconds, monotonic. */
  readonly at: number;
}

/** How fast it goes, by what was done lately; a second each. */
export interface Pace {
  readonly bytes: number;
  /** 0 where too few were done to tell. */
  readonly files: number;
}

/** The pace is that of the last seconds: an upload that slows down must not promise the end of a fast one. */
const windowMs = 5_000;
/** What less time than this has shown says nothing of the rest. */
const knownAfterMs = 1_000;
/** Fewer files than these, done lately, say nothing of the others: one small one would make a large one look slow. */
const manyFiles = 10;
const redrawMs = 100;
const redrawAnywayMs = 1_000;

/**
 * The pace until now. Undefined before it is known, and where a file had to be begun again and less is done than before.
 * @param samples in their order, of as many seconds as count; see `recent`
 */
export function paceOf(samples: readonly Sample[], done: Done, now: number): Pace | undefined {
  const [first] = samples;
  if (first === undefined || now - first.at < knownAfterMs) return undefined;
  const seconds = (now - first.at) / 1_000;
  const bytes = (done.bytesDone - first.bytesDone) / seconds;
  const files = done.filesDone - first.filesDone;
  return bytes < 0 ? undefined : { bytes, files: files < manyFiles ? 0 : files / seconds };
}

/** Without the samples that are too old: only the last of those stays, which is where the window begins. */
function recent(samples: readonly Sample[], now: number): Sample[] {
  const begin = samples.findLastIndex(({ at }) => at <= now - windowMs);
  return samples.slice(Math.max(0, begin));
}

/**
 * Seconds until the end; undefined where that is not known. Bytes and files each take their time: many small files are
 * not done when their few bytes are nearly all sent.
 */
export function secondsLeft(progress: TransferProgress, pace: Pace | undefined): number | undefined {
  const bytesLeft = progress.bytesTotal - progress.bytesDone;
  const filesLeft = progress.filesTotal - progress.filesDone;
  if (pace === undefined || pace.bytes === 0) return undefined;
  const byFiles = pace.files > 0 ? filesLeft / pace.files : 0;
  return Math.ceil(Math.max(bytesLeft / pace.bytes, byFiles));
}

/**
 * `uploading  45%  128 MiB of 284 MiB  12 of 40 files  12.3 MiB/s  13s left`; shorter, or nothing, where there is no room.
 * @param columns that it may take
 */
export function progressText(progress: TransferProgress, pace: Pace | undefined, columns: number): string {
  const { bytesTotal, bytesDone, filesTotal, filesDone } = progress;
  const share = bytesTotal === 0 ? filesDone / filesTotal : bytesDone / bytesTotal;
  const head = `uploading ${String(Math.floor(100 * share)).padStart(3)}%`;
  const bytes = `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
  const files = filesTotal === 1 ? [] : [`${filesDone} of ${filesTotal} files`];
  const rest = restOf(progress, pace);
  const texts = [[head, bytes, ...files, ...rest], [head, ...files, ...rest], [head, ...rest], [head]];
  return texts.map((parts) => parts.join('  ')).find((text) => columnsOf(text) <= columns) ?? '';
}

function restOf(progress: TransferProgress, pace: Pace | undefined): string[] {
  // HDFS has all bytes, and is still asked whether they are right.
  if (progress.bytesDone === progress.bytesTotal) return progress.filesDone < progress.filesTotal ? ['checking'] : [];
  if (pace === undefined) return [];
  const left = secondsLeft(progress, pace);
  return [`${formatBytes(pace.bytes)}/s`, ...(left === undefined ? [] : [`${formatAge(left * 1_000)} left`])];
}

export interface ProgressLine {
  show(progress: TransferProgress): void;
  /** Draws now and then although nothing new is known, so that no pace stays there that is none any more. */
  keepDrawing(until: AbortSignal): Promise<void>;
  /** Takes the line away. */
  clear(): void;
}

/** Draws on a terminal; says nothing anywhere else. */
export function progressLine(output: Output, clock: Pick<Clock, 'monotonic' | 'sleep'>): ProgressLine {
  if (!output.terminal) return { show: () => {}, keepDrawing: async () => {}, clear: () => {} };
  let samples: readonly Sample[] = [];
  let drawnAt = Number.NEGATIVE_INFINITY;
  let latest: TransferProgress | undefined;
  const draw = (progress: TransferProgress, now: number) => {
    drawnAt = now;
    samples = recent(samples, now);
    // A line that wraps could not be taken back.
    const text = progressText(progress, paceOf(samples, progress, now), output.width - 1);
    if (text !== '') output.write(`\r${text}\u001b[K`);
  };
  return {
    show(progress) {
      const now = clock.monotonic();
      latest = progress;
      if (now - drawnAt < redrawMs) return;
      samples = [...samples, { at: now, bytesDone: progress.bytesDone, filesDone: progress.filesDone }];
      draw(progress, now);
    },
    async keepDrawing(until) {
      while (!until.aborted) {
        await clock.sleep(redrawAnywayMs, until).catch(() => {});
        const now = clock.monotonic();
        if (!until.aborted && latest !== undefined && now - drawnAt >= redrawAnywayMs) draw(latest, now);
      }
    },
    clear() {
      if (drawnAt > Number.NEGATIVE_INFINITY) output.write('\r\u001b[K');
    },
  };
}
