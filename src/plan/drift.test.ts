import { describe, expect, it } from 'vitest';
import { driftOf } from './drift.ts';

describe('driftOf', () => {
  it.each<[string, unknown, unknown, string | undefined]>([
    ['the same', { a: 1 }, { a: 1 }, undefined],
    ['defaults that the server added', { a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }, undefined],
    ['another value', { a: { b: 1 } }, { a: { b: 2 } }, 'a.b'],
    ['a missing value', { a: { b: 1 } }, {}, 'a'],
    ['a longer list', { l: [1] }, { l: [1, 2] }, 'l'],
    ['another item', { l: [{ x: 1 }] }, { l: [{ x: 2 }] }, 'l[0].x'],
    ['one amount in two writings', { requests: { memory: '1024Mi' } }, { requests: { memory: '1Gi' } }, undefined],
    ['another amount', { limits: { cpu: '1' } }, { limits: { cpu: '1100m' } }, 'limits.cpu'],
    ['an amount elsewhere is a text', { value: '1024Mi' }, { value: '1Gi' }, 'value'],
    ['an empty text that is not stored', { env: [{ name: 'A', value: '' }] }, { env: [{ name: 'A' }] }, undefined],
    ['an amount as a number', { limits: { cpu: 2 } }, { limits: { cpu: '2' } }, undefined],
    ['an amount that is no simple fraction', { requests: { cpu: '1.005' } }, { requests: { cpu: '1005m' } }, undefined],
    [
      'the size of a volume',
      { volumes: [{ emptyDir: { sizeLimit: 1_073_741_824 } }] },
      { volumes: [{ emptyDir: { sizeLimit: '1Gi' } }] },
      undefined,
    ],
    [
      'the divisor of a field of resources',
      { resourceFieldRef: { divisor: '1024Ki' } },
      { resourceFieldRef: { divisor: '1Mi' } },
      undefined,
    ],
    ['a null that is not stored', { affinity: { nodeAffinity: null } }, { affinity: {} }, undefined],
    [
      'a mount that is not read-only',
      { c: { volumeMounts: [{ name: 'a', readOnly: false }] } },
      { c: { volumeMounts: [{ name: 'a' }] } },
      undefined,
    ],
    ['a token that is mounted again', { automountServiceAccountToken: false }, {}, 'automountServiceAccountToken'],
    ['an empty list that is not stored', { l: [] }, {}, undefined],
    ['an empty object that is not stored', { o: {} }, {}, undefined],
    ['undefined means nothing was asked', { a: undefined }, { a: 1 }, undefined],
  ])('%s', (_name, applied, live, expected) => {
    expect(driftOf(applied, live)).toBe(expected);
  });
});
