/** The agent's process and the operator's modes on a real ZooKeeper: what is published is obeyed, and nothing else. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ZooKeeper } from '../../src/adapters/zookeeper/zookeeper.ts';
import { hasCode } from '../../src/contracts/errors.ts';
import { decodePublishedModes, type Mode, modesPath, printModes } from '../../src/contracts/modes.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { Modes } from '../../src/operator/modes.ts';
import { AgentPod, type AgentPodOptions, until } from './agent-pod.ts';
import { CuttableLink } from './cuttable-link.ts';
import { zookeeper } from './world.ts';

const chroot = `/agent-modes-${randomBytes(6).toString('hex')}`;
const quorum = `${zookeeper().quorum}${chroot}`;
const path = modesPath('/maas/operator', 'c1');

let tree: ZooKeeper;
let modes: Modes;
const leadership = new AbortController();
let leading: Promise<void>;
const pods: AgentPod[] = [];
const links: CuttableLink[] = [];

beforeAll(async () => {
  tree = new ZooKeeper({ quorum, sessionTimeoutMs: 10_000, clock: systemClock, log: silentLog });
  await tree.connected(10_000);
  await tree.ensurePath('/');
  modes = new Modes({
    zookeeper: tree,
    path,
    leadership: { holds: () => true },
    changed: () => {},
    spoilt: () => {},
    log: silentLog,
  });
  modes.start();
  modes.yield(false);
  leading = modes.run(systemClock, leadership.signal);
});
afterEach(async () => {
  for (const pod of pods.splice(0)) await pod[Symbol.asyncDispose]();
  for (const link of links.splice(0)) await link[Symbol.asyncDispose]();
});
afterAll(async () => {
  leadership.abort();
  await leading;
  modes.stop();
  await removeTree('/');
  await tree.close();
});

async function removeTree(from: string): Promise<void> {
  for (const child of (await tree.children(from)) ?? []) await removeTree(`${from === '/' ? '' : from}/${child}`);
  await tree.delete(from).catch((error: unknown) => {
    // Somebody puts theirs back meanwhile.
    if (!hasCode(error, 'ZOOKEEPER_CONFLICT')) throw error;
  });
}

/** As a change of the ConfigMap would; done when it is published. */
async function set(byDefault: Mode, ...own: [string, Mode][]): Promise<void> {
  const wanted = { default: byDefault, models: new Map(own) };
  modes.configured(printModes(wanted));
  await until(async () => {
    const node = await tree.get(path);
    const published = node === undefined ? undefined : decodePublishedModes(node.data);
    return published !== undefined && printModes(published.wanted) === printModes(wanted);
  }, 'the modes are published');
}

function pod(options: Partial<AgentPodOptions> = {}): AgentPod {
  const made = new AgentPod({ quorum, model: `m${randomBytes(4).toString('hex')}`, ...options });
  pods.push(made);
  return made;
}

async function serving(options: Partial<AgentPodOptions> = {}): Promise<AgentPod> {
  const made = pod(options).startAgent();
  await made.startModel();
  await made.becomes('Registered');
  return made;
}

const exists = async (at: string) => (await tree.exists(at)) !== undefined;

describe('a mode', () => {
  it('takes a model from shadow to clients and back, within seconds and without a restart', async () => {
    await set('shadow');
    const made = pod().startAgent();
    await made.startModel();
    await made.becomes('Shadow');
    await until(() => made.isReady(), 'it is ready');
    expect(await exists(`/maas/service/${made.model}`)).toBe(false);

    await set('shadow', [made.model, 'active']);
    expect(await until(() => exists(made.registrationPath), 'it is registered')).toBeLessThan(2_000);
    await made.becomes('Registered');
    expect(await exists(made.markerPath)).toBe(true);

    await set('shadow', [made.model, 'drain']);
    expect(await until(async () => !(await exists(made.registrationPath)), 'it is unregistered')).toBeLessThan(2_000);
    await made.becomes('Drained');
    expect(await made.isReady()).toBe(true);
    expect(await exists(made.markerPath)).toBe(false);

    await set('active');
    await made.becomes('Registered');
    expect(made.output.match(/"stage":"WaitingForEndpoint"/g)).toHaveLength(1);
  });

  it('is of one model, and leaves the registrations of all others alone', async () => {
    await set('active');
    const [mine, other] = [await serving(), await serving()];
    const foreign = `/maas/service/${mine.model}/2`;
    await tree.create(foreign, Buffer.from('{"of": "the original"}'));
    const before = await tree.exists(other.registrationPath);
    await set('active', [mine.model, 'drain']);
    await mine.becomes('Drained');
    expect((await tree.get(foreign))?.data.toString()).toBe('{"of": "the original"}');
    expect(await tree.exists(other.registrationPath)).toEqual(before);
    await tree.delete(foreign);
  });

  it('is kept while ZooKeeper is away, and obeyed when it is back', async () => {
    await set('active');
    const link = await CuttableLink.open(zookeeper().quorum);
    links.push(link);
    const made = await serving({ quorum: `${link.address}${chroot}`, sessionTimeoutMs: 20_000 });
    link.cut();
    await until(async () => (await made.status())?.zookeeper === 'suspended', 'it noticed', 20_000);
    await set('active', [made.model, 'drain']);
    expect((await made.status())?.stage).toBe('Registered');
    link.mend();
    await until(async () => !(await exists(made.registrationPath)), 'it is unregistered', 20_000);
    await made.becomes('Drained');
  });

  it('holds for an agent that is started anew, which never registers in between', async () => {
    await set('active', ['other', 'drain']);
    const made = pod();
    await set('active', [made.model, 'shadow']);
    const seen: boolean[] = [];
    const watch = tree.watchNode(made.registrationPath, (node) => seen.push(node !== undefined));
    try {
      made.startAgent();
      await made.startModel();
      await made.becomes('Shadow');
      await made.killAgent('SIGKILL');
      made.startAgent();
      await made.becomes('Shadow');
      expect(await made.isReady()).toBe(true);
      expect(seen).toEqual([false]);
    } finally {
      watch.close();
    }
  });

  it('of a model that is observed stays what it was, also for a new instance', async () => {
    await set('shadow');
    const made = pod().startAgent();
    await made.startModel();
    await made.becomes('Shadow');
    await set('observe');
    const next = pod({ model: made.model }).startAgent();
    await next.startModel();
    await next.becomes('Shadow');
    expect(await exists(`/maas/service/${made.model}`)).toBe(false);
    expect((await made.status())?.stage).toBe('Shadow');
  });

  it('outlives that somebody wipes everything, and so do registrations', async () => {
    await set('active');
    const active = await serving();
    const shadow = pod();
    await set('active', [shadow.model, 'shadow']);
    shadow.startAgent();
    await shadow.startModel();
    await shadow.becomes('Shadow');
    const seen: boolean[] = [];
    const watch = tree.watchNode(shadow.registrationPath, (node) => seen.push(node !== undefined));
    try {
      await removeTree('/maas');
      expect(await until(() => exists(active.registrationPath), 'it is back')).toBeLessThan(5_000);
      expect(await until(() => exists(path), 'the modes are back')).toBeLessThan(5_000);
      expect((await shadow.status())?.stage).toBe('Shadow');
      expect(seen).not.toContain(true);
    } finally {
      watch.close();
    }
  });
});
