import { describe, expect, it } from 'vitest';
import { customResourceDefinition } from './crd.ts';
import { modelDeploymentSpec } from './resource.ts';

const least = { name: 'dga', version: '1.0', memory: '512Mi', payload: { path: '/models/dga' } };
const read = (spec: object) => modelDeploymentSpec.safeParse({ ...least, ...spec });

describe('the CRD', () => {
  it('is small enough for every way of applying it, and for people who read it', () => {
    expect(JSON.stringify(customResourceDefinition()).length).toBeLessThan(50_000);
  });
});

describe('a quantity', () => {
  it.each([
    ['memory', 536_870_912, '536870912'],
    ['memory', '0.5Gi', '0.5Gi'],
    ['cpu', 2, '2'],
    ['cpu', 0.5, '0.5'],
    ['cpu', '.5', '.5'],
    ['disk', 1e9, '1000000000'],
  ])('of %s as %j is the text %s', (field, written, text) => {
    expect(read({ [field]: written }).data).toMatchObject({ [field]: text });
  });

  it('may be a number wherever a Pod has one', () => {
    const resources = { limits: { 'nvidia.com/gpu': 1, cpu: 0.5 }, requests: { memory: 1_073_741_824 } };
    expect(read({ resources, agent: { resources } }).data).toMatchObject({
      resources: { limits: { 'nvidia.com/gpu': '1', cpu: '0.5' }, requests: { memory: '1073741824' } },
      agent: { resources: { limits: { cpu: '0.5' } } },
    });
  });

  it.each([-1, true, {}, 'many', '-1', '1 Gi'])('is refused as %j, in words', (cpu) => {
    const { error } = read({ cpu });
    expect(error?.issues[0]?.message).toMatch(/no quantity, such as/);
  });
});

describe('volumes', () => {
  it.each(['payload', 'control', 'session', 'pinned', 'token', 'tmp'])('named %s are refused', (name) => {
    expect(read({ volumes: [{ name, emptyDir: {} }] }).error?.issues[0]?.message).toMatch(/one of the names/);
  });

  it('of the node are refused', () => {
    const volumes = [{ name: 'x', hostPath: { path: '/' } }];
    expect(read({ volumes }).error?.issues[0]?.message).toMatch(/hostPath is refused/);
  });

  it('keep all that a Pod has of them', () => {
    const volumes = [{ name: 'x', projected: { sources: [{ secret: { name: 's' } }] } }];
    const volumeMounts = [{ name: 'x', mountPath: '/x', readOnly: true, subPath: 'a' }];
    expect(read({ volumes, volumeMounts }).data).toMatchObject({ volumes, volumeMounts });
  });

  it.each([
    ['/dev/shm', true],
    ['/data', true],
    ['/maasive', true],
    ['/a.b/..c', true],
    ['/x/maas', true],
    ['/data/', true],
    ['data', false],
    ['/', false],
    ['//', false],
    ['/maas', false],
    ['/maas/', false],
    ['/maas/payload/x', false],
    ['//maas/payload', false],
    ['/./maas', false],
    ['/x/../maas', false],
    ['/x/..', false],
    ['/x//maas', false],
  ])('mounted at %s: %s', (mountPath, taken) => {
    expect(read({ volumeMounts: [{ name: 'x', mountPath }] }).success).toBe(taken);
  });
});
