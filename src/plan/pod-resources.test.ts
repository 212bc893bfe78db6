import { describe, expect, it } from 'vitest';
import { fitted } from './pod-resources.ts';

describe('fitted', () => {
  const none = { requests: {}, limits: {} };
  it.each<[string, Parameters<typeof fitted>, ReturnType<typeof fitted>]>([
    [
      'what is asked goes before the default',
      [{ requests: { cpu: '20m' }, limits: { cpu: '1' } }, { requests: { cpu: '50m' } }],
      { requests: { cpu: '50m' }, limits: { cpu: '1' } },
    ],
    [
      'a default request is no more than the limit that was asked for',
      [{ requests: { cpu: '1' }, limits: {} }, { limits: { cpu: '500m' } }],
      { requests: { cpu: '500m' }, limits: { cpu: '500m' } },
    ],
    [
      'a default limit is no less than the request',
      [{ requests: {}, limits: { cpu: '2' } }, { requests: { cpu: '4' } }],
      { requests: { cpu: '4' }, limits: { cpu: '4' } },
    ],
    [
      'who asks for both gets both, and is told by the API server',
      [none, { requests: { cpu: '2' }, limits: { cpu: '1' } }],
      { requests: { cpu: '2' }, limits: { cpu: '1' } },
    ],
    [
      'a limit alone stays alone',
      [none, { limits: { 'nvidia.com/gpu': '1' } }],
      { requests: {}, limits: { 'nvidia.com/gpu': '1' } },
    ],
    ['nothing asked', [{ requests: { cpu: '20m' }, limits: {} }, undefined], { requests: { cpu: '20m' }, limits: {} }],
  ])('%s', (_name, [defaults, asked], expected) => {
    expect(fitted(defaults, asked)).toEqual(expected);
  });
});
