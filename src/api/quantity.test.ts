import { describe, expect, it } from 'vitest';
import { formatBytes, parseQuantity, sameQuantity } from './quantity.ts';

describe('parseQuantity', () => {
  it.each([
    ['512Mi', 536_870_912],
    ['1Gi', 1_073_741_824],
    ['1.5k', 1_500],
    ['500m', 0.5],
    ['2', 2],
    ['1e3', 1_000],
    ['', undefined],
    ['Mi', undefined],
    ['-1', undefined],
    ['1 Gi', undefined],
  ])('%j', (text, number) => {
    expect(parseQuantity(text)).toBe(number);
  });
});

describe('sameQuantity', () => {
  it.each([
    ['1024Mi', '1Gi', true],
    ['1', '1000m', true],
    ['1G', '1Gi', false],
  ])('%s and %s', (left, right, same) => {
    expect(sameQuantity(left, right)).toBe(same);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [297_795_584, '284 MiB'],
    [3 * 2 ** 40, '3 TiB'],
  ])('%d', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
