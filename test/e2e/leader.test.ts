/** Two replicas of the operator: one leads, the other takes over. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killInPod } from './docker.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('leader', { replicas: 2 });
  await stage.payload('led', pythonModel('1.0'));
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

/** Name of the pod that leads; empty while nobody does. */
async function leader(): Promise<string> {
  const holder = ['get', 'lease', 'maas-operator', '-o', 'jsonpath={.spec.holderIdentity}'];
  return (await stage.kubectl(...holder, '-n', stage.operatorNamespace)).split('_')[0] ?? '';
}

async function bothUp(): Promise<void> {
  await eventually('both replicas are up and one leads', async () => {
    const ready = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';
    const shown = await stage.kubectl('get', 'pods', '-n', stage.operatorNamespace, '-o', ready);
    return shown.trim() === 'True True' && (await leader()) !== '';
  });
}

async function anotherLeads(first: string, withinMs: number): Promise<void> {
  await eventually(
    'another leads',
    async () => {
      const now = await leader();
      return now !== '' && now !== first;
    },
    { withinMs },
  );
}

/** A change that only a leader acts on. */
async function acts(name: string): Promise<void> {
  await stage.apply(name, { path: `${stage.payloads}/led`, model: name, instances: 0 });
  await eventually('there is a Deployment', async () =>
    (await stage.k('get', 'deployment', '-o', 'name')).includes(`/${name}-`),
  );
}

describe('two replicas', () => {
  it('pass the lead on at once when the leader stops in good order', async () => {
    await bothUp();
    const first = await leader();
    await stage.kubectl('delete', 'pod', first, '-n', stage.operatorNamespace, '--wait=false');
    // Less than a lease lasts: it was given back.
    await anotherLeads(first, 8_000);
    await acts('orderly');
  });

  it('take over when the leader is killed and says nothing', async () => {
    await bothUp();
    const first = await leader();
    const uid = await stage.kubectl(
      'get',
      'pod',
      first,
      '-n',
      stage.operatorNamespace,
      '-o',
      'jsonpath={.metadata.uid}',
    );
    await killInPod(uid, 'operator.cjs');
    // The killed one is started again and may not lead under its old identity.
    const holder = () =>
      stage.kubectl(
        'get',
        'lease',
        'maas-operator',
        '-n',
        stage.operatorNamespace,
        '-o',
        'jsonpath={.spec.holderIdentity}',
      );
    const before = await holder();
    await eventually('another process leads', async () => (await holder()) !== before, { withinMs: 25_000 });
    await acts('killed');
  });

  it('prove with `helm test` that they reach ZooKeeper and HDFS', async () => {
    const said = await stage.helmTest();
    expect(said).toMatch(/^ok {4}ZooKeeper: .* answers, models are registered below \/maas\/service/m);
    expect(said).toMatch(/^ok {4}HDFS local: answers user maas/m);
    expect(said).toContain(`payload store local: ${stage.store} may be written to`);
  });

  it('serve the usual metrics', async () => {
    const pod = await leader();
    const text = await stage.kubectl(
      'get',
      '--raw',
      `/api/v1/namespaces/${stage.operatorNamespace}/pods/${pod}:8080/proxy/metrics`,
    );
    for (const name of [
      'maas_reconcile_total',
      'maas_workqueue_depth',
      'maas_reconcile_duration_seconds_bucket',
      'maas_leader 1',
      'maas_operator_build_info{version=',
      'maas_zookeeper_requests_total{operation=',
      'maas_watch_relists_total{kind="pods"}',
    ]) {
      expect(text).toContain(name);
    }
  });
});
