import { describe, expect, it } from 'vitest';
import { exceedsQuantity, formatBytes, parseQuantity, sameQuantity } from './quantity.ts';

describe('parseQuantity', () => {
  it.each([
    ['512Mi', 536_870_912],
    ['1Gi', 1_073_741_824],
    ['1.5k', 1_500],
    ['500m', 0.5],
    ['2', 2],
    ['1e3', 1_000],
    ['1E3', 1_000],
    ['1e+3', 1_000],
    ['1e-3', 0.001],
    ['1E', 1e18],
    ['.5', 0.5],
    ['5.', 5],
    ['+2', 2],
    ['0.5Gi', 536_870_912],
    ['100u', 0.0001],
    ['1e', undefined],
    ['.', undefined],
    ['1e1000000000', undefined],
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
    // As numbers of the language these differ, or do not.
    ['1.005', '1005m', true],
    ['0.1Gi', '107374182400m', true],
    ['9007199254740993', '9007199254740992', false],
    ['0.0000000001', '1n', true],
    ['100u', '1m', true],
    ['1100u', '1m', false],
    ['1e-3', '1m', true],
  ])('%s and %s', (left, right, same) => {
    expect(sameQuantity(left, right)).toBe(same);
  });
});

describe('exceedsQuantity', () => {
  it.each([
    ['1', '999m', true],
    ['1Gi', '1024Mi', false],
    ['500m', '1', false],
    ['many', '1', false],
  ])('%s over %s', (left, right, exceeds) => {
    expect(exceedsQuantity(left, right)).toBe(exceeds);
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
