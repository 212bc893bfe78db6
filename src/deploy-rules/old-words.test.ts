import { describe, expect, it } from 'vitest';
import { legacySettings } from '../contracts/settings.ts';
import { grantedMemory, namespaceForModel, oldDefaults } from './old-words.ts';

describe('the namespace of a model', () => {
  const namespaces = [
    { prefix: 'fraud-', namespace: 'fraud' },
    { prefix: 'fraud-card-', namespace: 'cards' },
  ];
  it.each([
    ['dga', 'models'],
    ['fraud-x', 'fraud'],
    ['fraud-card-x', 'cards'],
    ['fraud', 'models'],
  ])('%s', (model, wanted) => {
    expect(namespaceForModel(model, { namespace: 'models', namespaces })).toBe(wanted);
    expect(namespaceForModel(model, { namespace: 'models', namespaces: namespaces.toReversed() })).toBe(wanted);
  });

  it('is not known where nothing says it', () => {
    expect(namespaceForModel('dga', { namespace: undefined, namespaces })).toBeUndefined();
  });
});

describe('memory', () => {
  it.each([
    [512, 1, null, 512],
    [512, 1_024, null, 1_024],
    [1_024, 1_024, null, 1_024],
    [1_025, 1_024, 2_048, 2_048],
    [1, 1, null, 16],
    [1, 128, null, 128],
  ])('%d MB in steps of %d, at most %s', (asked, incrementMb, maximumMb, memoryMb) => {
    expect(grantedMemory(asked, { incrementMb, maximumMb })).toEqual({ memoryMb });
  });

  it('above the maximum is refused, also when only rounding makes it so', () => {
    expect(grantedMemory(4_097, { incrementMb: 1, maximumMb: 4_096 })).toEqual({ memoryMb: 4_097, exceeds: 4_096 });
    expect(grantedMemory(3_500, { incrementMb: 1_024, maximumMb: 4_000 })).toEqual({ memoryMb: 4_096, exceeds: 4_000 });
  });
});

describe('what else a new resource gets', () => {
  it.each<[string, Parameters<typeof oldDefaults>[0], object]>([
    ['where nothing is known', {}, { cpu: '10m', readFrom: 'Store' }],
    ['by default', { model: {}, legacy: legacySettings.parse({}) }, { cpu: '10m', readFrom: 'Store' }],
    ['where all models have a default', { model: { cpu: '250m' } }, { readFrom: 'Store' }],
    ['where those who come from YARN have one', { legacy: { cpu: '100m' } }, { cpu: '100m', readFrom: 'Store' }],
    ['where both have', { model: { cpu: '2' }, legacy: { cpu: '100m' } }, { cpu: '100m', readFrom: 'Store' }],
    ['where instances read the path', { legacy: { readFrom: 'Path' } }, { cpu: '10m', readFrom: 'Path' }],
  ])('%s', (_what, settings, wanted) => {
    expect(oldDefaults(settings)).toEqual(wanted);
  });
});
