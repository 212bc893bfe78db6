/** Who owns `instances` on a real API server: a manifest, whoever scales, an autoscaler; as docs/scaling.md says it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { blocksOf } from '../unit/document-blocks.ts';
import { CliWorld } from './cli-process.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await CliWorld.open();
});
afterAll(async () => {
  await world.close();
});

type Spec = Record<string, unknown>;
const manifest = (name: string, more: Spec = {}) =>
  JSON.stringify({
    apiVersion: 'maas.dev/v1',
    kind: 'ModelDeployment',
    metadata: { name, namespace: world.namespace },
    spec: { name, version: '1.0', memory: '512Mi', payload: { path: 'p' }, ...more },
  });
const serverSide = ['apply', '--server-side', '--field-manager=git', '-f', '-'];
const apply = (input: string, ...args: string[]) => world.kubectlWith({ input }, ...args);
const instances = async (name: string) => (await world.spec(name))['instances'];
const scale = (name: string, replicas: number) =>
  world.kubectl('scale', `mdl/${name}`, `--replicas=${replicas}`, '-n', world.namespace);

describe('a manifest without instances', () => {
  it.each([
    ['applied on the server', 'server-side', serverSide],
    ['applied by the client', 'client-side', ['apply', '-f', '-']],
  ])('leaves them to whoever scales, each time that it is %s', async (_, name, how) => {
    await apply(manifest(name), ...how);
    expect(await instances(name)).toBe(1);
    await scale(name, 4);
    await apply(manifest(name, { memory: '1Gi' }), ...how);
    expect(await world.spec(name)).toMatchObject({ instances: 4, memory: '1Gi' });
  });
});

describe('a manifest with instances', () => {
  it('owns them: who scaled since is named, and overruled only by force', async () => {
    await apply(manifest('owner', { instances: 2 }), ...serverSide);
    await scale('owner', 4);
    await expect(apply(manifest('owner', { instances: 2 }), ...serverSide)).rejects.toThrow(
      /conflict with "kubectl" with subresource "scale".*\.spec\.instances/s,
    );
    expect(await instances('owner')).toBe(4);
    await apply(manifest('owner', { instances: 2 }), ...serverSide, '--force-conflicts');
    expect(await instances('owner')).toBe(2);
  });

  it('sets them back each time, where the client applies it', async () => {
    await apply(manifest('client', { instances: 2 }), 'apply', '-f', '-');
    await scale('client', 4);
    await apply(manifest('client', { instances: 2 }), 'apply', '-f', '-');
    expect(await instances('client')).toBe(2);
  });

  it('starts over with one where they are taken out of it, unless somebody else owned them by then', async () => {
    await apply(manifest('out', { instances: 3 }), ...serverSide);
    await apply(manifest('out'), ...serverSide);
    expect(await instances('out')).toBe(1);

    await apply(manifest('handed', { instances: 3 }), ...serverSide);
    const only = JSON.stringify({ ...JSON.parse(manifest('handed')), spec: { instances: 3 } });
    await apply(only, 'apply', '--server-side', '--field-manager=handover', '-f', '-');
    await apply(manifest('handed'), ...serverSide);
    expect(await instances('handed')).toBe(3);
    await scale('handed', 5);
    await apply(manifest('handed'), ...serverSide);
    expect(await instances('handed')).toBe(5);
  });
});

describe('an autoscaler', () => {
  it('has its bounds respected by the commands', async () => {
    const dga = ['--name', 'scaled', '--version', '1.0'];
    await apply(manifest('scaled', { instances: 2 }), 'apply', '-f', '-');
    const spec = {
      scaleTargetRef: { apiVersion: 'maas.dev/v1', kind: 'ModelDeployment', name: 'scaled' },
      minReplicas: 2,
      maxReplicas: 4,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
      ],
    };
    const metadata = { name: 'by-load', namespace: world.namespace };
    const autoscaler = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata, spec };
    await apply(JSON.stringify(autoscaler), 'apply', '-f', '-');
    expect(await world.maas('add', ...dga)).toMatchObject({
      code: 0,
      out: 'modeldeployment.maas.dev/scaled left at 2 instances by HorizontalPodAutoscaler by-load, which keeps between 2 and 4 instances\n',
    });
    const more = await world.maas('add', ...dga, '--instances', '3');
    expect([more.code, more.err]).toEqual([1, expect.stringContaining('error[AUTOSCALED]: scaled 1.0 would have 5')]);
    const fewer = await world.maas('remove', ...dga, '--instances', '1');
    expect(fewer.err).toContain('error[AUTOSCALED]: scaled 1.0 would have 1 instance,');
    expect(await instances('scaled')).toBe(2);
    expect((await world.maas('remove', ...dga)).code).toBe(0);
  });
});

it('the manifests of the page on scaling are what the API server takes, where it knows their kinds', async () => {
  const known = /^(autoscaling|policy|maas\.dev)\//;
  const documents = blocksOf('docs/scaling.md')
    .filter(({ language }) => language === 'yaml')
    .flatMap(({ text }) => parseAllDocuments(text).map((document) => document.toJS() as Record<string, unknown>))
    .filter(({ apiVersion, kind }) => known.test(String(apiVersion)) && kind !== undefined);
  expect(documents.length).toBeGreaterThan(2);
  for (const document of documents) {
    const own = { ...document, metadata: { ...(document['metadata'] as object), namespace: world.namespace } };
    await apply(JSON.stringify(own), 'apply', '--dry-run=server', '--validate=strict', '-f', '-');
  }
});
