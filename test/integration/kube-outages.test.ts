/** What a watch of a real API server makes of connections that die in all the ways they do. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { KubeClient } from '../../src/adapters/kube/client.ts';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';
import { configMaps, namespaces } from '../../src/adapters/kube/resource-kind.ts';
import { createTransport, type Transport } from '../../src/adapters/kube/transport.ts';
import { startWatch, type Watch } from '../../src/adapters/kube/watch.ts';
import { hasCode } from '../../src/contracts/errors.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { RememberingLog } from '../builders/remembering-log.ts';
import { TcpProxy } from '../builders/tcp-proxy.ts';
import { present } from './world.ts';

describe('a watch over bad connections', () => {
  const { kubeconfig, context } = present('cluster');
  const load = () => loadKubeconfig({ env: {}, path: kubeconfig, context });
  const namespace = `kube-test-${randomUUID().slice(0, 8)}`;
  let directly: Transport;
  let direct: KubeClient;
  let proxy: TcpProxy;
  let proxied: Transport;
  let client: KubeClient;
  let watch: Watch<string>;
  let seen: string[];
  let log: RememberingLog;

  beforeAll(async () => {
    directly = createTransport(load, systemClock, 'maas-test');
    direct = new KubeClient(directly, systemClock);
    await direct.create(namespaces, { metadata: { name: namespace } });
  });
  afterAll(async () => {
    await direct.delete(namespaces, { name: namespace });
    directly.close();
  });

  beforeEach(async () => {
    const { server } = load();
    proxy = await new TcpProxy(server.hostname, Number(server.port)).start();
    proxied = createTransport(
      () => loadKubeconfig({ env: {}, path: kubeconfig, context, server: `https://127.0.0.1:${proxy.port}` }),
      systemClock,
      'maas-test',
    );
    client = new KubeClient(proxied, systemClock);
    seen = [];
    log = new RememberingLog();
    watch = startWatch({
      client,
      kind: configMaps,
      namespaces: [namespace],
      labelSelector: 'suite=outages',
      project: ({ metadata }) => `${metadata.name} ${metadata.uid}`,
      onChange: ({ type, object }) => seen.push(`${type} ${object}`),
      clock: systemClock,
      log,
    });
    await watch.synced;
  });
  afterEach(async () => {
    await watch.stop();
    proxied.close();
    await proxy.stop();
    for (const { metadata } of (await direct.list(configMaps, { namespace, labelSelector: 'suite=outages' })).items) {
      await direct.delete(configMaps, { namespace, name: metadata.name });
    }
  });

  const create = async (name: string): Promise<string> => {
    const { metadata } = await direct.create(configMaps, {
      metadata: { namespace, name, labels: { suite: 'outages' } },
    });
    return `${name} ${metadata.uid}`;
  };
  const followed = async (): Promise<void> => {
    const marker = await create(`marker-${randomUUID().slice(0, 8)}`);
    await vi.waitFor(() => expect(watch.store.list()).toContain(marker), 10_000);
  };

  it('notices within 75 s that the server went silent', async () => {
    await followed();
    proxy.silence();
    const since = performance.now();
    const unheard = await create('unheard');
    await vi.waitFor(() => expect(watch.store.list()).toContain(unheard), { timeout: 80_000, interval: 100 });
    expect(performance.now() - since).toBeLessThan(75_000);
    expect(watch.counters()).toMatchObject({ silences: 1, lists: 1 });
  });

  it('loses nothing while connections are reset again and again', async () => {
    const alive: string[] = [];
    for (let i = 0; i < 20; i++) {
      alive.push(await create(`c${i}`));
      if (i % 2 === 0) proxy.cut();
    }
    await vi.waitFor(() => expect(watch.store.list().sort()).toEqual(alive.sort()), 20_000);
    expect(seen.sort()).toEqual(alive.map((object) => `added ${object}`).sort());
    expect(watch.counters().lists).toBe(1);
  });

  it('sees after an outage what happened in it, a second object under one name included', async () => {
    const first = await create('same');
    await followed();
    seen.length = 0;
    proxy.mode = 'reset';
    proxy.cut();
    await vi.waitFor(() => expect(log.warnings.length).toBeGreaterThan(2), 20_000);
    await direct.delete(configMaps, { namespace, name: 'same' });
    const second = await create('same');
    proxy.mode = 'serve';
    await vi.waitFor(() => expect(watch.store.list()).toContain(second), 20_000);
    expect(seen).toEqual([`deleted ${first}`, `added ${second}`]);
  });

  it('does not wait for ever for a server that accepts and stays mute', async () => {
    proxy.mode = 'mute';
    proxy.cut();
    const error = await client
      .get(configMaps, { namespace, name: 'any' }, { deadlineMs: 500 })
      .catch((reason: unknown) => reason);
    expect(hasCode(error, 'CLUSTER_UNREACHABLE')).toBe(true);
    // The stream gives up waiting for its headers, too.
    await vi.waitFor(() => expect(log.warnings.length).toBeGreaterThan(1), { timeout: 40_000, interval: 100 });
    proxy.mode = 'serve';
    proxy.cut();
    await vi.waitFor(() => followed(), 40_000);
  });
});
