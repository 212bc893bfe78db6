/** What a namespace does not allow, in the words of Kubernetes. In a namespace of its own: a quota concerns everybody. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonModel } from './payloads.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('limits');
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

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
    expect(await stage.reasonIs('quota', 'WaitingForQueueCapacity')).toContain('exceeded quota: big');
  });

  it('a pod that Kubernetes refuses', async () => {
    await stage.payload('refused', pythonModel('1.0'));
    await stage.apply('refused', { spec: { scheduling: { priorityClassName: 'no-such-class' } } });
    expect(await stage.reasonIs('refused', 'PriorityClassMissing')).toContain('no-such-class');
  });
});
