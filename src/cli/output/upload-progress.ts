/** The one line that shows how far an upload is. Pure but for the line that is drawn. */

import { formatAge } from '../../contracts/duration.ts';
import type { TransferProgress } from '../../contracts/payload.ts';
import { formatBytes } from '../../contracts/quantity.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Output } from '../ports.ts';
import { columnsOf } from './text-columns.ts';

interface Sample {
  /** Milliseconds, monotonic. */
  readonly at: number;
  readonly bytes: number;
}

/** The rate is that of the last seconds: an upload that slows down must not promise the end of a fast one. */
const rateWindowMs = 5_000;
const redrawMs = 100;

/** `uploading  45%  128 MiB of 284 MiB  12.3 MiB/s  13s left` */
export function progressText(progress: TransferProgress, bytesPerSecond: number | undefined): string {
  const { bytesTotal: bytes, bytesDone } = progress;
  const percent = bytes === 0 ? 100 : Math.floor((100 * bytesDone) / bytes);
  const parts = [`uploading ${String(percent).padStart(3)}%`, `${formatBytes(bytesDone)} of ${formatBytes(bytes)}`];
  if (bytesPerSecond !== undefined && bytesPerSecond > 0) {
    parts.push(`${formatBytes(bytesPerSecond)}/s`);
    parts.push(`${formatAge(Math.ceil((bytes - bytesDone) / bytesPerSecond) * 1_000)} left`);
  }
  return parts.join('  ');
}

/** Bytes per second between the first and the last sample, undefined before there is anything to divide. */
export function rateOf(samples: readonly Sample[]): number | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return undefined;
  return ((last.bytes - first.bytes) * 1_000) / (last.at - first.at);
}

export interface ProgressLine {
  show(progress: TransferProgress): void;
  /** Takes the line away. */
  clear(): void;
}

/** Draws on a terminal; says nothing anywhere else. */
export function progressLine(output: Output, clock: Pick<Clock, 'monotonic'>): ProgressLine {
  if (!output.terminal) return { show: () => {}, clear: () => {} };
  let samples: Sample[] = [];
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    show(progress) {
      const now = clock.monotonic();
      samples = [...samples.filter(({ at }) => at > now - rateWindowMs), { at: now, bytes: progress.bytesDone }];
      if (now - drawnAt < redrawMs) return;
      drawnAt = now;
      const text = progressText(progress, rateOf(samples));
      // A line that wraps could not be taken back.
      if (columnsOf(text) < output.width) output.write(`\r${text}\u001b[K`);
    },
    clear() {
      if (drawnAt > Number.NEGATIVE_INFINITY) output.write('\r\u001b[K');
    },
  };
}
