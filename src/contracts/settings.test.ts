import { describe, expect, it } from 'vitest';
import { cpuOf, operatorSettings } from './settings.ts';

const least = {
  zookeeper: { quorum: 'zk:2181' },
  hdfs: { nameservices: { main: { webhdfs: ['http://nn1:9870'] } } },
  agent: { image: 'maas-operator:1' },
  model: { image: 'maas-runtime:1' },
};
const problems = (queue: object, rest: object = {}) => {
  const parsed = operatorSettings.safeParse({ ...least, ...rest, legacy: { queue } });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
};

describe('the settings of the old queue', () => {
  it('are off where nothing is said', () => {
    expect(operatorSettings.parse(least).legacy.queue).toEqual({
      enabled: false,
      namespaces: [],
      models: ['*'],
      memory: { incrementMb: 1, maximumMb: null },
    });
  });

  it('need a namespace where they are on', () => {
    expect(problems({ enabled: true })).toEqual(['legacy.queue.namespace is needed where the queue is enabled']);
    expect(problems({ enabled: true, namespace: 'fraud' })).toEqual([]);
    expect(problems({ enabled: false })).toEqual([]);
  });

  it('need a second queue where only some models are taken', () => {
    const some = { enabled: true, namespace: 'fraud', models: ['dga', 'dns-*'] };
    expect(problems(some)).toEqual(['legacy.queue.forwardTo is needed where the models do not include "*"']);
    expect(problems({ ...some, forwardTo: '/maas/yarn' })).toEqual([]);
    for (const path of ['maas', '/', '/maas/', '/a//b']) {
      expect(problems({ ...some, forwardTo: path }).join()).toContain('is not the path of a znode');
    }
  });

  it('name only namespaces that are served', () => {
    const queue = { enabled: true, namespace: 'fraud', namespaces: [{ prefix: 'd', namespace: 'dns' }] };
    expect(problems(queue, { namespaces: ['fraud', 'dns'] })).toEqual([]);
    expect(problems(queue, { namespaces: ['fraud'] })).toEqual([
      'legacy.queue names dns, which is not among the namespaces that are served',
    ]);
  });

  it('refuse a mistyped one', () => {
    expect(problems({ forwardto: '/x' }).join()).toContain('forwardto');
  });
});

describe('the processor of instances that say none', () => {
  it.each<[string, { model?: { cpu?: string }; legacy?: { cpu?: string } }, string]>([
    ['by default', {}, '1'],
    ['with a default for all', { model: { cpu: '250m' } }, '250m'],
    ['with one for those who come from YARN', { legacy: { cpu: '100m' } }, '1'],
    ['with both', { model: { cpu: '2' }, legacy: { cpu: '100m' } }, '2'],
  ])('%s', (_what, { model, legacy }, own) => {
    const settings = operatorSettings.parse({ ...least, model: { image: 'm', ...model }, legacy: { ...legacy } });
    expect(cpuOf(settings)).toBe(own);
  });
});

describe('amounts in the settings', () => {
  it('may be numbers, as in a Pod', () => {
    const resources = { requests: { cpu: 0.5 }, limits: { cpu: 2, memory: 134_217_728 } };
    expect(operatorSettings.parse({ ...least, agent: { image: 'a', resources } }).agent.resources).toEqual({
      requests: { cpu: '0.5' },
      limits: { cpu: '2', memory: '134217728' },
    });
  });

  it('never allow a budget that holds up drains', () => {
    const model = { image: 'm', disruptionBudget: { maxUnavailable: 0 } };
    expect(operatorSettings.safeParse({ ...least, model }).success).toBe(false);
  });
});
