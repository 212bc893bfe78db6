/** The ZooKeeper adapter against a real server, through a proxy that carries, silences or cuts its connections. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseQuorum } from '../../src/adapters/zookeeper/quorum.ts';
import type { SessionEvent } from '../../src/adapters/zookeeper/session.ts';
import { ZooKeeper, type ZooKeeperOptions } from '../../src/adapters/zookeeper/zookeeper.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { TcpProxy } from '../builders/tcp-proxy.ts';
import { zookeeper } from './world.ts';

const { quorum } = zookeeper();
const [server] = parseQuorum(quorum).servers;
const chroot = `/maas-test-${randomUUID()}`;
/** The least that the server grants. */
const T = 2_000;

/** Another client, straight to the server. */
let other: ZooKeeper;
beforeAll(async () => {
  const all = new ZooKeeper({ quorum, sessionTimeoutMs: 10_000, clock: systemClock, log: silentLog });
  await all.create(chroot, Buffer.alloc(0));
  await all.close();
  other = new ZooKeeper({ quorum: quorum + chroot, sessionTimeoutMs: 10_000, clock: systemClock, log: silentLog });
});
afterAll(async () => {
  await removeBelow('');
  await other.close();
});

async function removeBelow(path: string): Promise<void> {
  for (const child of (await other.children(path || '/')) ?? []) await removeBelow(`${path}/${child}`);
  await other.delete(path || '/');
}

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function aProxy(): Promise<TcpProxy> {
  const proxy = await new TcpProxy(server.host, server.port).start();
  opened.push(() => proxy.stop());
  return proxy;
}

interface Followed {
  readonly zk: ZooKeeper;
  readonly events: SessionEvent[];
  readonly types: () => string[];
}

async function through(proxies: readonly TcpProxy[], options: Partial<ZooKeeperOptions> = {}): Promise<Followed> {
  const zk = new ZooKeeper({
    quorum: proxies.map(({ port }) => `127.0.0.1:${port}`).join(',') + chroot,
    sessionTimeoutMs: T,
    clock: systemClock,
    log: silentLog,
    random: () => 0,
    ...options,
  });
  opened.push(() => zk.close());
  const events: SessionEvent[] = [];
  zk.onEvent((event) => events.push(event));
  await zk.connected(5_000);
  return { zk, events, types: () => events.map(({ type }) => type) };
}

function eventually(assertion: () => void, withinMs = 10_000): Promise<void> {
  return vi.waitFor(assertion, { timeout: withinMs, interval: 10 });
}

const bytes = (text: string) => Buffer.from(text);
const coded = (code: string, text = '') => expect.objectContaining({ code, message: expect.stringContaining(text) });
const aPath = () => `/${randomUUID()}`;

describe('a real server', () => {
  it('is read and written', async () => {
    const { zk } = await through([await aProxy()]);
    const path = aPath();
    await zk.ensurePath(`${path}/dir`);
    await zk.ensurePath(`${path}/dir`);
    const before = await zk.exists(path);
    expect(before).toMatchObject({ version: 0, ephemeralOwner: undefined, numChildren: 1 });
    expect(await zk.create(`${path}/e`, bytes('x'), { ephemeral: true })).toBe(`${path}/e`);
    expect(await zk.get(`${path}/e`)).toMatchObject({
      data: bytes('x'),
      stat: { ephemeralOwner: zk.session()?.id, version: 0 },
    });
    expect(await zk.set(`${path}/e`, bytes('ü'), 0)).toMatchObject({ version: 1 });
    expect((await zk.get(`${path}/e`))?.data.toString()).toBe('ü');
    expect((await zk.children(path))?.toSorted()).toEqual(['dir', 'e']);
    expect(await zk.create(`${path}/dir/q-`, bytes(''), { sequential: true })).toBe(`${path}/dir/q-0000000000`);
    expect(await zk.delete(`${path}/e`, 1)).toBe(true);
    expect(await zk.delete(`${path}/e`)).toBe(false);
    expect(await zk.get(`${path}/nothing`)).toBeUndefined();
    expect(await zk.children(`${path}/nothing`)).toBeUndefined();
    expect(Math.abs((before?.ctime ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('says what is in the way', async () => {
    const { zk } = await through([await aProxy()]);
    const path = aPath();
    await zk.create(path, bytes('x'));
    await zk.create(`${path}/e`, bytes('x'), { ephemeral: true });
    await expect(zk.create(path, bytes('x'))).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'the node exists'));
    await expect(zk.create(`${path}/e/below`, bytes(''))).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'ephemeral'));
    await expect(zk.set(path, bytes(''), 5)).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'another version'));
    await expect(zk.set(`${path}/no`, bytes(''))).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'no such node'));
    await expect(zk.delete(path)).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'has children'));
    await expect(zk.create('/zookeeper/\u0001', bytes(''))).rejects.toEqual(coded('ZOOKEEPER_ERROR', 'refuses'));
    expect(zk.state()).toBe('connected');
  });

  it('does all of a transaction or nothing', async () => {
    const { zk } = await through([await aProxy()]);
    const path = aPath();
    await zk.create(path, bytes('0'));
    await zk.create(`${path}/old`, bytes('0'));
    const operations = [
      { type: 'check', path, version: 0 },
      { type: 'delete', path: `${path}/old`, version: 0 },
      { type: 'create', path: `${path}/old`, data: bytes('new'), ephemeral: true },
      { type: 'create', path: `${path}/s-`, data: bytes(''), sequential: true },
      { type: 'set', path, data: bytes('1'), version: 0 },
    ] as const;
    await zk.transaction(operations);
    expect((await zk.get(`${path}/old`))?.stat.ephemeralOwner).toBe(zk.session()?.id);
    await expect(zk.transaction(operations)).rejects.toEqual(
      coded('ZOOKEEPER_CONFLICT', '1 of 5 in a transaction: the node has another version'),
    );
    await expect(
      zk.transaction([
        { type: 'delete', path: `${path}/old` },
        { type: 'create', path: `${path}/x/y`, data: bytes('') },
      ]),
    ).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', '2 of 2 in a transaction: there is no such node'));
    expect(await zk.exists(`${path}/old`)).toBeDefined();
  });

  it('takes as much data as it says, and no more is sent', async () => {
    const { zk, types } = await through([await aProxy()]);
    const path = aPath();
    await zk.create(path, Buffer.alloc(1_048_000));
    expect((await zk.get(path))?.data).toHaveLength(1_048_000);
    await expect(zk.set(path, Buffer.alloc(1_048_576))).rejects.toEqual(coded('ZOOKEEPER_ERROR', 'longer'));
    expect(types()).toEqual(['connected']);
  });

  it('tells what is watched, made by others', async () => {
    const { zk } = await through([await aProxy()]);
    const path = aPath();
    const nodes: (string | undefined)[] = [];
    const children: (string[] | undefined)[] = [];
    zk.watchNode(`${path}/a`, (node) => nodes.push(node?.data.toString()));
    zk.watchChildren(path, (names) => children.push(names?.toSorted()));
    await eventually(() => expect([nodes, children]).toEqual([[undefined], [undefined]]));
    await other.create(path, bytes(''));
    await eventually(() => expect(children.at(-1)).toEqual([]));
    await other.create(`${path}/a`, bytes('1'));
    await other.create(`${path}/b`, bytes(''));
    await eventually(() => expect([nodes.at(-1), children.at(-1)]).toEqual(['1', ['a', 'b']]));
    await other.set(`${path}/a`, bytes('2'));
    await eventually(() => expect(nodes.at(-1)).toBe('2'));
    await other.delete(`${path}/a`);
    await eventually(() => expect([nodes.at(-1), children.at(-1)]).toEqual([undefined, ['b']]));
  });

  it('keeps an idle session over several timeouts', async () => {
    const { zk, types } = await through([await aProxy()]);
    const path = aPath();
    await zk.create(path, bytes(''), { ephemeral: true });
    await systemClock.sleep(2.5 * T);
    expect(await other.exists(path)).toMatchObject({ ephemeralOwner: zk.session()?.id });
    expect(types()).toEqual(['connected']);
  });

  it('forgets a closed session at once, and keeps that of a process which was killed', async () => {
    const proxy = await aProxy();
    const mortal = await aProxy();
    const first = await through([mortal]);
    const path = aPath();
    await first.zk.create(path, bytes(''), { ephemeral: true });
    const made = await other.exists(path);
    const resume = first.zk.session();
    mortal.mode = 'reset';
    mortal.cut();
    const second = await through([proxy], { resume });
    expect(second.events).toEqual([{ type: 'connected', session: resume, resumed: true }]);
    expect(await other.exists(path)).toEqual(made);
    await second.zk.close();
    expect(await other.exists(path)).toBeUndefined();
    const third = await through([proxy], { resume });
    expect(third.types()).toEqual(['expired', 'connected']);
  });
});

describe('a connection to a real server', () => {
  it('that goes silent is replaced within the timeout; session, nodes and watches stay', async () => {
    const proxy = await aProxy();
    const { zk, types } = await through([proxy]);
    const path = aPath();
    const seen: (string | undefined)[] = [];
    await zk.create(path, bytes('mine'), { ephemeral: true });
    const made = await other.exists(path);
    zk.watchNode(path, (node) => seen.push(node?.data.toString()));
    await eventually(() => expect(seen).toEqual(['mine']));
    const session = zk.session();

    proxy.silence();
    const silent = performance.now();
    await other.set(path, bytes('changed meanwhile'));
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'connected']));
    expect(performance.now() - silent).toBeLessThan(T);
    expect(zk.session()).toEqual(session);
    await eventually(() => expect(seen).toEqual(['mine', 'changed meanwhile']));
    expect(await other.exists(path)).toMatchObject({ czxid: made?.czxid, ephemeralOwner: session?.id });
    await other.set(path, bytes('watched again'));
    await eventually(() => expect(seen.at(-1)).toBe('watched again'));
  });

  it('that is cut is replaced at once, and what was asked meanwhile is answered', async () => {
    const proxy = await aProxy();
    const { zk, types, events } = await through([proxy]);
    const path = aPath();
    await zk.create(path, bytes('x'), { ephemeral: true });
    for (let cuts = 1; cuts <= 5; cuts += 1) {
      proxy.cut();
      expect((await zk.get(path))?.stat.ephemeralOwner).toBe(zk.session()?.id);
      await eventually(() => expect(types().filter((type) => type === 'suspended')).toHaveLength(cuts));
    }
    await zk.connected(2_000);
    expect(types()).not.toContain('expired');
    expect(events.filter((event) => event.type === 'connected' && !event.resumed)).toHaveLength(1);
  });

  it('goes to a second address where the first goes silent and accepts without answering', async () => {
    const [first, second] = [await aProxy(), await aProxy()];
    const { zk, types } = await through([first, second]);
    const session = zk.session();
    expect([first.connections, second.connections]).toEqual([1, 0]);
    first.mode = 'mute';
    first.silence();
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'connected']));
    expect(second.connections).toBe(1);
    expect(zk.session()).toEqual(session);
  });

  it('that comes too late finds the session expired, begins another, and says so', async () => {
    const proxy = await aProxy();
    const { zk, types } = await through([proxy]);
    const path = aPath();
    const seen: (string | undefined)[] = [];
    await zk.create(path, bytes('x'), { ephemeral: true });
    zk.watchNode(path, (node) => seen.push(node?.stat.ephemeralOwner));
    const first = zk.session()?.id;
    await eventually(() => expect(seen).toEqual([first]));

    proxy.mode = 'mute';
    proxy.silence();
    await vi.waitFor(async () => expect(await other.exists(path)).toBeUndefined(), { timeout: 10_000, interval: 50 });
    // What cannot be known is not said.
    expect(types()).toEqual(['connected', 'suspended']);
    expect(seen).toEqual([first]);
    proxy.mode = 'serve';
    proxy.cut();
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'expired', 'connected']));
    await eventually(() => expect(seen).toEqual([first, undefined]));
    await zk.create(path, bytes('x'), { ephemeral: true });
    await eventually(() => expect(seen).toEqual([first, undefined, zk.session()?.id]));
  });

  it('that cannot be made ends what waits for it, and says what was tried', async () => {
    const proxy = await aProxy();
    const { zk } = await through([proxy], { operationTimeoutMs: 1_000 });
    proxy.mode = 'reset';
    proxy.cut();
    await eventually(() => expect(zk.state()).toBe('suspended'));
    await expect(zk.get('/')).rejects.toEqual(coded('ZOOKEEPER_UNREACHABLE', `127.0.0.1:${proxy.port}: "`));
    proxy.mode = 'serve';
    expect(await zk.children('/')).toBeDefined();
  });
});
