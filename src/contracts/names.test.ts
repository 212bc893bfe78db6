import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instanceId, labelValue, podUidOf, resourceNameFor, shortHash, versionKey } from './names.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

describe('resourceNameFor', () => {
  it.each([
    ['dga', '1.0', 'dga-1.0'],
    ['echo', '2', 'echo-2'],
    ['Mock_DGA', '1.0', /^mock-dga-1\.0-[a-z2-7]{8}$/],
    ['…', '…', /^m-[a-z2-7]{8}$/],
  ])('%s @ %s', (model, version, expected) => {
    expect(resourceNameFor(model, version)).toMatch(expected);
  });

  it('is always a valid name of at most 52 characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ minLength: 1 }), (model, version) => {
        const name = resourceNameFor(model, version);
        expect(name).toMatch(subdomain);
        expect(name.length).toBeLessThanOrEqual(52);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives different names to different models and versions', () => {
    const part = fc.stringMatching(/^[aA1._-]{1,4}$/);
    fc.assert(
      fc.property(part, part, part, part, (m1, v1, m2, v2) => {
        fc.pre(m1 !== m2 || v1 !== v2);
        expect(resourceNameFor(m1, v1)).not.toBe(resourceNameFor(m2, v2));
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('instance ids', () => {
  it("end in the pod's UID, which is found again", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,40}$/), fc.uuid(), (pod, uid) => {
        expect(podUidOf(instanceId(pod, uid))).toBe(uid);
      }),
    );
  });

  it.each(['2', 'container_1_0001', '', 'x-1234'])('%j is not one of ours', (id) => {
    expect(podUidOf(id)).toBeUndefined();
  });
});

describe('labelValue', () => {
  it('is always a valid label value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(labelValue(text)).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
      }),
    );
  });
});

describe('versionKey', () => {
  it('depends on version and path, and cannot confuse them', () => {
    expect(versionKey('1', { path: '/a' })).toBe(versionKey('1', { path: '/a', readFrom: 'Path' }));
    expect(versionKey('1', { path: '/a' })).not.toBe(versionKey('1/', { path: 'a' }));
    expect(versionKey('1', { path: '/a' })).not.toBe(versionKey('1', { path: '/a', readFrom: 'Store' }));
  });
});

describe('shortHash', () => {
  it('is base32 of SHA-256', () => {
    // printf '' | sha256sum | xxd -r -p | base32 | tr A-Z a-z | cut -c1-20
    expect(shortHash('', 20)).toBe('4oymiquy7qobjgx36tej');
  });
});
