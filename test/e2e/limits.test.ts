/** What a namespace does not allow, in the words of Kubernetes. In a namespace of its own: a quota concerns everybody. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';
import { tellsWhy } from './why-text.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('limits');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

/** What the kubelet said when it evicted pods of this namespace. */
async function evictions(): Promise<readonly string[]> {
  const events = await stage.k(
    'get',
    'events',
    '--field-selector',
    'reason=Evicted',
    '-o',
    'jsonpath={.items[*].message}',
  );
  return events === '' ? [] : [events];
}

describe('kubectl get mdl says', () => {
  it('more than the quota of the namespace allows, in the words of Kubernetes', async () => {
    await stage.payload('quota', pythonModel('1.0'));
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'big', namespace: stage.namespace },
      spec: { hard: { 'requests.memory': '1Gi' } },
    };
    await stage.kubectlIn(JSON.stringify(quota), 'apply', '-f', '-');
    await stage.apply('quota', { memory: '2Gi' });
    const message = await stage.reasonIs('quota', 'WaitingForQueueCapacity');
    await tellsWhy(stage, 'quota');
    expect(message).toContain('exceeded quota: big');
    expect(message).toContain('One instance asks for more requests.memory than the quota has in all');
  });

  it('a quota that counts objects, and serves when there is room', async () => {
    await stage.payload('counted', pythonModel('1.0'));
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'objects', namespace: stage.namespace },
      spec: { hard: { 'count/configmaps': '1' } },
    };
    await stage.kubectlIn(JSON.stringify(quota), 'apply', '-f', '-');
    await eventually(
      'the quota counts',
      async () => (await stage.k('get', 'quota', 'objects', '-o', 'jsonpath={.status.used}')) !== '',
    );
    await stage.apply('counted', {});
    const message = await stage.reasonIs('counted', 'WaitingForQueueCapacity');
    expect(message).toContain('waiting for room in a quota');
    await stage.k('delete', 'quota', 'objects');
    await stage.serves('counted', 1);
  });

  it('that a quota wants more to be said of each container', async () => {
    await stage.payload('unsaid', pythonModel('1.0'));
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'processors', namespace: stage.namespace },
      spec: { hard: { 'limits.cpu': '8' } },
    };
    await stage.kubectlIn(JSON.stringify(quota), 'apply', '-f', '-');
    await stage.apply('unsaid', {});
    expect(await stage.reasonIs('unsaid', 'QuotaUnmet')).toContain('spec.resources.limits.cpu');
    await tellsWhy(stage, 'unsaid');
    await stage.k('delete', 'quota', 'processors');
    await stage.k('delete', 'mdl', 'unsaid', '--wait=false');
  });

  it('what an instance wrote beyond its disk, which takes that instance alone', async () => {
    const { 'run.sh': run = '', ...files } = pythonModel('1.0');
    const greedy = run.replace('\n', '\nhead -c 64000000 /dev/zero > big\n');
    await stage.payload('greedy', { ...files, 'run.sh': greedy });
    await stage.apply('greedy', { spec: { disk: '1Mi' } });
    await eventually(
      'an instance is evicted',
      async () => (await evictions()).some((words) => /ephemeral|emptyDir|EmptyDir/.test(words)),
      { withinMs: 180_000 },
    );
  });

  it('a pod that Kubernetes refuses', async () => {
    await stage.payload('refused', pythonModel('1.0'));
    await stage.apply('refused', { spec: { scheduling: { priorityClassName: 'no-such-class' } } });
    expect(await stage.reasonIs('refused', 'PriorityClassMissing')).toContain('no-such-class');
  });
});
