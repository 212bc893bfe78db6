import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hdfsSettings } from '../contracts/hadoop-side.ts';
import { parseHdfsPath } from '../contracts/hdfs-path.ts';
import { modelDeploymentSpec } from '../contracts/resource.ts';
import { defaultPayloadPath } from './payload-place.ts';

const { shape } = modelDeploymentSpec;
const settings = hdfsSettings.parse({ nameservices: { a: { webhdfs: ['http://nn:9870'] } } });

describe('defaultPayloadPath', () => {
  it('is the name and the version below the root', () => {
    expect(defaultPayloadPath('maas/models', 'dga', '1.0')).toBe('maas/models/dga/1.0');
    expect(defaultPayloadPath('/models/', 'mock dga', 'v2')).toBe('/models/mock dga/v2');
  });

  it('keeps apart what HDFS could not', () => {
    const odd = defaultPayloadPath('m', 'dga', '1/0');
    expect(odd).toMatch(/^m\/dga\/1-0-[a-z2-7]{8}$/);
    expect(defaultPayloadPath('m', 'dga', '1:0')).not.toBe(odd);
  });

  it('is for every model a path that HDFS takes, two directories below the root, its own', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
      fc.constantFrom('..', '.', 'é', 'e\u0301', ':'),
    );
    const pair = fc.tuple(
      text.filter((name) => shape.name.safeParse(name).success),
      text.filter((version) => shape.version.safeParse(version).success),
    );
    fc.assert(
      fc.property(pair, pair, ([name, version], [otherName, otherVersion]) => {
        const path = defaultPayloadPath('m', name, version);
        expect(parseHdfsPath(path, settings).path).toBe(path.normalize('NFC'));
        expect(path.split('/')).toHaveLength(3);
        const other = defaultPayloadPath('m', otherName, otherVersion);
        const same = name === otherName && version === otherVersion;
        expect(path.normalize('NFC') === other.normalize('NFC')).toBe(same);
      }),
      { numRuns: 500 },
    );
  });
});
