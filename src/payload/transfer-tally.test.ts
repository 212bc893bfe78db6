import { expect, it } from 'vitest';
import type { TransferProgress } from '../contracts/payload.ts';
import { TransferTally } from './transfer-tally.ts';

const mebibyte = 1024 * 1024;

it('tells what is in place after each mebibyte and each file', () => {
  const told: TransferProgress[] = [];
  const tally = new TransferTally({ files: 2, bytes: 3 * mebibyte }, (now) => told.push(now));
  const [one, two] = [tally.file(), tally.file()];
  one(mebibyte / 2);
  expect(told).toEqual([]);
  two(mebibyte / 2);
  one(2 * mebibyte);
  tally.fileDone();
  expect(told.map(({ bytesDone, filesDone }) => [bytesDone / mebibyte, filesDone])).toEqual([
    [1, 0],
    [2.5, 0],
    [2.5, 1],
  ]);
  expect(told.at(-1)).toMatchObject({ bytesTotal: 3 * mebibyte, filesTotal: 2 });
});

it('counts a file that begins again from its beginning', () => {
  const told: TransferProgress[] = [];
  const tally = new TransferTally({ files: 1, bytes: mebibyte }, (now) => told.push(now));
  const inPlace = tally.file();
  inPlace(mebibyte - 1);
  inPlace(0);
  inPlace(mebibyte);
  tally.fileDone();
  expect(told.at(-1)).toEqual({ bytesDone: mebibyte, bytesTotal: mebibyte, filesDone: 1, filesTotal: 1 });
});
