/** A HorizontalPodAutoscaler on a model, with metrics-server: to load and back, with a switch in between, and to zero. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findEngine } from '../../deploy/local/engine.ts';
import { installMetricsServer, removeMetricsServer } from '../../deploy/local/metrics-server.ts';
import { Load } from '../integration/java.ts';
import { present } from '../integration/world.ts';
import { cleanUp } from './clean-up.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
// The tools last: a cluster says of which kind it is.
const cluster = () => ({ ...present('cluster'), ...present('tools') });

beforeAll(async () => {
  await findEngine();
  const opening = Stage.open('scale').then((opened) => {
    stage = opened;
  });
  // Where the cluster was not compiled here, metrics-server takes the compiler minutes, once.
  for (const done of await Promise.allSettled([installMetricsServer(cluster()), opening]))
    if (done.status === 'rejected') throw done.reason;
}, 900_000);
afterAll(async () => {
  await cleanUp(
    () => removeMetricsServer(cluster()),
    () => stage?.[Symbol.asyncDispose](),
  );
});

/** Each answer costs some milliseconds of the processor. */
function busyModel(version: string): Record<string, string> {
  const files = pythonModel(version);
  const server = (files['server.py'] ?? '').replace(
    'body = json.dumps',
    'sum(i * i for i in range(60000))\n        body = json.dumps',
  );
  return { ...files, 'server.py': server };
}

const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'busy' },
  spec: {
    scaleTargetRef: { apiVersion: 'maas.dev/v1', kind: 'ModelDeployment', name: 'busy' },
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'cpu',
          container: 'model',
          target: { type: 'Utilization', averageUtilization: 20 },
        },
      },
    ],
    // Nobody should wait five minutes for a test.
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
  },
};

const shownAutoscaler = z.object({
  status: z.object({
    currentReplicas: z.number().optional(),
    desiredReplicas: z.number(),
    conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: z.string() })),
  }),
});

const instances = async () => Number((await stage.show('busy')).spec['instances']);
const asWords = () => stage.k('get', 'hpa,mdl');

async function isScaledTo(wanted: number): Promise<void> {
  await eventually(`it is scaled to ${wanted}`, async () => (await instances()) === wanted, {
    withinMs: 150_000,
    account: asWords,
  });
  await stage.serves('busy', wanted);
}

/** Names of the pods that an autoscaler finds by the scale subresource, as it looks for them. */
async function scaled(): Promise<{ replicas: number; found: string[] }> {
  const scale = z
    .object({ status: z.object({ replicas: z.number(), selector: z.string() }) })
    .parse(JSON.parse(await stage.k('get', 'mdl', 'busy', '--subresource=scale', '-o', 'json')));
  const found = (await stage.pods(scale.status.selector)).map(({ name }) => name);
  return { replicas: scale.status.replicas, found };
}

describe('a model with an autoscaler', () => {
  it('follows the load up and down, keeps its instances over a switch, and nobody undoes what the other writes', async () => {
    const path = await stage.payload('busy', busyModel('1.0'));
    await stage.payload('busy-2', busyModel('2.0'));
    await stage.apply('busy', { path, spec: { cpu: '100m', drain: '1s', stopTimeout: '1s' } });
    await stage.serves('busy', 1);
    await stage.kubectlIn(JSON.stringify(autoscaler), 'apply', '-n', stage.namespace, '-f', '-');
    {
      await using calls = await Load.start(stage.chroot.connect(), {
        ...{ model: 'busy', args: { a: 'b' } },
        ...{ threads: 6, pauseMs: 110, forMs: 280_000 },
      });
      await isScaledTo(3);

      const change = { version: '2.0', payload: { path: `${stage.payloads}/busy-2` } };
      await stage.k('patch', 'mdl', 'busy', '--type=merge', '-p', JSON.stringify({ spec: change }));
      // What the subresource finds is never both versions, nor none.
      await eventually('the new version serves', async () => {
        const { found, replicas } = await scaled();
        expect(replicas).toBeLessThanOrEqual(3);
        expect(found.length).toBeGreaterThan(0);
        expect(await instances()).toBe(3);
        return (await stage.show('busy')).status.serving === '2.0';
      });
      await stage.serves('busy', 3);
      expect((await scaled()).found).toHaveLength(3);

      const sum = await calls.stop();
      console.log(`scaled up and switched: ${sum.answered} calls answered, ${sum.failed} failed\n${await asWords()}`);
      expect(calls.failed).toEqual([]);
    }
    await isScaledTo(1);
    const { status } = shownAutoscaler.parse(await stage.json('hpa', 'busy'));
    const able = status.conditions.filter(({ type }) => type === 'AbleToScale' || type === 'ScalingActive');
    expect(able.map((condition) => condition.status)).toEqual(['True', 'True']);
    const owners = await stage.k('get', 'mdl', 'busy', '--show-managed-fields', '-o', 'json');
    const fields = z
      .object({
        metadata: z.object({
          managedFields: z.array(
            z.object({
              subresource: z.string().optional(),
              fieldsV1: z.object({ 'f:spec': z.object({ 'f:instances': z.unknown() }).partial().optional() }),
            }),
          ),
        }),
      })
      .parse(JSON.parse(owners)).metadata.managedFields;
    const writers = fields
      .filter(({ fieldsV1 }) => fieldsV1['f:spec']?.['f:instances'] !== undefined)
      .map(({ subresource }) => subresource);
    expect(writers).toEqual(['scale']);
  });

  it('is stopped by zero, which keeps the resource and turns the autoscaler off, and comes back', async () => {
    await stage.k('scale', 'mdl/busy', '--replicas=0');
    await stage.serves('busy', 0);
    expect(await stage.registered('busy')).toEqual([]);
    await eventually('the autoscaler is off', async () => {
      const { status } = shownAutoscaler.parse(await stage.json('hpa', 'busy'));
      return status.conditions.some(({ reason }) => reason === 'ScalingDisabled');
    });
    expect(await instances()).toBe(0);
    await stage.k('scale', 'mdl/busy', '--replicas=1');
    await stage.serves('busy', 1);
  });
});
