import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listenElsewhere } from '../../../test/builders/listening-process.ts';
import { ManualClock } from '../../../test/builders/manual-clock.ts';
import type { Listener } from './listening-sockets.ts';
import { SocketLookout } from './socket-lookout.ts';
import { SocketTables } from './socket-tables.ts';

const whose = { reachable: 'any' } as const;

let proc: string;
let clock: ManualClock;
let listener: Listener;
/** How often the tables were read. */
let searches: number;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'lookout-'));
  mkdirSync(join(proc, 'net'));
  clock = new ManualClock();
  listener = 'none';
  searches = 0;
});
afterEach(() => rmSync(proc, { recursive: true }));

const counted = (four: number, six?: number) => {
  writeFileSync(join(proc, 'net/sockstat'), `sockets: used 9\nTCP: inuse ${four} orphan 0 tw 4 alloc 9 mem 1\n`);
  if (six !== undefined) writeFileSync(join(proc, 'net/sockstat6'), `TCP6: inuse ${six}\nUDP6: inuse 0\n`);
};
const lookout = () =>
  new SocketLookout(
    {
      listenerOn: async () => {
        searches += 1;
        return listener;
      },
      addressesOn: async () => [],
    },
    proc,
    clock,
  );

describe('a lookout', () => {
  it('does not search again where there are as many sockets as when nobody was found', async () => {
    counted(1, 1);
    const one = lookout();
    expect([await one.listenerOn(80, whose), await one.listenerOn(80, whose)]).toEqual(['none', 'none']);
    expect(searches).toBe(1);
  });

  it.each([
    ['of IPv4', 2, 1],
    ['of IPv6', 1, 2],
  ])('searches where there is another socket %s', async (_family, four, six) => {
    counted(1, 1);
    const one = lookout();
    await one.listenerOn(80, whose);
    listener = 'listening';
    counted(four, six);
    expect(await one.listenerOn(80, whose)).toBe('listening');
  });

  it('searches on another port, and after a while all the same', async () => {
    counted(1, 1);
    const one = lookout();
    await one.listenerOn(80, whose);
    await one.listenerOn(81, whose);
    expect(searches).toBe(2);
    await clock.advance(500);
    await one.listenerOn(81, whose);
    expect(searches).toBe(3);
  });

  it('searches each time where somebody was found', async () => {
    counted(1, 1);
    const one = lookout();
    await one.listenerOn(80, whose);
    counted(2, 1);
    listener = 'loopback-only';
    await one.listenerOn(80, whose);
    await one.listenerOn(80, whose);
    expect(searches).toBe(3);
  });

  it('knows that nobody listens for a model that has not started', async () => {
    counted(1);
    const one = lookout();
    await one.beforeModel();
    expect(await one.listenerOn(80, whose)).toBe('none');
    expect(searches).toBe(0);
    counted(2);
    await one.listenerOn(80, whose);
    expect(searches).toBe(1);
  });

  it('searches each time where the kernel does not count', async () => {
    const one = lookout();
    await one.beforeModel();
    await one.listenerOn(80, whose);
    await one.listenerOn(80, whose);
    expect(searches).toBe(2);
  });
});

it.each(['127.0.0.1', '::'])('the kernel counts one more as soon as somebody listens on %s', async (host) => {
  await using model = await listenElsewhere(host);
  const { port } = model;
  await model.end();
  const one = new SocketLookout(new SocketTables('/proc'), '/proc', { monotonic: () => 0 });
  await vi.waitFor(async () => expect(await one.listenerOn(port, whose)).toBe('none'));
  await using again = await listenElsewhere(host, port);
  await vi.waitFor(async () => expect(await one.listenerOn(again.port, whose)).not.toBe('none'));
});
