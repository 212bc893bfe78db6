import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPin, aResource, someSettings } from '../../test/builders/model-deployment.ts';
import type { ModelDeploymentSpec } from '../contracts/resource.ts';
import { type SchedulingSettings, schedulingSettings } from '../contracts/settings.ts';
import { deploymentManifest } from './children.ts';
import { affinityOf } from './placement.ts';

type Scheduling = NonNullable<ModelDeploymentSpec['scheduling']>;
interface Template {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

function made(
  scheduling: Scheduling,
  settings: Partial<SchedulingSettings> = {},
  podMetadata?: ModelDeploymentSpec['podMetadata'],
) {
  const resource = aResource({ spec: { scheduling, ...(podMetadata === undefined ? {} : { podMetadata }) } });
  const all = { ...someSettings, scheduling: { ...schedulingSettings.parse({}), ...settings } };
  return { resource, all, manifest: deploymentManifest(resource, aPin, all) };
}

const uid = aResource().metadata.uid;
const foreign = (labels: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => /kueue|yunikorn/.test(key)));

function placed(scheduling: Scheduling, settings: Partial<SchedulingSettings> = {}) {
  const { manifest } = made(scheduling, settings);
  const { template } = manifest['spec'] as { template: Template };
  return {
    deployment: foreign(manifest.metadata.labels),
    pods: foreign(template.metadata.labels),
    priority: template.spec['priorityClassName'],
  };
}

const kueue = (queue: string) => ({ 'kueue.x-k8s.io/queue-name': queue });
const yunikorn = (queue: string) => ({ 'yunikorn.apache.org/queue': queue, 'yunikorn.apache.org/app-id': uid });

describe('a queue', () => {
  it.each<[string, Scheduling, Partial<SchedulingSettings>, ReturnType<typeof placed>]>([
    ['none', {}, {}, { deployment: {}, pods: {}, priority: undefined }],
    [
      'the labels of both',
      { queue: 'analytics' },
      {},
      {
        deployment: kueue('analytics'),
        pods: { ...kueue('analytics'), ...yunikorn('analytics') },
        priority: undefined,
      },
    ],
    [
      'that of Kueue',
      { queue: 'analytics' },
      { queueAs: 'Kueue' },
      { deployment: kueue('analytics'), pods: kueue('analytics'), priority: undefined },
    ],
    [
      'those of YuniKorn, by its name there',
      { queue: 'analytics', priorityClassName: 'high' },
      { queueAs: 'YuniKorn', queueNames: { analytics: 'root.analytics' } },
      { deployment: {}, pods: yunikorn('root.analytics'), priority: 'high' },
    ],
    [
      'a priority class',
      { queue: 'analytics' },
      { queueAs: 'PriorityClass', queueNames: { analytics: 'batch' } },
      { deployment: {}, pods: {}, priority: 'batch' },
    ],
    [
      'the priority class that is named',
      { queue: 'analytics', priorityClassName: 'high' },
      { queueAs: 'PriorityClass' },
      { deployment: {}, pods: {}, priority: 'high' },
    ],
    [
      'that of the settings',
      {},
      { queue: 'default', queueAs: 'Kueue' },
      { deployment: kueue('default'), pods: kueue('default'), priority: undefined },
    ],
    [
      'its own before that of the settings',
      { queue: 'mine' },
      { queue: 'default', queueAs: 'Kueue' },
      { deployment: kueue('mine'), pods: kueue('mine'), priority: undefined },
    ],
    [
      'whose name is one of an object in JavaScript',
      { queue: 'constructor' },
      { queueAs: 'Kueue' },
      { deployment: kueue('constructor'), pods: kueue('constructor'), priority: undefined },
    ],
  ])('becomes %s', (_what, scheduling, settings, wanted) => {
    expect(placed(scheduling, settings)).toEqual(wanted);
  });

  it('never takes the place of a label by which the pods are found, and yields to one that the user gives', () => {
    const { manifest } = made({ queue: 'a' }, {}, { labels: { 'yunikorn.apache.org/app-id': 'mine' } });
    const { selector, template } = manifest['spec'] as {
      selector: { matchLabels: Record<string, string> };
      template: Template;
    };
    expect(template.metadata.labels).toMatchObject({
      ...selector.matchLabels,
      'yunikorn.apache.org/app-id': 'mine',
      'yunikorn.apache.org/queue': 'a',
    });
  });

  it('of the settings does not move what runs, neither pods nor Deployment', () => {
    const { resource, manifest } = made({}, { queue: 'before', queueAs: 'Kueue' });
    const { replicas: _replicas, paused: _paused, ...spec } = manifest['spec'] as Record<string, unknown>;
    const later = { ...someSettings, scheduling: schedulingSettings.parse({ queue: 'after', queueAs: 'Kueue' }) };
    expect(
      deploymentManifest(resource, aPin, later, undefined, { name: manifest.metadata.name, applied: spec }),
    ).toEqual(manifest);
  });
});

const prefix = 'node-label.maas.dev/';
const has = (label: string) => ({ key: prefix + label, operator: 'Exists' });
const lacks = (label: string) => ({ key: prefix + label, operator: 'DoesNotExist' });
const zone = { key: 'zone', operator: 'In', values: ['east'] };

function terms(scheduling: Scheduling, settings: Partial<SchedulingSettings> = {}): unknown {
  const affinity = affinityOf(scheduling, { ...schedulingSettings.parse({}), ...settings });
  const node = affinity?.['nodeAffinity'] as
    | { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: unknown } }
    | undefined;
  return node?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
}

const required = (...nodeSelectorTerms: unknown[]) => ({
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
});

describe('a node label expression', () => {
  it('becomes terms of node affinity, under the configured prefix', () => {
    expect(terms({ nodeLabelExpression: 'gpu && !spot || fpga' })).toEqual([
      { matchExpressions: [has('gpu'), lacks('spot')] },
      { matchExpressions: [has('fpga')] },
    ]);
    expect(terms({ nodeLabelExpression: 'gpu' }, { nodeLabelPrefix: '' })).toEqual([
      { matchExpressions: [{ key: 'gpu', operator: 'Exists' }] },
    ]);
  });

  it('holds beside the affinity that the resource has: each alternative of the one with each of the other', () => {
    const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [] };
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] };
    const own = required({ matchExpressions: [zone] }, { matchFields: [{ key: 'metadata.name' }] });
    const affinity = { podAntiAffinity, nodeAffinity: { ...preferred, ...own.nodeAffinity } };
    const made = affinityOf({ nodeLabelExpression: 'gpu || fpga', affinity }, schedulingSettings.parse({}));
    expect(made).toMatchObject({ podAntiAffinity, nodeAffinity: preferred });
    expect(terms({ nodeLabelExpression: 'gpu || fpga', affinity })).toEqual([
      { matchExpressions: [zone, has('gpu')] },
      { matchExpressions: [zone, has('fpga')] },
      { matchFields: [{ key: 'metadata.name' }], matchExpressions: [has('gpu')] },
      { matchFields: [{ key: 'metadata.name' }], matchExpressions: [has('fpga')] },
    ]);
  });

  it('does not make a term match that matches no node', () => {
    expect(terms({ nodeLabelExpression: 'gpu', affinity: required({}) })).toEqual([{}]);
  });

  it('of the resource goes before that of the settings, an empty one too', () => {
    const settings = { nodeLabelExpression: 'large' };
    expect(terms({}, settings)).toEqual([{ matchExpressions: [has('large')] }]);
    expect(terms({ nodeLabelExpression: 'gpu' }, settings)).toEqual([{ matchExpressions: [has('gpu')] }]);
    expect(terms({ nodeLabelExpression: '' }, settings)).toBeUndefined();
  });

  it('leaves an affinity of its own alone where there is none', () => {
    fc.assert(
      fc.property(fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined }), (affinity) => {
        const scheduling = affinity === undefined ? {} : { affinity };
        expect(affinityOf(scheduling, schedulingSettings.parse({}))).toBe(affinity);
      }),
    );
  });

  it('makes something of whatever stands where an affinity should', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constant({ requiredDuringSchedulingIgnoredDuringExecution: [1] }));
    fc.assert(
      fc.property(odd, odd, (nodeAffinity, nodeSelectorTerms) => {
        for (const affinity of [{ nodeAffinity }, { nodeAffinity: { nodeSelectorTerms } }]) {
          expect(terms({ nodeLabelExpression: 'gpu', affinity })).toEqual([{ matchExpressions: [has('gpu')] }]);
        }
      }),
    );
  });
});
