/** The Kubernetes adapter against a real API server. */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { apiStatusOf } from '../../src/adapters/kube/api-status.ts';
import { KubeClient } from '../../src/adapters/kube/client.ts';
import { EventRecorder } from '../../src/adapters/kube/events.ts';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';
import { acquireLease, type Leadership, type LeaseClient } from '../../src/adapters/kube/lease.ts';
import {
  configMaps,
  type Deployment,
  deployments,
  events,
  type KubeObject,
  leases,
  namespaces,
  pods,
  type ResourceKind,
} from '../../src/adapters/kube/resource-kind.ts';
import { createTransport, type Transport } from '../../src/adapters/kube/transport.ts';
import { startWatch } from '../../src/adapters/kube/watch.ts';
import { hasCode } from '../../src/contracts/errors.ts';
import { decodePin, encodePin, type PinContent } from '../../src/contracts/pin-content.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { aPayload } from '../builders/model-deployment.ts';
import { present } from './world.ts';

const run = promisify(execFile);
const clock = systemClock;
const options = { fieldManager: 'maas-test' };
const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.unreachable('the call should have failed'),
    (error: unknown) => error,
  );

describe('a real API server', () => {
  const { kubeconfig, context } = present('cluster');
  const namespace = `kube-test-${randomUUID().slice(0, 8)}`;
  let transport: Transport;
  let client: KubeClient;

  beforeAll(async () => {
    transport = createTransport(() => loadKubeconfig({ env: {}, path: kubeconfig, context }), clock, 'maas-test');
    client = new KubeClient(transport, clock);
    await client.create(namespaces, { metadata: { name: namespace } });
    // Pods are refused until the namespace has its service account.
    const serviceAccounts: ResourceKind<KubeObject> = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      plural: 'serviceaccounts',
      namespaced: true,
    };
    await vi.waitFor(
      async () => expect(await client.get(serviceAccounts, { namespace, name: 'default' })).toBeDefined(),
      30_000,
    );
  });
  afterAll(async () => {
    await client.delete(namespaces, { name: namespace });
    transport.close();
  });
  it('takes the pin of ten thousand files and gives it back as it was', async () => {
    const hex = (text: string) => createHash('sha512').update(text).digest('hex');
    const files = Array.from({ length: 10_000 }, (_, index) => ({
      path: `data/${hex(`path ${index}`).slice(0, 24)}`,
      length: index,
      fileId: String(1_000_000_000 + index),
      modificationTime: 1_795_000_000_000 + index,
      blockSize: 134_217_728,
      checksum: {
        algorithm: 'MD5-of-0MD5-of-512CRC32C',
        bytes: `${'0'.repeat(24)}${hex(`sum ${index}`).slice(0, 32)}${'0'.repeat(8)}`,
      },
      sha256: hex(`sha ${index}`).slice(0, 64),
    }));
    const payload = aPayload({ files });
    interface Pin extends KubeObject, PinContent {
      readonly immutable?: boolean;
    }
    const pin: Pin = { metadata: { namespace, name: 'pin' }, immutable: true, ...encodePin(payload) };
    const made = await client.apply<Pin>(configMaps, pin, options);
    expect(decodePin(made)).toEqual(payload);
  });

  const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
    metadata: { namespace, name, labels },
    data,
  });
  const deployment = (replicas: number): Deployment => ({
    metadata: { namespace, name: 'web', labels: { app: 'web' } },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image: 'registry.invalid/none:1', imagePullPolicy: 'Never' }] },
      },
    },
  });

  it('tells its version and what we may do', async () => {
    expect(await client.serverVersion()).toMatch(/^v1\.\d+\.\d+/);
    expect(await client.can({ verb: 'create', group: 'apps', resource: 'deployments', namespace })).toBe(true);
  });

  it('names the missing permission of a service account', async () => {
    const anonymous = createTransport(
      () => loadKubeconfig({ env: {}, path: kubeconfig, context, as: 'system:serviceaccount:default:nobody' }),
      clock,
      'maas-test',
    );
    const nobody = new KubeClient(anonymous, clock);
    expect(await failure(nobody.list(deployments, { namespace }))).toMatchObject({
      code: 'CLUSTER_FORBIDDEN',
      next: `Ask for the permission to list deployments of API group "apps" in namespace ${namespace}.`,
    });
    expect(await nobody.can({ verb: 'create', group: 'apps', resource: 'deployments', namespace })).toBe(false);
    anonymous.close();
  });

  it('applies a Deployment, and nothing changes when it is applied again', async () => {
    const created = await client.apply(deployments, deployment(1), options);
    expect(created.spec?.template.spec?.containers[0]?.terminationMessagePath).toBe('/dev/termination-log');
    const scaled = await client.apply(deployments, deployment(0), options);
    expect(scaled.spec?.replicas).toBe(0);
    // Its controller writes to it for a moment.
    await vi.waitFor(async () => {
      const before = await client.get(deployments, { namespace, name: 'web' });
      const again = await client.apply(deployments, deployment(0), options);
      expect(again.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    }, 30_000);

    // Whoever applies takes its fields over from others.
    const taken = await client.apply(deployments, deployment(1), { fieldManager: 'another' });
    expect(taken.spec?.replicas).toBe(1);
  });

  it('answers a dry run without storing anything', async () => {
    const dry = await client.create(configMaps, configMap('dry', { a: 'b' }), { dryRun: true });
    expect(dry).toMatchObject({ data: { a: 'b' }, metadata: { resourceVersion: '' } });
    expect(await client.get(configMaps, { namespace, name: 'dry' })).toBeUndefined();
  });

  it('never writes to the successor of an object', async () => {
    const first = await client.create(configMaps, configMap('successor'));
    await client.delete(configMaps, { namespace, name: 'successor' }, { uid: first.metadata.uid });
    const { uid } = first.metadata;
    const name = { namespace, name: 'successor' };
    // The name is free, and stays so.
    const late = { ...configMap('successor', { a: 'late' }), metadata: { namespace, name: 'successor', uid } };
    expect(hasCode(await failure(client.apply(configMaps, late, options)), 'CONFLICT')).toBe(true);
    expect(await client.get(configMaps, name)).toBeUndefined();
    // The name is taken by another object.
    const second = await client.create(configMaps, configMap('successor', { a: 'second' }));
    expect(hasCode(await failure(client.apply(configMaps, late, options)), 'CONFLICT')).toBe(true);
    expect(
      hasCode(await failure(client.mergePatch(configMaps, name, { data: { a: 'late' } }, { uid })), 'CONFLICT'),
    ).toBe(true);
    expect(hasCode(await failure(client.delete(configMaps, name, { uid })), 'CONFLICT')).toBe(true);
    expect(await client.get(configMaps, name)).toEqual(second);
  });

  it('refuses writes to a state that has passed', async () => {
    const name = { namespace, name: 'state' };
    const first = await client.create(configMaps, configMap('state', { a: '1' }));
    const { resourceVersion } = first.metadata;
    const second = await client.mergePatch(configMaps, name, { data: { a: '2' } }, { resourceVersion });
    const stale = [
      () => client.mergePatch(configMaps, name, { data: { a: '3' } }, { resourceVersion }),
      () => client.delete(configMaps, name, { resourceVersion }),
    ];
    for (const call of stale) expect(hasCode(await failure(call()), 'CONFLICT')).toBe(true);
    expect(await client.get(configMaps, name)).toEqual(second);
    const current = second.metadata.resourceVersion;
    await client.mergePatch(configMaps, name, { data: { a: '4' } }, { resourceVersion: current });
    expect((await client.get(configMaps, name))?.data).toEqual({ a: '4' });
  });

  it('tells refusals apart', async () => {
    const exists = await client
      .create(configMaps, configMap('twice'))
      .then(() => failure(client.create(configMaps, configMap('twice'))));
    expect(hasCode(exists, 'CONFLICT')).toBe(true);
    expect(apiStatusOf(exists)?.reason).toBe('AlreadyExists');
    const invalid = await failure(client.create(configMaps, configMap('Not_A_Name')));
    expect(hasCode(invalid, 'CLUSTER_REFUSED')).toBe(true);
    expect(String(invalid)).toContain('metadata.name');
    const unknown: ResourceKind<KubeObject> = {
      apiVersion: 'none.example/v1',
      kind: 'None',
      plural: 'nones',
      namespaced: true,
    };
    expect(hasCode(await failure(client.get(unknown, { namespace, name: 'a' })), 'CLUSTER_NOT_FOUND')).toBe(true);
    expect(hasCode(await failure(client.delete(unknown, { namespace, name: 'a' })), 'CLUSTER_NOT_FOUND')).toBe(true);
    const nowhere = { metadata: { namespace: `${namespace}-none`, name: 'a' } };
    expect(hasCode(await failure(client.create(configMaps, nowhere)), 'CLUSTER_NOT_FOUND')).toBe(true);
    expect(await client.delete(pods, { namespace, name: 'none' })).toBe(false);
  });

  it('is followed through many changes and restarts', async () => {
    const label = { suite: 'watch' };
    for (let i = 0; i < 30; i++) await client.create(configMaps, configMap(`w${i}`, {}, label));
    const alive = new Map<string, string>();
    const watch = startWatch({
      client,
      kind: configMaps,
      namespaces: [namespace],
      labelSelector: 'suite=watch',
      pageSize: 7,
      project: ({ metadata, data }) => ({ name: metadata.name, uid: metadata.uid, value: data?.['value'] }),
      onChange: ({ type, object }) => {
        if (type === 'deleted') alive.delete(object.uid);
        else alive.set(object.uid, object.name);
      },
      clock,
      log: silentLog,
      times: { streamMs: 1_500, backoffMs: 20 },
    });
    await watch.synced;
    expect(watch.store.size).toBe(30);
    const before = watch.store.get(namespace, 'w7')?.uid;
    // The first half of the changes meets a stream; while the others happen, streams end and begin.
    for (let i = 0; i < 30; i++) {
      if (i % 3 === 0) await client.delete(configMaps, { namespace, name: `w${i}` });
      else await client.mergePatch(configMaps, { namespace, name: `w${i}` }, { data: { value: `${i}` } });
      if (i % 10 !== 0) continue;
      const streams = watch.counters().restarts;
      await vi.waitFor(() => expect(watch.counters().restarts).toBeGreaterThan(streams), 10_000);
    }
    await client.delete(configMaps, { namespace, name: 'w7' });
    await client.create(configMaps, configMap('w7', { value: 'again' }, label));
    await vi.waitFor(async () => {
      const { items } = await client.list(configMaps, { namespace, labelSelector: 'suite=watch' });
      const there = items.map((item) => [item.metadata.name, item.metadata.uid, item.data?.['value']]).sort();
      expect(
        watch.store
          .list()
          .map(({ name, uid, value }) => [name, uid, value])
          .sort(),
      ).toEqual(there);
      expect([...alive.keys()].sort()).toEqual(items.map((item) => item.metadata.uid).sort());
    }, 10_000);
    expect(watch.store.get(namespace, 'w7')?.uid).not.toBe(before);
    expect(watch.counters().restarts).toBeGreaterThan(0);
    expect(watch.counters()).toMatchObject({ lists: 1, failures: 0 });
    await watch.stop();
  });

  /** Waits until whoever holds a lease has renewed it so often. */
  const renewed = async (name: string, times: number): Promise<void> => {
    const seen = new Set<unknown>();
    await vi.waitFor(
      async () => {
        seen.add((await client.get(leases, { namespace, name }))?.spec?.renewTime);
        expect(seen.size).toBeGreaterThan(times);
      },
      { timeout: 20_000, interval: 100 },
    );
  };

  it('elects one of two candidates, and the other after it', async () => {
    const stop = new AbortController();
    const candidate = (identity: string): Promise<Leadership> =>
      acquireLease({ client, namespace, name: 'leader', identity, clock, log: silentLog }, stop.signal);
    const first = await candidate('first');
    let second: Leadership | undefined;
    const waiting = candidate('second').then((leadership) => {
      second = leadership;
    });
    await renewed('leader', 2);
    expect([first.holds(), second]).toEqual([true, undefined]);
    const lease = await client.get(leases, { namespace, name: 'leader' });
    expect(lease?.spec).toMatchObject({ holderIdentity: 'first', leaseDurationSeconds: 15 });

    const released = clock.monotonic();
    await first.release();
    await waiting;
    expect(clock.monotonic() - released).toBeLessThan(3_000);
    expect([first.holds(), second?.holds()]).toEqual([false, true]);
    await second?.release();
  });

  it('lets another lead within 20 s after a leader died', async () => {
    const stop = new AbortController();
    const lease = { namespace, name: 'killed' };
    let dead = false;
    const cut: LeaseClient = {
      get: (...asked) => client.get(...asked),
      create: (...asked) => client.create(...asked),
      mergePatch: (...asked) => (dead ? new Promise(() => {}) : client.mergePatch(...asked)),
    };
    const first = await acquireLease({ client: cut, ...lease, identity: 'first', clock, log: silentLog }, stop.signal);
    const heir = acquireLease({ client, ...lease, identity: 'heir', clock, log: silentLog }, stop.signal);
    await renewed('killed', 1);
    dead = true;
    const died = clock.monotonic();
    let lostAt = Number.POSITIVE_INFINITY;
    first.lost.addEventListener('abort', () => {
      lostAt = clock.monotonic();
    });
    const leadership = await heir;
    expect(clock.monotonic() - died).toBeLessThan(20_000);
    expect(lostAt).toBeLessThan(clock.monotonic());
    await leadership.release();
  });

  it('shows events where people look for them', async () => {
    const about = await client.create(configMaps, configMap('described'));
    const recorder = new EventRecorder({
      client,
      clock,
      log: silentLog,
      component: 'maas-operator',
      instance: 'test',
      newId: () => randomUUID().slice(0, 13),
    });
    const regarding = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'described', uid: about.metadata.uid };
    const event = {
      type: 'Warning',
      reason: 'PayloadMissing',
      message: 'nothing at /models/\u001b[31mdga',
      action: 'Resolve',
    } as const;
    recorder.record(regarding, event);
    const written = async () =>
      (await client.list(events, { namespace, fieldSelector: 'involvedObject.name=described' })).items;
    await vi.waitFor(async () => expect(await written()).toHaveLength(1));
    for (let i = 0; i < 4; i++) recorder.record(regarding, event);
    await recorder.stop();
    expect(await written()).toMatchObject([
      { count: 5, reason: 'PayloadMissing', reportingComponent: 'maas-operator' },
    ]);
    const kubectl = (...args: string[]) =>
      run(present('tools').kubectl, ['--kubeconfig', kubeconfig, '--context', context, '-n', namespace, ...args]);
    // A ConfigMap has a describer that shows events.
    const described = await kubectl('describe', 'configmap', 'described');
    expect(described.stdout).toMatch(
      /Warning\s+PayloadMissing\s+\S+( \(x5 over \S+\))\s+maas-operator\s+nothing at \/models\/\\u001b\[31mdga/,
    );
    const listed = await kubectl('get', 'events', '--sort-by=.lastTimestamp');
    expect(listed.stdout).toMatch(/Warning\s+PayloadMissing\s+configmap\/described/);
  });
});
