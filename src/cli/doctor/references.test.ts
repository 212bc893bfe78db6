import { describe, expect, it } from 'vitest';
import { gatherReferences } from './gather-references.ts';
import { referencesOf } from './references.ts';

const named = (spec: Record<string, unknown>) =>
  referencesOf(spec, 'fraud').map(
    ({ kind, namespace, name, keys, field }) =>
      `${field}: ${kind} ${namespace ?? '-'}/${name}${keys.length > 0 ? ` ${keys}` : ''}`,
  );

describe('referencesOf', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['a token', { payload: { path: '/m', tokenSecret: 't' } }, ['payload.tokenSecret: Secret fraud/t token']],
    ['a service account', { serviceAccountName: 'sa' }, ['serviceAccountName: ServiceAccount fraud/sa']],
    ['a runtime class', { runtimeClassName: 'gvisor' }, ['runtimeClassName: RuntimeClass -/gvisor']],
    [
      'a priority class',
      { scheduling: { priorityClassName: 'p' } },
      ['scheduling.priorityClassName: PriorityClass -/p'],
    ],
    [
      'pull secrets',
      { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] },
      ['imagePullSecrets: Secret fraud/a', 'imagePullSecrets: Secret fraud/b'],
    ],
    [
      'variables',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
          { name: 'C', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
          { name: 'D', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
          { name: 'E', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
      },
      ['env B: Secret fraud/s k', 'env C: ConfigMap fraud/c k'],
    ],
    [
      'whole sources of variables',
      {
        envFrom: [
          { secretRef: { name: 's' } },
          { configMapRef: { name: 'c' } },
          { configMapRef: { name: 'd', optional: true } },
        ],
      },
      ['envFrom: Secret fraud/s', 'envFrom: ConfigMap fraud/c'],
    ],
    [
      'volumes',
      {
        volumes: [
          { name: 'a', secret: { secretName: 's', items: [{ key: 'k', path: 'p' }] } },
          { name: 'b', configMap: { name: 'c' } },
          { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
          { name: 'd', projected: { sources: [{ secret: { name: 'p' } }, { serviceAccountToken: { path: 't' } }] } },
          { name: 'e', emptyDir: {} },
        ],
      },
      [
        'volumes: Secret fraud/s k',
        'volumes: ConfigMap fraud/c',
        'volumes: PersistentVolumeClaim fraud/data',
        'volumes: Secret fraud/p',
      ],
    ],
    ['nothing, where nothing can be understood', { env: 7, volumes: 'x', payload: null }, []],
  ])('finds %s', (_what, spec, references) => {
    expect(named(spec)).toEqual(references);
  });
});

it('asks for each object once, however many name it', async () => {
  const asked: string[] = [];
  const inspector = {
    keysOf: async (kind: string, namespace: string | undefined, name: string) => {
      asked.push(`${kind} ${namespace}/${name}`);
      return name === 's' ? ['k'] : undefined;
    },
  };
  const spec = {
    env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
    imagePullSecrets: [{ name: 's' }],
  };
  const found = await gatherReferences(inspector, [referencesOf(spec, 'a'), [], referencesOf(spec, 'a')]);
  expect(asked).toEqual(['Secret a/s']);
  expect(found.map((each) => each.length)).toEqual([2, 0, 2]);
});
