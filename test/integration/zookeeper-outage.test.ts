/** What the ZooKeeper adapter makes of a real server that is held, killed and started again. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SessionEvent } from '../../src/adapters/zookeeper/session.ts';
import { ZooKeeper } from '../../src/adapters/zookeeper/zookeeper.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { OwnZooKeeper } from './zookeeper-server.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function aServer(): Promise<OwnZooKeeper> {
  const server = await OwnZooKeeper.start();
  opened.push(() => server[Symbol.asyncDispose]());
  return server;
}

function aClient({ quorum }: OwnZooKeeper, sessionTimeoutMs: number): { zk: ZooKeeper; types: string[] } {
  const zk = new ZooKeeper({ quorum, sessionTimeoutMs, clock: systemClock, log: silentLog });
  opened.push(() => zk.close());
  const types: string[] = [];
  zk.onEvent((event: SessionEvent) => types.push(event.type));
  return { zk, types };
}

function eventually(assertion: () => void, withinMs = 15_000): Promise<void> {
  return vi.waitFor(assertion, { timeout: withinMs, interval: 10 });
}

const bytes = (text: string) => Buffer.from(text);

describe('a server', () => {
  it('that is held for less than the timeout keeps session and nodes', async () => {
    const server = await aServer();
    const { zk, types } = aClient(server, 6_000);
    await zk.connected(5_000);
    await zk.create('/mine', bytes('x'), { ephemeral: true });
    const session = zk.session();
    const made = await zk.exists('/mine');
    server.pause();
    // Silence is noticed after two thirds of the timeout.
    await eventually(() => expect(types).toEqual(['connected', 'suspended']), 5_500);
    const reading = zk.exists('/mine');
    server.resume();
    expect(await reading).toEqual(made);
    expect(zk.session()).toEqual(session);
    expect(types).toEqual(['connected', 'suspended', 'connected']);
  });

  it('that is held for longer than the timeout is told from one that lost the session', async () => {
    const server = await aServer();
    const { zk, types } = aClient(server, 1_000);
    await zk.connected(5_000);
    await zk.create('/mine', bytes('x'), { ephemeral: true });
    const seen: (string | undefined)[] = [];
    zk.watchNode('/mine', (node) => seen.push(node?.stat.ephemeralOwner));
    await eventually(() => expect(seen).toHaveLength(1));
    server.pause();
    await eventually(() => expect(zk.state()).toBe('suspended'));
    const started = performance.now();
    await expect(zk.get('/')).rejects.toMatchObject({ code: 'ZOOKEEPER_UNREACHABLE' });
    expect(performance.now() - started).toBeLessThan(2_000);
    await systemClock.sleep(1_500);
    expect(types).toEqual(['connected', 'suspended']);
    server.resume();
    await zk.connected(10_000);
    // The server decides; what is told must agree with what is there.
    const there = await zk.get('/mine');
    expect(there === undefined).toBe(types.includes('expired'));
    await eventually(() => expect(seen.at(-1)).toBe(there?.stat.ephemeralOwner));
  });

  it('that was killed and comes back with its data, has the session still', async () => {
    const server = await aServer();
    const { zk, types } = aClient(server, 1_000);
    await zk.connected(5_000);
    await zk.create('/mine', bytes('x'), { ephemeral: true });
    const made = await zk.exists('/mine');
    const changes: unknown[] = [];
    zk.watchNode('/mine', (node) => changes.push(node?.stat.czxid));
    await eventually(() => expect(changes).toEqual([made?.czxid]));
    await server.kill();
    // Longer than the session's timeout: nobody is there to let it expire.
    await systemClock.sleep(2_000);
    await server.start();
    await zk.connected(10_000);
    expect(await zk.exists('/mine')).toEqual(made);
    expect(types).toEqual(['connected', 'suspended', 'connected']);
    await zk.set('/mine', bytes('y'));
    await eventually(() => expect(changes).toEqual([made?.czxid, made?.czxid]));
  });

  it('that comes back without its data is served with a new session', async () => {
    const server = await aServer();
    const { zk, types } = aClient(server, 1_000);
    await zk.connected(5_000);
    await zk.ensurePath('/a/b');
    for (let count = 0; count < 10; count += 1) await zk.create('/a/b/n-', bytes(''), { sequential: true });
    const seen: unknown[] = [];
    zk.watchChildren('/a', (children) => seen.push(children));
    await eventually(() => expect(seen).toEqual([['b']]));
    await server.kill();
    server.wipe();
    await server.start();
    await eventually(() => expect(types).toEqual(['connected', 'suspended', 'expired', 'connected']));
    await eventually(() => expect(seen).toEqual([['b'], undefined]));
    await zk.ensurePath('/a/c');
    await eventually(() => expect(seen.at(-1)).toEqual(['c']));
  });

  it('has 200 clients back within 15 s, and nothing of theirs was gone', async () => {
    const server = await aServer();
    const first = aClient(server, 10_000);
    await first.zk.ensurePath('/all');
    const clients = Array.from({ length: 200 }, () => aClient(server, 10_000));
    await Promise.all(clients.map(({ zk }, at) => zk.create(`/all/${at}`, bytes(`${at}`), { ephemeral: true })));
    const seen: number[] = [];
    first.zk.watchChildren('/all', (children) => seen.push(children?.length ?? 0));
    await eventually(() => expect(seen.at(-1)).toBe(200));
    seen.length = 0;
    await server.kill();
    await eventually(() => expect(clients.filter(({ zk }) => zk.state() !== 'suspended')).toEqual([]));
    await server.start();
    const back = performance.now();
    await Promise.all(clients.map(({ zk }) => zk.connected(15_000)));
    expect(clients.filter(({ types }) => types.includes('expired'))).toEqual([]);
    await Promise.all(clients.map(({ zk }, at) => zk.set(`/all/${at}`, bytes('still mine'), 0)));
    expect(performance.now() - back).toBeLessThan(15_000);
    await first.zk.connected(15_000);
    expect(await first.zk.children('/all')).toHaveLength(200);
    expect(seen).toEqual([]);
  });
});
