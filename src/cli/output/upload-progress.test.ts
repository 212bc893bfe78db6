import { describe, expect, it } from 'vitest';
import { TextOutput } from '../../../test/builders/cli-ports.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { progressLine, progressText, rateOf } from './upload-progress.ts';

const mebibyte = 2 ** 20;

describe('progressText', () => {
  const half = { filesTotal: 4, filesDone: 1, bytesTotal: 200 * mebibyte, bytesDone: 90 * mebibyte };

  it('says how far, how fast and how long still', () => {
    expect(progressText(half, 11 * mebibyte)).toBe('uploading  45%  90 MiB of 200 MiB  11 MiB/s  10s left');
  });

  it('promises nothing before there is a rate', () => {
    expect(progressText(half, undefined)).toBe('uploading  45%  90 MiB of 200 MiB');
    expect(progressText(half, 0)).toBe('uploading  45%  90 MiB of 200 MiB');
  });

  it('can be at its end', () => {
    expect(progressText({ ...half, bytesDone: half.bytesTotal }, mebibyte)).toBe(
      'uploading 100%  200 MiB of 200 MiB  1 MiB/s  0s left',
    );
    expect(progressText({ filesTotal: 1, filesDone: 1, bytesTotal: 0, bytesDone: 0 }, undefined)).toBe(
      'uploading 100%  0 B of 0 B',
    );
  });
});

describe('rateOf', () => {
  it('is that between the first and the last sample', () => {
    expect(rateOf([])).toBeUndefined();
    expect(rateOf([{ at: 5, bytes: 100 }])).toBeUndefined();
    expect(
      rateOf([
        { at: 0, bytes: 0 },
        { at: 100, bytes: 1 },
        { at: 2_000, bytes: 5_000 },
      ]),
    ).toBe(2_500);
  });
});

describe('progressLine', () => {
  it('draws over itself on a terminal, not too often, and goes away', () => {
    const output = new TextOutput(true);
    const clock = new HastyClock();
    const line = progressLine(output, clock);
    const show = (bytesDone: number): void => line.show({ filesTotal: 1, filesDone: 0, bytesTotal: 2_048, bytesDone });
    show(0);
    clock.pass(50);
    show(512);
    clock.pass(950);
    show(1_024);
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
      [9_000, 1_025_024],
      [10_000, 1_026_048],
    ] as const) {
      clock.pass(at - clock.monotonic());
      line.show({ filesTotal: 1, filesDone: 0, bytesTotal: 2_048_000, bytesDone });
    }
    expect(output.text.endsWith('  1 KiB/s  16m left\u001b[K')).toBe(true);
  });

  it('says nothing where no person looks', () => {
    const output = new TextOutput(false);
    const line = progressLine(output, new HastyClock());
    line.show({ filesTotal: 1, filesDone: 0, bytesTotal: 1, bytesDone: 0 });
    line.clear();
    expect(output.text).toBe('');
  });
});
