import { describe, expect, test } from 'vitest';
import { goVersionIn, isAtLeast } from './go.ts';

test.each([
  ['go version go1.26.8 linux/amd64', '1.26.8'],
  ['go version go1.27 linux/arm64', '1.27'],
  ['go version devel +abc', undefined],
  ['', undefined],
])('the version in %j', (text, version) => {
  expect(goVersionIn(text)).toBe(version);
});

describe('versions are compared as numbers', () => {
  test.each([
    ['1.26.8', '1.26.6', true],
    ['1.26.6', '1.26.6', true],
    ['1.26.5', '1.26.6', false],
    ['1.9.0', '1.26.6', false],
    ['1.27', '1.26.6', true],
    ['1.26', '1.26.6', false],
    ['2.0.0', '1.26.6', true],
  ])('is %s at least %s: %s', (a, b, wanted) => {
    expect(isAtLeast(a, b)).toBe(wanted);
  });
});
