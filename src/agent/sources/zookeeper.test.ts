import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EphemeralRegistry } from '../../../test/builders/ephemeral-registry.ts';
import { ManualClock, settle } from '../../../test/builders/manual-clock.ts';
import { agentInstructions } from '../../contracts/pod-contract.ts';
import { silentLog } from '../../kernel/log.ts';
import { LastingWrites } from '../lasting-writes.ts';
import type { Event } from '../lifecycle/events.ts';
import { SessionStore } from '../session-store.ts';
import { zooKeeperSide } from './zookeeper.ts';

const instance = 'dga-1-u1';
const path = `/maas/service/dga/${instance}`;
const marker = `/maas/operator/c1/instances/${instance}`;
const instructions = agentInstructions.parse({
  model: 'dga',
  version: '1.0',
  clusterId: 'c1',
  zookeeper: { quorum: 'unused:1' },
  hdfs: { nameservices: { local: { webhdfs: ['http://unused:1'] } } },
  advertise: 'PodIP',
  startupTimeoutMs: 60_000,
  unregisterTimeoutMs: 500,
  hostNetwork: false,
});
const registration = {
  model: 'dga',
  version: '1.0',
  id: instance,
  url: 'http://10.0.0.7:1500',
  functions: { apply: 'apply' },
  registeredAt: 0,
};

let directory: string;
let over: AbortController;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zookeeper-side-'));
  over = new AbortController();
});
afterEach(() => {
  over.abort();
  rmSync(directory, { recursive: true });
});

function setUp() {
  const clock = new ManualClock();
  const registry = new EphemeralRegistry();
  const store = new SessionStore(directory);
  const events: Event[] = [];
  const side = zooKeeperSide(registry.open(undefined), {
    instructions,
    pod: { name: 'dga-1', uid: 'u1', namespace: 'fraud', ip: '10.0.0.7', nodeIp: '10.0.1.1', nodeName: 'node7' },
    pinned: { digest: 'sha256:aa' },
    lifecycle: { dispatch: (event) => events.push(event), ended: over.signal },
    store,
    writes: new LastingWrites(clock, silentLog, over.signal),
    earlier: new Set(),
    wasRegistered: false,
    clock,
    log: silentLog,
  });
  side.follow();
  const told = () => events.map((event) => ('session' in event ? event.session : event.type));
  return { clock, registry, store, side, events, told };
}

describe("an agent's side of ZooKeeper", () => {
  it('tells of the session as it is, and of the mode', async () => {
    const { registry, events, told } = setUp();
    await vi.waitFor(() => expect(told()).toEqual(['connected', 'mode']));
    expect(events[1]).toEqual({ type: 'mode', mode: 'active' });
    const toldAfter = async (happen: () => void) => {
      events.length = 0;
      happen();
      await settle();
      return told();
    };
    expect(await toldAfter(() => registry.session.suspend())).toEqual(['suspended']);
    expect(await toldAfter(() => registry.session.connect())).toEqual(['connected']);
    expect(await toldAfter(() => registry.session.suspend())).toEqual(['suspended']);
    // A new session follows at once.
    const followed = ['expired', 'suspended', 'connected'];
    expect(await toldAfter(() => registry.session.expire())).toEqual(followed);
  });

  it('notes each session for the agent after this one', async () => {
    const { registry, store } = setUp();
    const noted = async (id: string | undefined) => expect((await store.load()).last?.id).toBe(id);
    const first = registry.session.session()?.id;
    await vi.waitFor(() => noted(first));
    registry.session.expire();
    expect(registry.session.session()?.id).not.toBe(first);
    await vi.waitFor(() => noted(registry.session.session()?.id));
  });

  it('finds within half a minute what no watch has told', async () => {
    const { clock, registry, side, told } = setUp();
    expect(await side.registrar.register(registration, () => true)).toBe(true);
    await clock.advance(60_000);
    expect(told()).not.toContain('disturbed');
    registry.nodes.delete(path);
    await clock.advance(30_000);
    expect(told()).toContain('disturbed');
  });

  it('notes a revocation, for the agent after this one', async () => {
    const { registry, store, side, told } = setUp();
    await side.registrar.register(registration, () => true);
    registry.put(marker, 'revoked', registry.ownerOf(marker));
    await vi.waitFor(() => expect(told()).toContain('revoked'));
    await vi.waitFor(async () => expect(await store.isRevoked()).toBe(true));
  });

  it('closes the session with what it holds', async () => {
    const { registry, side } = setUp();
    await side.registrar.register(registration, () => true);
    expect(registry.nodes.has(path)).toBe(true);
    await side.close();
    expect(registry.nodes.has(path)).toBe(false);
  });
});
