import dns from 'node:dns';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeServer } from '../../../test/builders/fake-zookeeper-server.ts';
import { ManualClock, settle } from '../../../test/builders/manual-clock.ts';
import { RememberingLog } from '../../../test/builders/remembering-log.ts';
import { TcpProxy } from '../../../test/builders/tcp-proxy.ts';
import { systemClock } from '../../kernel/system-clock.ts';
import type { SessionEvent } from './session.ts';
import { ZooKeeper, type ZooKeeperOptions } from './zookeeper.ts';

/** A session timeout that makes silence a matter of 200 ms. */
const T = 300;

const opened: { [Symbol.asyncDispose](): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function server(options: Parameters<typeof FakeServer.start>[0] = {}): Promise<FakeServer> {
  const fake = await FakeServer.start(options);
  opened.push(fake);
  return fake;
}

interface Followed {
  readonly zk: ZooKeeper;
  readonly events: SessionEvent[];
  readonly types: () => string[];
  readonly warnings: string[];
}

function client(quorum: string, options: Partial<ZooKeeperOptions> = {}): Followed {
  const log = new RememberingLog();
  // In the order of the connect string.
  let order = 0;
  const random = () => Math.min(0.9, (order++ % 10) / 10);
  const zk = new ZooKeeper({ quorum, sessionTimeoutMs: T, clock: systemClock, log, random, ...options });
  const events: SessionEvent[] = [];
  zk.onEvent((event) => events.push(event));
  opened.push({ [Symbol.asyncDispose]: () => zk.close() });
  return { zk, events, types: () => events.map(({ type }) => type), warnings: log.warnings };
}

/** A client whose process can be killed: nothing more is heard of it, and it has told nobody. */
async function mortal(fake: FakeServer): Promise<Followed & { kill(): Promise<void> }> {
  const link = await new TcpProxy('127.0.0.1', fake.port).start();
  const followed = client(`127.0.0.1:${link.port}`);
  await followed.zk.connected(2_000);
  return { ...followed, kill: () => link.stop() };
}

async function connected(fake: FakeServer, options: Partial<ZooKeeperOptions> = {}): Promise<Followed> {
  const followed = client(fake.address, options);
  await followed.zk.connected(2_000);
  return followed;
}

function eventually(assertion: () => void, withinMs = 2_000): Promise<void> {
  return vi.waitFor(assertion, { timeout: withinMs, interval: 5 });
}

const bytes = (text: string) => Buffer.from(text);
const coded = (code: string, text = '') => expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('calls', () => {
  it('read and write nodes', async () => {
    const { zk } = await connected(await server());
    expect(await zk.create('/a', bytes('one'))).toBe('/a');
    expect(await zk.create('/a/e', bytes(''), { ephemeral: true })).toBe('/a/e');
    expect(await zk.get('/a')).toMatchObject({ data: bytes('one'), stat: { version: 0, ephemeralOwner: undefined } });
    expect(await zk.exists('/a/e')).toMatchObject({ ephemeralOwner: zk.session()?.id, version: 0 });
    expect(await zk.children('/a')).toEqual(['e']);
    expect(await zk.set('/a', new Uint8Array([1, 2]), 0)).toMatchObject({ version: 1, numChildren: 1 });
    expect((await zk.get('/a'))?.data).toEqual(Buffer.from([1, 2]));
    expect(await zk.delete('/a/e', 0)).toBe(true);
    expect(await zk.delete('/a/e')).toBe(false);
    expect(await zk.get('/b')).toBeUndefined();
    expect(await zk.exists('/b')).toBeUndefined();
    expect(await zk.children('/b')).toBeUndefined();
    expect(await zk.create('/a/q-', bytes('x'), { sequential: true })).toBe('/a/q-0000000001');
  });

  it('say what is in their way', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.put('/a', 'x');
    fake.put('/a/b', 'x');
    fake.put('/mine', 'x', '0000000000000777');
    await expect(zk.create('/a', bytes(''))).rejects.toEqual(
      coded('ZOOKEEPER_CONFLICT', 'create "/a": the node exists'),
    );
    await expect(zk.create('/mine', bytes('x'), { ephemeral: true })).rejects.toEqual(
      coded('ZOOKEEPER_CONFLICT', 'a node of session 0000000000000777 is there'),
    );
    await expect(zk.create('/x/y', bytes(''))).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'no such node'));
    await expect(zk.set('/x', bytes(''))).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'no such node'));
    await expect(zk.set('/a', bytes(''), 7)).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'another version'));
    await expect(zk.delete('/a')).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'has children'));
    await expect(zk.delete('/a/b', 3)).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'another version'));
  });

  it('take no path or data that would end the connection', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    await expect(zk.get('/a//b')).rejects.toEqual(coded('ZOOKEEPER_ERROR', 'has two slashes in a row'));
    expect(() => zk.watchNode('relative', () => {})).toThrow(coded('ZOOKEEPER_ERROR', 'does not start with a slash'));
    await expect(zk.create('/big', Buffer.alloc(1_048_576))).rejects.toEqual(coded('ZOOKEEPER_ERROR', 'longer'));
    expect(await zk.create('/fits', Buffer.alloc(1_000_000))).toBe('/fits');
    expect(types()).toEqual(['connected']);
  });

  it('find everything below the chroot', async () => {
    const fake = await server();
    const { zk } = client(`${fake.address}/org/maas`);
    await zk.ensurePath('/a/b');
    expect([...fake.nodes.keys()]).toEqual(['/', '/org', '/org/maas', '/org/maas/a', '/org/maas/a/b']);
    expect(await zk.children('/')).toEqual(['a']);
    expect(await zk.create('/a/n', bytes(''), { sequential: true })).toBe('/a/n0000000001');
    const seen: unknown[] = [];
    zk.watchNode('/a/b', (node) => seen.push(node?.data.toString()));
    await eventually(() => expect(seen).toEqual(['']));
    fake.put('/org/maas/a/b', 'new');
    await eventually(() => expect(seen).toEqual(['', 'new']));
  });

  it('make paths that are partly there, and leave them alone where they are', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.put('/a', 'theirs');
    await zk.ensurePath('/a/b/c');
    await zk.ensurePath('/a/b/c');
    expect(fake.nodes.get('/a')).toMatchObject({ data: bytes('theirs'), version: 0 });
    expect(fake.nodes.get('/a/b/c')).toMatchObject({ data: bytes(''), owner: undefined });
    await Promise.all([zk.ensurePath('/p/q/r'), zk.ensurePath('/p/q/s')]);
    expect(fake.nodes.has('/p/q/r') && fake.nodes.has('/p/q/s')).toBe(true);
  });

  it('do all of a transaction or nothing', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.put('/a', 'x');
    fake.put('/old', 'x');
    const operations = [
      { type: 'check', path: '/a', version: 0 },
      { type: 'delete', path: '/old', version: 0 },
      { type: 'create', path: '/new', data: new Uint8Array([7]), ephemeral: true },
      { type: 'set', path: '/a', data: bytes('y'), version: 0 },
    ] as const;
    await zk.transaction(operations);
    expect(fake.nodes.get('/new')).toMatchObject({ data: Buffer.from([7]), owner: zk.session()?.id });
    expect(fake.nodes.get('/a')).toMatchObject({ data: bytes('y'), version: 1 });

    // Version 0 is a version, not "any".
    fake.put('/old', 'x');
    await expect(zk.transaction(operations)).rejects.toEqual(
      coded('ZOOKEEPER_CONFLICT', 'check "/a", 1 of 4 in a transaction: the node has another version'),
    );
    await expect(
      zk.transaction([
        { type: 'delete', path: '/old' },
        { type: 'delete', path: '/nothing' },
      ]),
    ).rejects.toEqual(coded('ZOOKEEPER_CONFLICT', 'delete "/nothing", 2 of 2 in a transaction: there is no such node'));
    expect(fake.nodes.has('/old')).toBe(true);
    await zk.transaction([]);
  });
});

describe('errors of a server', () => {
  it('that nobody knows fail the call, not the connection', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    fake.fate = ({ path }) => (path === '/odd' ? { error: -9_999 } : 'answer');
    await expect(zk.get('/odd')).rejects.toEqual(coded('ZOOKEEPER_ERROR', 'get "/odd": error -9999'));
    await expect(zk.create('/odd', bytes(''))).rejects.toEqual(coded('ZOOKEEPER_ERROR', 'error -9999'));
    await expect(zk.set('/odd', bytes(''))).rejects.toEqual(coded('ZOOKEEPER_ERROR', 'error -9999'));
    expect(await zk.get('/')).toBeDefined();
    expect(types()).toEqual(['connected']);
  });

  it.each([
    [-102, 'ZOOKEEPER_FORBIDDEN', 'not permitted'],
    [-125, 'ZOOKEEPER_ERROR', 'quota'],
    [-112, 'ZOOKEEPER_SESSION_EXPIRED', 'expired'],
  ])('%i become %s', async (error, code, text) => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.fate = ({ path }) => (path === '/x' ? { error } : 'answer');
    await expect(zk.get('/x')).rejects.toEqual(coded(code, text));
  });

  it('about a session that moved make a read go to where it is', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    let moved = 0;
    fake.fate = ({ type }) => (type === 'get' && moved++ === 0 ? { error: -118 } : 'answer');
    expect(await zk.get('/')).toBeDefined();
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
    expect(fake.handshakes[1]?.session).toBe(zk.session()?.id);
  });
});

describe('a connection', () => {
  it('that carries nothing is kept alive by pings', async () => {
    const fake = await server();
    const { types } = await connected(fake);
    await eventually(() => expect(fake.count('ping')).toBeGreaterThanOrEqual(8), 4 * T);
    expect(types()).toEqual(['connected']);
  });

  it('that went half-open is noticed within two thirds of the timeout, and the session resumed', async () => {
    const fake = await server();
    // What other processes take of the machine's time is not the client's doing.
    const clock = new ManualClock();
    const { zk, types } = await connected(fake, { sessionTimeoutMs: 1_500, clock });
    fake.put('/a', 'x');
    await zk.get('/a');
    const session = zk.session();
    fake.freeze();
    const started = clock.monotonic();
    while (!types().includes('suspended')) {
      await clock.advance(100);
      await settle();
    }
    expect(clock.monotonic() - started).toBeLessThanOrEqual(1_000);
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'connected']));
    expect(zk.session()).toEqual(session);
    expect(fake.handshakes[1]).toMatchObject({ session: session?.id, lastZxid: fake.zxid });
    expect(fake.sessions.size).toBe(1);
  });

  it('is given up exactly after two thirds of silence, a ping unanswered', async () => {
    const fake = await server();
    const clock = new ManualClock();
    const { zk, types } = await connected(fake, { sessionTimeoutMs: 9_000, clock });
    await clock.advance(3_000);
    await eventually(() => expect(fake.count('ping')).toBe(1));
    await clock.advance(1_000);
    await zk.get('/');
    fake.freeze();
    // Stops where pings are due.
    for (const ms of [2_000, 3_000, 999]) {
      await clock.advance(ms);
      await settle();
    }
    expect(types()).toEqual(['connected']);
    await clock.advance(1);
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'connected']));
  });

  it('that went half-open while a read waits gives it another answer', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.freeze();
    expect(await zk.children('/')).toEqual([]);
  });

  it('to a server that accepts and stays silent is given up for another server', async () => {
    const silent = await server();
    silent.greeting = 'stay silent';
    const good = await server();
    const { zk } = client(`${silent.address},${good.address}`);
    await zk.connected(T);
    expect(good.handshakes).toHaveLength(1);
  });

  it('to nothing but silent servers ends the waiting, and says what was tried', async () => {
    const fake = await server();
    fake.greeting = 'stay silent';
    const { zk, types } = client(fake.address);
    await expect(zk.connected(250)).rejects.toEqual(
      coded('ZOOKEEPER_UNREACHABLE', `${fake.address}: "it did not answer within 100 ms"`),
    );
    expect(zk.state()).toBe('connecting');
    fake.greeting = 'answer';
    await zk.connected(2_000);
    expect(types()).toEqual(['connected']);
  });

  it.each(['close', 'speak HTTP'] as const)('to what does %s is tried again, not in haste', async (greeting) => {
    const fake = await server();
    fake.greeting = greeting;
    const { zk, warnings } = client(fake.address, { sessionTimeoutMs: 10_000, operationTimeoutMs: 300 });
    const why = greeting === 'close' ? '(closed|reset)' : 'cannot be read';
    await expect(zk.get('/')).rejects.toThrow(new RegExp(why, 'i'));
    await expect(zk.get('/')).rejects.toEqual(coded('ZOOKEEPER_UNREACHABLE'));
    // A log of a long outage says why, and not at each attempt.
    expect(warnings).toEqual(['no connection to ZooKeeper']);
    fake.greeting = 'answer';
    await zk.connected(3_000);
  });

  it('that a server forgets while it starts costs a sixth of the timeout, however long it was away', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake, { sessionTimeoutMs: 1_500 });
    fake.greeting = 'close';
    fake.disconnect();
    await eventually(() => expect(fake.accepted).toBeGreaterThan(8));
    fake.greeting = 'stay silent';
    const before = fake.accepted;
    await eventually(() => expect(fake.accepted).toBe(before + 1));
    fake.greeting = 'answer';
    const started = performance.now();
    await zk.connected(2_000);
    expect(performance.now() - started).toBeLessThan(750);
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
  });

  it('refused is tried again until there is a server', async () => {
    const first = await FakeServer.start();
    const { port, address } = first;
    await first[Symbol.asyncDispose]();
    const { zk } = client(address);
    await expect(zk.connected(100)).rejects.toEqual(coded('ZOOKEEPER_UNREACHABLE', 'ECONNREFUSED'));
    await server({ port });
    await zk.connected(2_000);
  });

  it.each([0, 1, 3, 4, 10, 19, 20, 30])('that ends %i bytes into an answer leaves nothing behind', async (cutAfter) => {
    const fake = await server();
    fake.put('/a', 'data that is long enough to be cut in the middle');
    const { zk, types } = await connected(fake);
    let gets = 0;
    fake.fate = ({ type }) => (type === 'get' && gets++ === 0 ? { cutAfter } : 'answer');
    expect((await zk.get('/a'))?.data.toString()).toContain('long enough');
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
    expect(await zk.children('/')).toEqual(['a']);
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
  });

  it.each([
    ['an answer that is too short', { body: Buffer.from([0, 0, 0, 9, 1]) }],
    ['an answer without a body', { body: Buffer.alloc(0) }],
    ['a negative length in an answer', { body: Buffer.from([0xff, 0xff, 0xff, 0x00, 0, 0]) }],
    ['an answer to something else', { xid: 4_711 }],
  ])('that brings %s is replaced', async (_what, fate) => {
    const fake = await server();
    fake.put('/a', 'x');
    const { zk, types } = await connected(fake);
    let gets = 0;
    fake.fate = ({ type }) => (type === 'get' && gets++ === 0 ? fate : 'answer');
    expect((await zk.get('/a'))?.data.toString()).toBe('x');
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
  });

  it('that brings half a path for a node that was made, is replaced, and the node looked at', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    const half = { body: Buffer.from([0, 0, 0, 5, 0x2f, 0x6d]) };
    fake.fate = ({ type }) => (type === 'create' ? half : 'answer');
    expect(await zk.create('/mine', bytes(''), { ephemeral: true })).toBe('/mine');
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
  });

  it('is not given up by a process that was stopped itself, before it has asked', async () => {
    const fake = await server();
    const { types } = await connected(fake);
    // Both ends are in this process, so nothing is said meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, T - 40);
    const pings = fake.count('ping');
    await eventually(() => expect(fake.count('ping')).toBeGreaterThan(pings + 2));
    expect(types()).toEqual(['connected']);
  });

  it.each([
    ['an absurd length', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['a frame without a header', Buffer.from([0, 0, 0, 2, 1, 1])],
    ['an event without a path', Buffer.from('00000010ffffffff000000000000000000000000', 'hex')],
    ['an answer that nobody waits for', Buffer.from('00000010000000070000000000000000ffffffff', 'hex')],
  ])('that brings %s out of nothing is replaced', async (_what, raw) => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    fake.sendRaw(raw);
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'connected']));
    expect(await zk.get('/')).toBeDefined();
  });

  it('is not hammered where every answer to one question is garbage', async () => {
    const fake = await server();
    const { zk } = await connected(fake, { sessionTimeoutMs: 10_000, operationTimeoutMs: 500 });
    fake.fate = ({ type }) => (type === 'get' ? { body: Buffer.alloc(0) } : 'answer');
    await expect(zk.get('/')).rejects.toMatchObject({
      code: expect.stringMatching(/^ZOOKEEPER_(TIMEOUT|UNREACHABLE)$/),
    });
    expect(fake.handshakes.length).toBeLessThan(12);
  });

  it('reaches IPv6 servers', async () => {
    const fake = await server({ host: '::1' });
    expect(fake.address).toMatch(/^\[::1\]:\d+$/);
    const { zk } = await connected(fake);
    expect(await zk.children('/')).toEqual([]);
  });

  it('says what became of each address of a name that has several', async () => {
    const port = Number((await server()).address.split(':').at(-1));
    await Promise.all(opened.splice(0).map((each) => each[Symbol.asyncDispose]()));
    const addresses = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
    const lookup = vi
      .spyOn(dns, 'lookup')
      .mockImplementation(((_name: string, _options: object, done: (error: null, found: typeof addresses) => void) =>
        done(null, addresses)) as typeof dns.lookup);
    try {
      const { zk } = client(`zk.example:${port}`);
      const refused = await zk.connected(1_000).catch((error: unknown) => error);
      expect(String(refused)).toMatch(/zk\.example:\d+: ".*127\.0\.0\.1:\d+.*::1:\d+/);
    } finally {
      lookup.mockRestore();
    }
  });

  it('to a server that is behind goes on to one that is not', async () => {
    const first = await server();
    const behind = await server();
    const { zk, types } = client(`${first.address},${behind.address}`, { sessionTimeoutMs: 2_000 });
    first.put('/a', 'x');
    await zk.get('/a');
    first.disconnect();
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'connected']));
    expect(behind.handshakes).toMatchObject([{ lastZxid: first.zxid }]);
    expect(first.handshakes).toHaveLength(2);
  });

  it('to servers that were set up anew comes about, with a new session', async () => {
    const first = await FakeServer.start();
    const { zk, types } = client(first.address);
    first.put('/a', 'x');
    await zk.get('/a');
    const { port } = first;
    await first[Symbol.asyncDispose]();
    await server({ port });
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'expired', 'connected']), 3_000);
    expect(await zk.children('/')).toEqual([]);
  });
});

describe('a session', () => {
  it('that expired is followed by another', async () => {
    const fake = await server();
    const { zk, events, types } = await connected(fake);
    const first = zk.session();
    const during: unknown[] = [];
    zk.onEvent(({ type }) => during.push([type, zk.state(), zk.session()?.id === first?.id]));
    fake.expire(first?.id ?? '');
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'expired', 'connected']));
    expect(during).toEqual([
      ['suspended', 'suspended', true],
      ['expired', 'connecting', false],
      ['connected', 'connected', false],
    ]);
    expect(events[3]).toEqual({ type: 'connected', session: zk.session(), resumed: false });
    expect(events[0]).toEqual({ type: 'connected', session: first, resumed: false });
  });

  it('is resumed by another process, with its nodes', async () => {
    const fake = await server();
    const before = await mortal(fake);
    await before.zk.create('/mine', bytes('x'), { ephemeral: true });
    const resume = before.zk.session();
    await before.kill();
    const after = await connected(fake, { resume });
    expect(after.events).toEqual([{ type: 'connected', session: resume, resumed: true }]);
    expect(await after.zk.create('/mine', bytes('x'), { ephemeral: true })).toBe('/mine');
    await after.zk.close();
    expect(fake.nodes.has('/mine')).toBe(false);
    expect(fake.sessions.size).toBe(0);
  });

  it.each([
    ['is over', 'right'],
    ['has another password', 'wrong'],
  ])('to be resumed that %s is replaced by a new one', async (_what, how) => {
    const fake = await server();
    const before = await mortal(fake);
    const session = before.zk.session();
    if (session === undefined) throw new Error('no session');
    await before.kill();
    if (how === 'right') fake.expire(session.id);
    const password = how === 'right' ? session.password : Buffer.alloc(16, 1).toString('base64');
    const after = client(fake.address, { resume: { ...session, password } });
    expect(after.zk.session()).toBeUndefined();
    await after.zk.connected(2_000);
    expect(after.types()).toEqual(['expired', 'connected']);
    expect(after.zk.session()?.id).not.toBe(session.id);
  });

  it('follows the timeout that the server grants', async () => {
    const fake = await server({ timeoutMs: T });
    const { zk, types } = await connected(fake, { sessionTimeoutMs: 60_000 });
    expect(zk.session()?.timeoutMs).toBe(T);
    fake.freeze();
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'connected']), 2 * T);
    expect(fake.handshakes[1]?.timeoutMs).toBe(60_000);
  });

  it('that is closed ends at the server, and with it every call', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    await zk.create('/mine', bytes(''), { ephemeral: true });
    await Promise.all([zk.close(), zk.close()]);
    expect(fake.nodes.has('/mine')).toBe(false);
    expect(types()).toEqual(['connected', 'closed']);
    expect(zk.state()).toBe('closed');
    await expect(zk.get('/')).rejects.toEqual(coded('ZOOKEEPER_UNREACHABLE'));
    await expect(zk.create('/x', bytes(''))).rejects.toEqual(coded('ZOOKEEPER_UNREACHABLE'));
    await expect(zk.connected(10)).rejects.toEqual(coded('ZOOKEEPER_UNREACHABLE'));
    await eventually(() => expect(fake.connections).toBe(0));
  });

  it('that is closed over a connection which is lost just then is closed over the next', async () => {
    const fake = await server();
    const { zk, warnings } = await connected(fake);
    fake.disconnect();
    await zk.close();
    expect(fake.sessions.size).toBe(0);
    expect(warnings).not.toContain('the ZooKeeper session is left to run out');
  });

  it('that cannot be closed takes every call that waits with it', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.fate = () => 'ignore';
    const calls = [
      expect(zk.get('/')).rejects.toEqual(coded('ZOOKEEPER_UNREACHABLE', 'was closed here')),
      expect(zk.set('/', bytes(''))).rejects.toEqual(coded('ZOOKEEPER_TIMEOUT')),
    ];
    await eventually(() => expect(fake.count('set')).toBe(1));
    fake.freeze();
    await zk.close();
    await Promise.all(calls);
    expect(fake.sessions.size).toBe(1);
  });

  it('that is closed while nobody answers keeps nobody waiting for long', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.greeting = 'stay silent';
    fake.freeze();
    const started = performance.now();
    await zk.close();
    expect(performance.now() - started).toBeLessThan(T);
    const never = client(fake.address);
    await never.zk.close();
    expect(never.types()).toEqual(['closed']);
  });

  it('tells its events to everybody, also after somebody who fails', async () => {
    const fake = await server();
    const { zk, types, warnings } = client(fake.address);
    const others: string[] = [];
    zk.onEvent(() => {
      throw new Error('from a listener');
    });
    const stop = zk.onEvent(({ type }) => others.push(type));
    await zk.connected(2_000);
    stop();
    fake.disconnect();
    await eventually(() => expect(types()).toEqual(['connected', 'suspended', 'connected']));
    expect(others).toEqual(['connected']);
    expect(warnings).toContain('a listener to ZooKeeper failed');
  });
});

describe('what is asked without a connection', () => {
  it('is answered by the next one', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.greeting = 'close';
    fake.disconnect();
    await eventually(() => expect(zk.state()).toBe('suspended'));
    const calls = Promise.all([zk.create('/a', bytes('')), zk.children('/')]);
    fake.greeting = 'answer';
    expect(await calls).toEqual(['/a', ['a']]);
  });

  it('ends when none comes', async () => {
    const fake = await server();
    const { zk } = await connected(fake, { operationTimeoutMs: 150 });
    fake.greeting = 'close';
    fake.disconnect();
    await eventually(() => expect(zk.state()).toBe('suspended'));
    const calls = [
      zk.get('/'),
      zk.create('/a', bytes('')),
      zk.delete('/a'),
      zk.transaction([{ type: 'delete', path: '/' }]),
      zk.ensurePath('/a'),
    ];
    for (const call of calls) await expect(call).rejects.toEqual(coded('ZOOKEEPER_UNREACHABLE'));
    expect(fake.count('create')).toBe(0);
  });

  it('is not done in another session than the caller knew of', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    fake.greeting = 'close';
    fake.expire(zk.session()?.id ?? '');
    await eventually(() => expect(zk.state()).toBe('suspended'));
    const writes = [zk.create('/a', bytes(''), { ephemeral: true }), zk.set('/', bytes('')), zk.delete('/a')];
    const reading = zk.children('/');
    fake.greeting = 'answer';
    for (const write of writes) await expect(write).rejects.toEqual(coded('ZOOKEEPER_SESSION_EXPIRED'));
    expect(await reading).toEqual([]);
    expect(types()).toEqual(['connected', 'suspended', 'expired', 'connected']);
  });

  it('can be given up by its caller', async () => {
    const fake = await server();
    fake.greeting = 'close';
    const { zk } = client(fake.address);
    const giveUp = new AbortController();
    const waiting = zk.connected(60_000, giveUp.signal);
    giveUp.abort(new Error('stopping'));
    await expect(waiting).rejects.toThrow('stopping');
    await expect(zk.connected(60_000, giveUp.signal)).rejects.toThrow('stopping');
  });
});

describe('an answer that never comes', () => {
  it('ends the call at its deadline, not the connection', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake, { operationTimeoutMs: 150 });
    let ignored = 0;
    fake.fate = ({ type }) => (type === 'get' && ignored++ === 0 ? 'ignore' : 'answer');
    const started = performance.now();
    await expect(zk.get('/')).rejects.toEqual(coded('ZOOKEEPER_TIMEOUT', 'get "/": "no answer in time"'));
    expect(performance.now() - started).toBeGreaterThan(140);
    expect(types()).toEqual(['connected']);
  });

  it('does not keep a call when the session ends meanwhile', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.fate = ({ type }) => (type === 'create' ? 'ignore' : 'answer');
    const creating = zk.create('/a', bytes(''), { ephemeral: true });
    await eventually(() => expect(fake.count('create')).toBe(1));
    fake.expire(zk.session()?.id ?? '');
    await expect(creating).rejects.toMatchObject({ code: 'ZOOKEEPER_SESSION_EXPIRED' });
  });
});

describe('a write whose answer was lost', () => {
  const once = (fake: FakeServer, type: string, fate: 'lose' | 'drop') => {
    let times = 0;
    fake.fate = (request) => (request.type === type && times++ === 0 ? fate : 'answer');
  };

  it('and that made an ephemeral node of this session, has succeeded', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    once(fake, 'create', 'lose');
    expect(await zk.create('/mine', bytes('x'), { ephemeral: true })).toBe('/mine');
    expect(fake.count('create')).toBe(1);
    expect(fake.nodes.get('/mine')?.owner).toBe(zk.session()?.id);
  });

  it('and that did not make an ephemeral node, is sent again', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    once(fake, 'create', 'drop');
    expect(await zk.create('/mine', bytes('x'), { ephemeral: true })).toBe('/mine');
    expect(fake.nodes.get('/mine')?.owner).toBe(zk.session()?.id);
  });

  it('is a conflict where somebody else was faster, or this session said something else', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.fate = ({ type, path }) => {
      if (type !== 'create' || path !== '/theirs') return 'answer';
      fake.put('/theirs', 'x', '0000000000000999');
      return 'drop';
    };
    await expect(zk.create('/theirs', bytes('x'), { ephemeral: true })).rejects.toEqual(
      coded('ZOOKEEPER_CONFLICT', 'session 0000000000000999'),
    );
    await zk.create('/mine', bytes('old'), { ephemeral: true });
    await expect(zk.create('/mine', bytes('new'), { ephemeral: true })).rejects.toEqual(coded('ZOOKEEPER_CONFLICT'));
  });

  it.each([{}, { sequential: true }, { sequential: true, ephemeral: true }])(
    'is left to the caller where reading cannot tell: create %j',
    async (mode) => {
      const fake = await server();
      const { zk } = await connected(fake);
      once(fake, 'create', 'lose');
      await expect(zk.create('/a', bytes('x'), mode)).rejects.toEqual(coded('ZOOKEEPER_TIMEOUT', 'create "/a"'));
      expect(fake.count('create')).toBe(1);
    },
  );

  it('settles a set with a version', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.put('/a', 'x');
    once(fake, 'set', 'lose');
    expect(await zk.set('/a', bytes('y'), 0)).toMatchObject({ version: 1 });
    once(fake, 'set', 'drop');
    await expect(zk.set('/a', bytes('z'), 1)).rejects.toEqual(coded('ZOOKEEPER_TIMEOUT'));
    once(fake, 'set', 'lose');
    await expect(zk.set('/a', bytes('z'))).rejects.toEqual(coded('ZOOKEEPER_TIMEOUT'));
    expect(fake.count('set')).toBe(3);
  });

  it('settles a delete, and never deletes a successor', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.put('/a', 'x');
    once(fake, 'delete', 'lose');
    expect(await zk.delete('/a')).toBe(true);
    fake.put('/a', 'x');
    fake.fate = ({ type }) => {
      if (type !== 'delete') return 'answer';
      fake.remove('/a');
      fake.put('/a', 'successor');
      return 'drop';
    };
    await expect(zk.delete('/a')).rejects.toEqual(coded('ZOOKEEPER_TIMEOUT'));
    expect(fake.nodes.get('/a')?.data.toString()).toBe('successor');
  });

  it('leaves a transaction to the caller', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    once(fake, 'multi', 'lose');
    await expect(zk.transaction([{ type: 'create', path: '/a', data: bytes('') }])).rejects.toEqual(
      coded('ZOOKEEPER_TIMEOUT', 'the transaction create "/a"'),
    );
    expect(fake.count('multi')).toBe(1);
  });

  it('does no harm to a path that is to be there', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    once(fake, 'create', 'lose');
    await zk.ensurePath('/a/b');
    once(fake, 'create', 'drop');
    await zk.ensurePath('/c/d');
    expect(fake.nodes.has('/a/b') && fake.nodes.has('/c/d')).toBe(true);
  });
});

describe('a watched node', () => {
  it('is told as it is, comes, changes and goes', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    const seen: (string | undefined)[] = [];
    const watch = zk.watchNode('/a', (node) => seen.push(node?.data.toString()));
    await eventually(() => expect(seen).toEqual([undefined]));
    fake.put('/a', 'one');
    await eventually(() => expect(seen).toEqual([undefined, 'one']));
    fake.put('/a', 'two');
    await eventually(() => expect(seen).toEqual([undefined, 'one', 'two']));
    fake.remove('/a');
    await eventually(() => expect(seen).toEqual([undefined, 'one', 'two', undefined]));
    fake.put('/a', 'two');
    await eventually(() => expect(seen).toEqual([undefined, 'one', 'two', undefined, 'two']));
    watch.close();
    fake.put('/a', 'three');
    await zk.get('/a');
    expect(seen).toHaveLength(5);
  });

  it('of several is told to each', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.put('/a', 'one');
    const first: unknown[] = [];
    const second: unknown[] = [];
    const one = zk.watchNode('/a', (node) => first.push(node?.data.toString()));
    zk.watchNode('/a', (node) => second.push(node?.data.toString()));
    await eventually(() => expect([first, second]).toEqual([['one'], ['one']]));
    one.close();
    fake.put('/a', 'two');
    await eventually(() => expect(second).toEqual(['one', 'two']));
    expect(first).toEqual(['one']);
  });

  it('is told what changed while there was no connection, and only that', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    fake.put('/a', 'one');
    fake.put('/same', 'same');
    const seen: unknown[] = [];
    zk.watchNode('/a', (node) => seen.push(node?.data.toString()));
    zk.watchNode('/same', (node) => seen.push(node?.data.toString()));
    await eventually(() => expect(seen.toSorted()).toEqual(['one', 'same']));
    fake.greeting = 'close';
    fake.disconnect();
    await eventually(() => expect(zk.state()).toBe('suspended'));
    fake.put('/a', 'two');
    fake.greeting = 'answer';
    await eventually(() => expect(seen).toHaveLength(3));
    expect(seen[2]).toBe('two');
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
    fake.put('/same', 'other');
    await eventually(() => expect(seen[3]).toBe('other'));
  });

  it('is told in the next session', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    await zk.create('/mine', bytes('x'), { ephemeral: true });
    const seen: unknown[] = [];
    zk.watchNode('/mine', (node) => seen.push(node?.stat.ephemeralOwner));
    const first = zk.session()?.id;
    await eventually(() => expect(seen).toEqual([first]));
    fake.expire(first ?? '');
    await eventually(() => expect(seen).toEqual([first, undefined]));
    await zk.create('/mine', bytes('x'), { ephemeral: true });
    await eventually(() => expect(seen).toEqual([first, undefined, zk.session()?.id]));
  });

  it('that was replaced by an equal one is told again', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    fake.put('/a', 'x');
    const seen: unknown[] = [];
    zk.watchNode('/a', (node) => seen.push(node?.stat.czxid));
    await eventually(() => expect(seen).toEqual([1n]));
    fake.disconnect();
    fake.remove('/a');
    fake.put('/a', 'x');
    await eventually(() => expect(seen).toEqual([1n, 3n]));
  });

  it('survives events that nobody knows', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    fake.put('/a', 'x');
    const seen: unknown[] = [];
    zk.watchNode('/a', (node) => seen.push(node?.data.toString()));
    await eventually(() => expect(seen).toEqual(['x']));
    const before = fake.count('get');
    fake.sendEvent(42, '/a');
    fake.sendEvent(42, '/unwatched');
    // It may mean anything, so the node is read again.
    await eventually(() => expect(fake.count('get')).toBe(before + 1));
    fake.put('/a', 'y');
    await eventually(() => expect(seen).toEqual(['x', 'y']));
    expect(types()).toEqual(['connected']);
  });

  it('that cannot be read is tried again', async () => {
    const fake = await server();
    const { zk, warnings } = await connected(fake);
    fake.put('/a', 'x');
    let gets = 0;
    fake.fate = ({ type }) => (type === 'get' && gets++ < 2 ? { error: -102 } : 'answer');
    const seen: unknown[] = [];
    zk.watchNode('/a', (node) => seen.push(node?.data.toString()));
    await eventually(() => expect(seen).toEqual(['x']), 4_000);
    expect(warnings).toEqual(['a watched node cannot be read', 'a watched node cannot be read']);
  });

  it('that could not be read is read at once over the next connection', async () => {
    const fake = await server();
    const clock = new ManualClock();
    const { zk, warnings } = await connected(fake, { clock });
    fake.fate = ({ type }) => (type === 'get' ? { error: -102 } : 'answer');
    const seen: unknown[] = [];
    zk.watchNode('/', (node) => seen.push(node?.data.toString()));
    await eventually(() => expect(warnings).toHaveLength(1));
    fake.fate = () => 'answer';
    fake.disconnect();
    await eventually(() => expect(zk.state()).toBe('suspended'));
    await clock.advance(30);
    await eventually(() => expect(seen).toEqual(['']));
  });

  it('whose reading is never answered is tried again', async () => {
    const fake = await server();
    const { zk } = await connected(fake, { operationTimeoutMs: 100 });
    fake.put('/a', 'x');
    let gets = 0;
    fake.fate = ({ type }) => (type === 'get' && gets++ === 0 ? 'ignore' : 'answer');
    const seen: unknown[] = [];
    zk.watchNode('/a', (node) => seen.push(node?.data.toString()));
    await eventually(() => expect(seen).toEqual(['x']), 3_000);
  });

  it('is told on after the one who is told has failed', async () => {
    const fake = await server();
    const { zk, warnings, types } = await connected(fake);
    const seen: unknown[] = [];
    zk.watchNode('/a', (node) => {
      seen.push(node?.data.toString());
      throw new Error('from a callback');
    });
    zk.watchNode('/a', async () => await Promise.reject(new Error('from a callback, later')));
    await eventually(() => expect(seen).toEqual([undefined]));
    fake.put('/a', 'x');
    await eventually(() => expect(seen).toEqual([undefined, 'x']));
    await eventually(() => expect(warnings).toHaveLength(4));
    expect(types()).toEqual(['connected']);
  });

  it('is told nothing more after the end', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    const seen: unknown[] = [];
    zk.watchNode('/a', () => seen.push(1));
    await eventually(() => expect(seen).toHaveLength(1));
    await zk.close();
    zk.watchNode('/a', () => seen.push(2)).close();
    expect(seen).toEqual([1]);
  });
});

describe('watched children', () => {
  it('are told as they come and go, with their parent', async () => {
    const fake = await server();
    const { zk } = await connected(fake);
    const seen: (string[] | undefined)[] = [];
    zk.watchChildren('/a', (children) => seen.push(children));
    await eventually(() => expect(seen.at(-1)).toBeUndefined());
    fake.put('/a', 'x');
    await eventually(() => expect(seen.at(-1)).toEqual([]));
    fake.put('/a/b', 'x');
    await eventually(() => expect(seen.at(-1)).toEqual(['b']));
    fake.put('/a/b', 'data of a child is not told');
    fake.put('/a', 'nor that of the parent');
    await zk.get('/a');
    const told = seen.length;
    fake.put('/a/c', 'x');
    await eventually(() => expect(seen.at(-1)?.toSorted()).toEqual(['b', 'c']));
    expect(seen).toHaveLength(told + 1);
    fake.remove('/a/b');
    fake.remove('/a/c');
    fake.remove('/a');
    await eventually(() => expect(seen.at(-1)).toBeUndefined());
  });

  it('are told what changed while there was no connection, and only that', async () => {
    const fake = await server();
    const { zk, types } = await connected(fake);
    fake.put('/a', 'x');
    fake.put('/a/b', 'x');
    const seen: (string[] | undefined)[] = [];
    zk.watchChildren('/a', (children) => seen.push(children));
    await eventually(() => expect(seen).toEqual([['b']]));
    fake.disconnect();
    await eventually(() => expect(types()).toHaveLength(3));
    await zk.get('/a');
    expect(seen).toHaveLength(1);
    fake.disconnect();
    fake.remove('/a/b');
    await eventually(() => expect(seen).toEqual([['b'], []]));
  });
});
