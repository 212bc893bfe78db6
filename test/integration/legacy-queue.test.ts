/**
 * The old queue, with the old client's own library on one end and a real API server on the other; between them the
 * operator as a process, killed at each of its writes. No model comes up here: their payloads do not exist.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { projectRoot } from '../../deploy/local/cache.ts';
import { run } from '../../deploy/local/run.ts';
import { ZooKeeper } from '../../src/adapters/zookeeper/zookeeper.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { type FailPoint, failPoints, type QueueWrite } from '../../src/legacy/fail-points.ts';
import { recordConfigMap } from '../../src/legacy/queue-record.ts';
import { rejectedRequests } from '../builders/rejected-requests.ts';
import { until } from './cli-process.ts';
import { openRealHdfs, ownDirectory } from './hdfs-world.ts';
import { enqueue, type OldRequest } from './java.ts';
import { OperatorProcess } from './operator-process.ts';
import { present } from './world.ts';
import { OwnZooKeeper } from './zookeeper-server.ts';

const namespace = `queue-${randomBytes(4).toString('hex')}`;
/** Its own: in the shared one, other tests break things meanwhile. */
let server: OwnZooKeeper;
let zookeeper: ZooKeeper;
const running = new Set<OperatorProcess>();

async function kubectl(...args: string[]): Promise<string> {
  return await run(present('tools').kubectl, args, { env: { KUBECONFIG: present('cluster').kubeconfig } });
}

/** Starts an operator that serves this file's namespace, and only it. */
function operator(options: { failPoint?: FailPoint; quorum?: string } = {}): OperatorProcess {
  const { failPoint, quorum = server.quorum } = options;
  const process = new OperatorProcess({
    namespace,
    settings: {
      zookeeper: { quorum, sessionTimeoutMs: 4_000 },
      hdfs: {
        nameservices: { local: { webhdfs: present('hdfs').namenodes.map((node) => node.webhdfs) } },
        user: present('hdfs').user,
      },
      namespaces: [namespace],
      clusterId: namespace,
      agent: { image: 'none' },
      model: { image: 'none' },
      legacy: {
        queue: {
          enabled: true,
          namespace,
          models: ['our-*'],
          forwardTo: '/maas/yarn',
          memory: { incrementMb: 64, maximumMb: 1_024 },
        },
      },
    },
    ...(failPoint === undefined ? {} : { failPoint }),
  });
  running.add(process);
  void process.ended.then(() => running.delete(process));
  return process;
}

/** Whoever was killed cannot give its lease back, and to wait until it runs out proves nothing here. */
async function freeLease(): Promise<void> {
  await kubectl('delete', 'lease', 'maas-operator', '-n', namespace, '--ignore-not-found');
}

const shown = z.object({
  metadata: z.object({
    name: z.string(),
    generation: z.number(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.object({ instances: z.number(), memory: z.string() }),
});

async function models(): Promise<Record<string, { instances: number; generation: number; memory: string }>> {
  const list = z.object({ items: z.array(shown) });
  const { items } = list.parse(JSON.parse(await kubectl('get', 'mdl', '-n', namespace, '-o', 'json')));
  return Object.fromEntries(
    items.map(({ metadata, spec }) => [
      metadata.name,
      { instances: spec.instances, generation: metadata.generation, memory: spec.memory },
    ]),
  );
}

async function record(): Promise<Record<string, string>> {
  const text = await kubectl('get', 'configmap', recordConfigMap, '-n', namespace, '--ignore-not-found', '-o', 'json');
  return text === '' ? {} : (z.object({ data: z.record(z.string(), z.string()) }).parse(JSON.parse(text)).data ?? {});
}

/** The texts of the requests in a queue, in their order. */
async function queued(queue = '/maas/queue'): Promise<string[]> {
  const names = ((await zookeeper.children(queue)) ?? []).sort();
  const nodes = await Promise.all(names.map((name) => zookeeper.get(`${queue}/${name}`)));
  return nodes.filter((node) => node !== undefined).map((node) => node.data.toString());
}

async function emptied(process: OperatorProcess): Promise<void> {
  await until('the queue is empty', async () => (await queued()).length === 0).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${process.account()}`);
  });
}

/** A request that the old client would never write. */
async function raw(text: string): Promise<string> {
  await zookeeper.ensurePath('/maas/queue');
  return await zookeeper.create('/maas/queue/qn-', Buffer.from(text), { sequential: true });
}

const asked = (name: string) => ({ name, version: '1.0', numInstances: 1, memory: 64, action: 'ADD' });

async function apply(name: string, instances: number, path = '/nowhere'): Promise<void> {
  const manifest = {
    apiVersion: 'maas.dev/v1',
    kind: 'ModelDeployment',
    metadata: { name: `${name}-1.0`, namespace },
    spec: { name, version: '1.0', instances, memory: '64Mi', payload: { path } },
  };
  await run(present('tools').kubectl, ['create', '-f', '-'], {
    env: { KUBECONFIG: present('cluster').kubeconfig },
    input: JSON.stringify(manifest),
  });
}

const add = (name: string, instances: number, more: Partial<OldRequest> = {}): OldRequest => ({
  mode: 'ADD',
  name,
  version: '1.0',
  instances,
  memory: 64,
  path: '/nowhere',
  ...more,
});
const remove = (name: string, instances: number): OldRequest => ({ mode: 'REMOVE', name, version: '1.0', instances });

beforeAll(async () => {
  server = await OwnZooKeeper.start();
  zookeeper = new ZooKeeper({
    quorum: server.quorum,
    sessionTimeoutMs: 10_000,
    clock: systemClock,
    log: silentLog,
  });
  await kubectl('apply', '--server-side', '--force-conflicts', '-f', join(projectRoot, 'crds'));
  await kubectl('wait', '--for=condition=Established', 'crd/modeldeployments.maas.dev', '--timeout=30s');
  await kubectl('create', 'namespace', namespace);
});
afterEach(async () => {
  for (const process of running) process.kill('SIGKILL');
  await Promise.all([...running].map((process) => process.ended));
  await freeLease();
});
afterAll(async () => {
  await zookeeper.close();
  await server[Symbol.asyncDispose]();
  await kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--wait=false');
});

describe('what the old client writes', () => {
  it('is done, goes on, or is rejected, in its order', async () => {
    const connect = server.quorum;
    for (const request of [
      add('our-dga', 2, { memory: 65 }),
      add('their-dga', 1),
      { mode: 'LIST' },
      add('our-dga', 1, { memory: 0 }),
      add('our-big', 1, { memory: 1_025 }),
      remove('our-dga', 2),
      remove('our-gone', 1),
      remove('their-dga', 1),
      add('our-größe', 1),
    ]) {
      await enqueue(connect, request);
    }
    const theirs = (await queued()).filter((text) => text.includes('their-dga'));
    expect(theirs).toHaveLength(2);

    const leader = operator();
    await emptied(leader);
    expect(await leader.stop()).toBe(0);

    const found = await models();
    expect(found['our-dga-1.0']).toEqual({ instances: 1, generation: 3, memory: '128Mi' });
    expect(Object.keys(found).filter((name) => name !== 'our-dga-1.0')).toEqual([expect.stringMatching(/^our-gr-/)]);
    expect(await queued('/maas/yarn')).toEqual(theirs);
    const data = await record();
    expect(rejectedRequests(data).map(({ code, why }) => [code, why])).toEqual([
      ['REQUEST_IMPOSSIBLE', '1088 MB an instance are more than the maximum of 1024 MB'],
      ['MODEL_NOT_FOUND', `"our-gone" "1.0" is not deployed in namespace ${namespace}`],
    ]);
    expect(JSON.parse(data['null-requests'] ?? '')).toMatchObject({ count: 1 });
    const events = await kubectl('get', 'events', '-n', namespace, '-o', 'jsonpath={.items[*].reason}');
    expect(events.split(' ').filter((reason) => reason === 'RequestRejected')).toHaveLength(2);
    expect(events).toContain('NullRequest');
    expect(events).toContain('RequestDone');
  });

  it('is done while it comes, without anybody asking for it', async () => {
    const leader = operator();
    await enqueue(server.quorum, add('our-live', 1));
    await emptied(leader);
    const asked = performance.now();
    const path = await raw('{"name":"our-live","version":"1.0","numInstances":1,"action":"ADD"}');
    await until('it is off the queue', async () => (await zookeeper.exists(path)) === undefined);
    expect(performance.now() - asked).toBeLessThan(5_000);
    expect((await models())['our-live-1.0']?.instances).toBe(2);
  });
});

describe('the payload of a request', () => {
  /** What the condition says once the payload was looked at. */
  async function resolved(name: string): Promise<string> {
    const path = '{.status.conditions[?(@.type=="PayloadResolved")].reason}';
    let reason = '';
    await until(`the payload of ${name} was looked at`, async () => {
      reason = await kubectl('get', 'mdl', name, '-n', namespace, '-o', `jsonpath=${path}`, '--ignore-not-found');
      return reason !== '' && reason !== 'Resolving';
    });
    return reason;
  }

  it('is not waited for, because the request comes when the upload is done; anybody else is', async () => {
    const hdfs = openRealHdfs();
    await using own = await ownDirectory(hdfs);
    const leader = operator();
    await leader.leads();
    const script = Buffer.from('#!/bin/sh\nexec sleep infinity\n');
    const upload = () =>
      hdfs.write(`${own.path}/run.sh`, () => Readable.from([script]), { length: script.length, overwrite: true });
    await upload();
    await raw(JSON.stringify({ ...asked('our-upload'), path: own.path }));
    expect(await resolved('our-upload-1.0')).not.toBe('PayloadIncomplete');

    await upload();
    await apply('our-manifest', 1, own.path);
    expect(await resolved('our-manifest-1.0')).toBe('PayloadIncomplete');
    // The same bytes under another model: a request that comes now is about what was written before it.
    await raw(JSON.stringify({ ...asked('our-second'), path: own.path }));
    expect(await resolved('our-second-1.0')).not.toBe('PayloadIncomplete');
  });
});

describe('killed at a write', () => {
  /** What leads to a write, and what must be there in the end, whatever happened meanwhile. */
  const scenes: Record<QueueWrite, (model: string) => Promise<() => Promise<void>>> = {
    create: async (model) => {
      await enqueue(server.quorum, add(model, 2));
      return async () => expect((await models())[`${model}-1.0`]).toMatchObject({ instances: 2, generation: 1 });
    },
    change: async (model) => {
      await apply(model, 2);
      await enqueue(server.quorum, add(model, 3));
      return async () => expect((await models())[`${model}-1.0`]).toMatchObject({ instances: 5, generation: 2 });
    },
    empty: removesAll,
    remember: removesAll,
    delete: removesAll,
    reject: async (model) => {
      await enqueue(server.quorum, remove(model, 1));
      return async () => expect((await rejected()).filter((text) => text.includes(model))).toHaveLength(1);
    },
    prepare: goesOn,
    forward: goesOn,
    clear: async (model) => {
      const path = await raw(JSON.stringify({ name: model }));
      await zookeeper.create(`${path}/below`, Buffer.alloc(0));
      return async () => expect((await rejected()).filter((text) => text.includes(model))).toHaveLength(1);
    },
    'take-off': async (model) => {
      await apply(model, 2);
      await enqueue(server.quorum, remove(model, 1));
      return async () => expect((await models())[`${model}-1.0`]).toMatchObject({ instances: 1, generation: 2 });
    },
  };

  async function rejected(): Promise<string[]> {
    return rejectedRequests(await record()).map(({ request }) => request);
  }

  async function removesAll(model: string) {
    await apply(model, 2);
    await enqueue(server.quorum, remove(model, 2));
    return async () => {
      expect(await models()).not.toHaveProperty(`${model}-1.0`);
      expect((await rejected()).filter((text) => text.includes(model))).toEqual([]);
    };
  }

  async function goesOn(model: string) {
    for (const name of (await zookeeper.children('/maas/yarn')) ?? []) await zookeeper.delete(`/maas/yarn/${name}`);
    await zookeeper.delete('/maas/yarn');
    await enqueue(server.quorum, add(`their-${model}`, 1));
    return async () => expect(await queued('/maas/yarn')).toEqual([expect.stringContaining(`their-${model}`)]);
  }

  it.each(failPoints)('%s: the request has its effect, once', async (failPoint) => {
    const write = failPoint.replace(/^(before|after)-/, '') as QueueWrite;
    const holds = await scenes[write](`our-${failPoint}`);
    expect(await queued()).toHaveLength(1);

    const killed = operator({ failPoint });
    expect(await killed.ends(30_000), killed.account()).toEqual({ code: null, signal: 'SIGKILL' });
    if (failPoint !== 'after-take-off' && write !== 'forward') expect(await queued()).toHaveLength(1);
    await freeLease();

    const next = operator();
    await next.leads();
    await emptied(next);
    expect(await next.stop()).toBe(0);
    await holds();
  });
});

describe('killed at any time', () => {
  it('does each of many requests once', async () => {
    await apply('our-many', 0);
    const counts = [...Array(60).keys()].map((at) => (at % 5) + 1);
    for (const numInstances of counts) {
      await raw(JSON.stringify({ name: 'our-many', version: '1.0', numInstances, action: 'ADD' }));
    }
    for (let left = counts.length; left > 0; ) {
      const process = operator();
      const before = left;
      // Once it has done a few more; where in the next one it is then, nobody knows.
      await until('it works', async () => {
        left = (await queued()).length;
        return left === 0 || left < before - 9;
      });
      process.kill('SIGKILL');
      await process.ended;
      await freeLease();
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    expect((await models())['our-many-1.0']).toMatchObject({ instances: total, generation: counts.length + 1 });
  });
});

describe('a ZooKeeper that goes away', () => {
  it('holds requests up until it is back', async () => {
    await using own = await OwnZooKeeper.start();
    await enqueue(own.quorum, add('our-outage', 1));
    const leader = operator({ quorum: own.quorum });
    await until('it is done', async () => (await models())['our-outage-1.0']?.instances === 1);
    await own.kill();
    await own.start();
    await enqueue(own.quorum, add('our-outage', 1));
    await until('the next is done', async () => (await models())['our-outage-1.0']?.instances === 2);
    expect(await leader.stop()).toBe(0);
  });
});
