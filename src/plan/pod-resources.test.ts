import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exceedsQuantity } from '../contracts/quantity.ts';
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

  it('never asks for more than the limit, unless the resource says both, and keeps what the resource says', () => {
    const amount = fc.option(fc.constantFrom('0', '10m', '0.5', '1', '1.5', '2', '4Gi'), { nil: undefined });
    const amounts = amount.map((cpu): Record<string, string> => (cpu === undefined ? {} : { cpu }));
    const resources = fc.record({ requests: amounts, limits: amounts });
    fc.assert(
      fc.property(resources, resources, (defaults, asked) => {
        const { requests, limits } = fitted(defaults, asked);
        expect({ requests, limits }).toMatchObject(asked);
        const both = asked.requests['cpu'] !== undefined && asked.limits['cpu'] !== undefined;
        const given = requests['cpu'] !== undefined && limits['cpu'] !== undefined;
        if (given && !both) expect(exceedsQuantity(requests['cpu'] ?? '', limits['cpu'] ?? '')).toBe(false);
      }),
    );
  });
});
