/** What the people who run a site demand of pods: drains that leave something, quotas, read-only file systems. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('site');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const budgets = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({ currentHealthy: z.number(), disruptionsAllowed: z.number() }).optional(),
    }),
  ),
});

async function budgetsOf(name: string) {
  const { uid } = (await stage.show(name)).metadata;
  return budgets.parse(await stage.json('pdb', '--selector', `maas.dev/owner-uid=${uid}`)).items;
}

/** As the drain of a node does it. */
function evict(pod: string): Promise<string> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: stage.namespace } };
  const path = `/api/v1/namespaces/${stage.namespace}/pods/${pod}/eviction`;
  return stage.kubectlIn(JSON.stringify(eviction), 'create', '--raw', path, '-f', '-');
}

const podsOf = (name: string) => stage.pods(`maas.dev/model=${name}`);

describe('a drain', () => {
  it('takes one of two instances, not both', async () => {
    await stage.payload('pair', pythonModel('1.0'));
    await stage.apply('pair', { instances: 2 });
    await stage.serves('pair', 2);
    await eventually('the budget counts both', async () => (await budgetsOf('pair'))[0]?.status?.currentHealthy === 2);
    const [first, second] = await podsOf('pair');
    const evicted = await Promise.allSettled([evict(first?.name ?? ''), evict(second?.name ?? '')]);
    const refused = evicted.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => String(reason))).toEqual([expect.stringMatching(/disruption budget/)]);
    expect((await stage.registered('pair')).length).toBeGreaterThanOrEqual(1);
    await stage.serves('pair', 2);
  });

  it('is never held up by one instance alone, up or not', async () => {
    await stage.payload('solo', pythonModel('1.0'));
    await stage.apply('solo', {});
    await stage.serves('solo', 1);
    await eventually('the budget counts it', async () => (await budgetsOf('solo'))[0]?.status?.currentHealthy === 1);
    const [up] = await podsOf('solo');
    await evict(up?.name ?? '');
    await stage.payload('broken', { 'run.sh': 'exit 1\n' });
    await stage.apply('broken', {});
    await stage.reasonIs('broken', 'ScriptEnded');
    const [down] = await podsOf('broken');
    await evict(down?.name ?? '');
  });

  it('finds no budget any more when the model is gone', async () => {
    expect(await budgetsOf('solo')).toHaveLength(1);
    await stage.k('delete', 'mdl', 'solo', 'broken');
    await eventually('the budgets go', async () => {
      const left = budgets.parse(await stage.json('pdb')).items.map(({ metadata }) => metadata.name);
      return left.every((name) => name.startsWith('pair-'));
    });
  });
});

describe('a script', () => {
  it('finds shared memory, /tmp and its own directory writable, and nothing else', async () => {
    const { 'run.sh': script = '', ...files } = pythonModel('1.0');
    const look = [
      '#!/bin/sh',
      'touch /root-file 2> /dev/null && exit 3',
      'touch /tmp/a /dev/shm/b ./c || exit 4',
      'cat <<END > here || exit 5',
      'a here-document',
      'END',
    ].join('\n');
    await stage.payload('tight', { ...files, 'run.sh': `${look}\n${script.replace(/^#!.*\n/, '')}` });
    await stage.apply('tight', {
      spec: {
        securityContext: { readOnlyRootFilesystem: true },
        volumes: [{ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: 16_777_216 } }],
        volumeMounts: [{ name: 'shm', mountPath: '/dev/shm' }],
        disk: '1Gi',
        cpu: 0.02,
      },
    });
    await stage.serves('tight', 1);
    await stage.k('delete', 'mdl', 'tight');
  });
});

describe('a quota of the namespace', () => {
  it('that wants limits is told for both containers, and met by what the message says', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'processors', namespace: stage.namespace },
      spec: { hard: { 'limits.cpu': '8' } },
    };
    await stage.kubectlIn(JSON.stringify(quota), 'apply', '-f', '-');
    await stage.payload('bound', pythonModel('1.0'));
    await stage.apply('bound', {});
    const message = await stage.reasonIs('bound', 'QuotaUnmet');
    expect(message).toContain('the container agent: spec.agent.resources.limits.cpu');
    expect(message).toContain('the container model: spec.resources.limits.cpu');
    await stage.apply('bound', {
      spec: { agent: { resources: { limits: { cpu: 1 } } }, resources: { limits: { cpu: 1 } } },
    });
    await stage.serves('bound', 1);
  });
});
