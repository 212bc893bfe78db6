import { describe, expect, it } from 'vitest';
import { TextOutput } from '../../../test/builders/cli-ports.ts';
import { HastyClock, ManualClock } from '../../../test/builders/manual-clock.ts';
import type { TransferProgress } from '../../contracts/payload.ts';
import { paceOf, progressLine, progressText, secondsLeft } from './upload-progress.ts';

const mebibyte = 2 ** 20;
const one = { filesTotal: 1, filesDone: 0, bytesTotal: 200 * mebibyte, bytesDone: 90 * mebibyte };
const many = { filesTotal: 5_000, filesDone: 812, bytesTotal: 200 * mebibyte, bytesDone: 90 * mebibyte };
const steady = { bytes: 11 * mebibyte, files: 0 };

describe('progressText', () => {
  it.each<[string, TransferProgress, Parameters<typeof progressText>[1], string]>([
    ['one file', one, steady, 'uploading  45%  90 MiB of 200 MiB  11 MiB/s  10s left'],
    ['before the pace is known', one, undefined, 'uploading  45%  90 MiB of 200 MiB'],
    ['nothing goes on', one, { bytes: 0, files: 0 }, 'uploading  45%  90 MiB of 200 MiB  0 B/s'],
    [
      'files take longer than their bytes',
      many,
      { bytes: 11 * mebibyte, files: 50 },
      'uploading  45%  90 MiB of 200 MiB  812 of 5000 files  11 MiB/s  84s left',
    ],
    [
      'bytes take longer than their files',
      many,
      { bytes: mebibyte, files: 50 },
      'uploading  45%  90 MiB of 200 MiB  812 of 5000 files  1 MiB/s  110s left',
    ],
    [
      'all is sent, and being checked',
      { ...one, bytesDone: one.bytesTotal },
      steady,
      'uploading 100%  200 MiB of 200 MiB  checking',
    ],
    ['all is there', { ...one, bytesDone: one.bytesTotal, filesDone: 1 }, steady, 'uploading 100%  200 MiB of 200 MiB'],
    [
      'empty files alone',
      { filesTotal: 4, filesDone: 1, bytesTotal: 0, bytesDone: 0 },
      undefined,
      'uploading  25%  0 B of 0 B  1 of 4 files  checking',
    ],
    [
      'a byte less than all',
      { ...one, bytesDone: one.bytesTotal - 1 },
      undefined,
      'uploading  99%  200 MiB of 200 MiB',
    ],
  ])('%s', (_what, progress, pace, text) => {
    expect(progressText(progress, pace, 80)).toBe(text);
  });

  it.each<[number, string]>([
    [72, 'uploading  45%  90 MiB of 200 MiB  812 of 5000 files  11 MiB/s  84s left'],
    [71, 'uploading  45%  812 of 5000 files  11 MiB/s  84s left'],
    [40, 'uploading  45%  11 MiB/s  84s left'],
    [20, 'uploading  45%'],
    [5, ''],
  ])('in %d columns', (columns, text) => {
    expect(progressText(many, { bytes: 11 * mebibyte, files: 50 }, columns)).toBe(text);
  });
});

describe('paceOf', () => {
  const at = (ms: number, bytesDone: number, filesDone = 0) => ({ at: ms, bytesDone, filesDone });

  it.each<[string, Parameters<typeof paceOf>, ReturnType<typeof paceOf>]>([
    ['of nothing', [[], at(0, 5), 9_000], undefined],
    ['of less than a second', [[at(100, 0)], at(0, 5_000), 1_099], undefined],
    ['of a second', [[at(100, 0)], at(0, 5_000, 30), 1_100], { bytes: 5_000, files: 30 }],
    ['of a few files, which say nothing', [[at(100, 0)], at(0, 5_000, 9), 1_100], { bytes: 5_000, files: 0 }],
    ['since the first sample', [[at(0, 0), at(100, 1)], at(0, 5_000, 10), 2_000], { bytes: 2_500, files: 5 }],
    ['while nothing comes', [[at(0, 700), at(100, 700)], at(0, 700), 5_000], { bytes: 0, files: 0 }],
    ['where a file began again', [[at(0, 700)], at(0, 200), 5_000], undefined],
  ])('%s', (_what, given, pace) => {
    expect(paceOf(...given)).toEqual(pace);
  });
});

describe('secondsLeft', () => {
  it.each<[Parameters<typeof secondsLeft>[1], number | undefined]>([
    [undefined, undefined],
    [{ bytes: 0, files: 0 }, undefined],
    [{ bytes: 110 * mebibyte, files: 0 }, 1],
    [{ bytes: 100 * mebibyte, files: 0 }, 2],
    [{ bytes: 110 * mebibyte, files: 4_188 / 60 }, 60],
  ])('at %j', (pace, seconds) => {
    expect(secondsLeft(many, pace)).toBe(seconds);
  });
});

describe('progressLine', () => {
  const shown = (bytesDone: number, bytesTotal = 2_048) => ({ filesTotal: 1, filesDone: 0, bytesTotal, bytesDone });

  it('draws over itself on a terminal, not too often, and goes away', () => {
    const output = new TextOutput(true);
    const clock = new HastyClock();
    const line = progressLine(output, clock);
    line.show(shown(0));
    clock.pass(50);
    line.show(shown(512));
    clock.pass(950);
    line.show(shown(1_024));
    line.clear();
    expect(output.text).toBe(
      '\ruploading   0%  0 B of 2 KiB\u001b[K' +
        '\ruploading  50%  1 KiB of 2 KiB  1 KiB/s  1s left\u001b[K' +
        '\r\u001b[K',
    );
  });

  it('forgets how fast it was some seconds ago', () => {
    const output = new TextOutput(true);
    const clock = new HastyClock();
    const line = progressLine(output, clock);
    for (const [at, bytesDone] of [
      [0, 0],
      [1_000, 1_024_000],
      [5_000, 1_025_024],
      [10_000, 1_030_144],
    ] as const) {
      clock.pass(at - clock.monotonic());
      line.show(shown(bytesDone, 2_048_000));
    }
    expect(output.text.endsWith('  1 KiB/s  16m left\u001b[K')).toBe(true);
  });

  it('does not let a pace stand while nothing goes on', async () => {
    const output = new TextOutput(true);
    const clock = new ManualClock();
    const line = progressLine(output, clock);
    const end = new AbortController();
    const drawing = line.keepDrawing(end.signal);
    line.show(shown(0, 1_048_576));
    await clock.advance(1_100);
    line.show(shown(524_288, 1_048_576));
    expect(output.text.endsWith('465 KiB/s  2s left\u001b[K')).toBe(true);
    await clock.advance(1_900);
    expect(output.text.endsWith('171 KiB/s  3s left\u001b[K')).toBe(true);
    await clock.advance(4_000);
    expect(output.text.endsWith('uploading  50%  512 KiB of 1 MiB  0 B/s\u001b[K')).toBe(true);
    end.abort();
    await drawing;
    expect(clock.sleepers).toBe(0);
  });

  it('says nothing where no person looks', async () => {
    const output = new TextOutput(false);
    const line = progressLine(output, new HastyClock());
    line.show(shown(0));
    await line.keepDrawing(new AbortController().signal);
    line.clear();
    expect(output.text).toBe('');
  });
});
