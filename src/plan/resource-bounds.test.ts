import { describe, expect, it } from 'vitest';
import { beyondQuota, containersOf, fitInto, sayTo } from './resource-bounds.ts';

const deployment = {
  template: {
    spec: {
      initContainers: [
        { name: 'agent', resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '128Mi' } } },
      ],
      containers: [
        { name: 'model', resources: { requests: { cpu: 2, memory: '1Gi' }, limits: { memory: '1Gi', cpu: '4' } } },
      ],
    },
  },
};
const both = containersOf(deployment);

describe('containersOf', () => {
  it('has both, with their amounts as text', () => {
    expect(both.map(({ name, requests }) => [name, requests['cpu']])).toEqual([
      ['agent', '20m'],
      ['model', '2'],
    ]);
    expect(containersOf({})).toEqual([]);
  });
});

describe('sayTo', () => {
  it.each([
    [
      'limits.cpu for: agent',
      'the container agent: spec.agent.resources.limits.cpu (for all models: agent.resources.limits.cpu of the chart)',
    ],
    [
      'limits.cpu for: agent,model',
      'the container model: spec.resources.limits.cpu (for all models: model.resources.limits.cpu of the chart)',
    ],
    ['requests.cpu for: model', 'the container model: spec.cpu'],
    ['cpu for: model', 'the container model: spec.cpu'],
    ['limits.ephemeral-storage for: agent', 'spec.agent.resources.limits.ephemeral-storage'],
    ['limits.ephemeral-storage for: model', 'spec.disk'],
    ['limits.cpu for: agent; limits.memory for: agent', 'spec.agent.resources.limits.memory'],
    ['something new', 'spec.agent.resources for the container agent'],
  ])('%s', (wanted, place) => {
    expect(sayTo(wanted)).toContain(place);
  });
});

describe('fitInto', () => {
  it.each<[string, string, string | undefined]>([
    [
      'a limit that is too high',
      '[maximum memory usage per Container is 512Mi, but limit is 1Gi]',
      'for the container model lower spec.memory, maximum 512Mi.',
    ],
    [
      'the same amount, written otherwise',
      'maximum cpu usage per Container is 1, but limit is 4000m',
      'for the container model lower spec.resources.limits.cpu (for all models: model.resources.limits.cpu of the chart), maximum 1.',
    ],
    [
      'a request that is too low',
      'minimum cpu usage per Container is 50m, but request is 20m',
      'for the container agent raise spec.agent.resources.requests.cpu (for all models: agent.resources.requests.cpu of the chart), minimum 50m.',
    ],
    [
      'a limit that is not given',
      'maximum cpu usage per Container is 1.  No limit is specified',
      'for the container agent give spec.agent.resources.limits.cpu (for all models: agent.resources.limits.cpu of the chart), maximum 1.',
    ],
    [
      'a ratio',
      'memory max limit to request ratio per Container is 1, but provided ratio is 2.000000',
      'for the container agent raise spec.agent.resources.requests.memory (for all models: agent.resources.requests.memory of the chart): the limit may be 1 times the request.',
    ],
    [
      'an amount that neither has',
      'maximum cpu usage per Container is 1, but limit is 3',
      'for the container agent lower spec.agent.resources.limits.cpu (for all models: agent.resources.limits.cpu of the chart), maximum 1; for the container model lower spec.resources.limits.cpu (for all models: model.resources.limits.cpu of the chart), maximum 1.',
    ],
    [
      'the pod as a whole',
      'maximum memory usage per Pod is 1Gi, but limit is 1207959552',
      'the bound of a Pod counts both containers, agent and model.',
    ],
    ['other words', 'no more than three', undefined],
  ])('%s', (_name, words, advice) => {
    expect(fitInto(words, both)).toBe(advice);
  });
});

describe('beyondQuota', () => {
  it.each([
    [
      'exceeded quota: q, requested: requests.memory=2Gi, used: requests.memory=0, limited: requests.memory=1Gi',
      ['requests.memory'],
    ],
    ['exceeded quota: q, requested: limits.cpu=2,pods=1, used: limits.cpu=1,pods=3, limited: limits.cpu=2,pods=3', []],
    ['exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0', ['pods']],
    ['exceeded quota', []],
  ])('%s', (words, names) => {
    expect(beyondQuota(words)).toEqual(names);
  });
});
