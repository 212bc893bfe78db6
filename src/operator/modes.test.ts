import { describe, expect, it, vi } from 'vitest';
import { FakeZooKeeper } from '../../test/builders/fake-zookeeper.ts';
import type { MaasError } from '../contracts/errors.ts';
import {
  allActive,
  decodePublishedModes,
  encodePublishedModes,
  type Mode,
  type PublishedModes,
  printModes,
} from '../contracts/modes.ts';
import { silentLog } from '../kernel/log.ts';
import { systemClock as clock } from '../kernel/system-clock.ts';
import { Modes } from './modes.ts';

const path = '/maas/operator/c1/modes';
const text = (byDefault: Mode, ...own: [string, Mode][]) => printModes({ default: byDefault, models: new Map(own) });
function setUp(zookeeper = new FakeZooKeeper(), yields: boolean | 'unknown' = false) {
  const told = { leads: true, changes: 0, spoilt: [] as MaasError[] };
  const modes = new Modes({
    zookeeper,
    path,
    leadership: { holds: () => told.leads },
    changed: () => {
      told.changes += 1;
    },
    spoilt: (error) => told.spoilt.push(error),
    log: silentLog,
  });
  modes.start();
  if (yields !== 'unknown') modes.yield(yields);
  const published = (): PublishedModes | undefined => {
    const node = zookeeper.nodes.get(path);
    return node === undefined ? undefined : decodePublishedModes(node.data);
  };
  return { zookeeper, modes, told, published };
}

describe('Modes', () => {
  it('publishes that all are active where nothing is configured, once', async () => {
    const { zookeeper, modes, published } = setUp();
    modes.configured(undefined);
    await modes.publish();
    expect(published()).toEqual({ wanted: allActive, agents: allActive });
    await modes.publish();
    expect(zookeeper.nodes.get(path)?.version).toBe(0);
  });

  it('publishes nothing before the ConfigMap is known, and nothing where another leads', async () => {
    const { zookeeper, modes, told } = setUp();
    await modes.publish();
    modes.configured(text('shadow'));
    told.leads = false;
    await modes.publish();
    expect(zookeeper.nodes.has(path)).toBe(false);
    expect(modes.of('dga')).toEqual({ mode: 'shadow', agents: 'shadow' });
  });

  it('leaves the place to another release, whose modes hold then, and takes it back when that is gone', async () => {
    const zookeeper = new FakeZooKeeper();
    const first = setUp(zookeeper);
    const second = setUp(zookeeper);
    first.modes.configured(text('shadow'));
    second.modes.configured(text('drain'));
    second.modes.yield(true);
    for (let round = 0; round < 3; round++) {
      await second.modes.publish();
      await first.modes.publish();
    }
    expect(first.published()?.wanted.default).toBe('shadow');
    expect([first.modes.of('dga').agents, second.modes.of('dga').agents]).toEqual(['shadow', 'shadow']);
    expect(zookeeper.nodes.get(path)?.version).toBe(0);

    second.modes.yield(false);
    await second.modes.publish();
    expect(second.published()?.wanted.default).toBe('drain');
    expect(second.modes.of('dga')).toEqual({ mode: 'drain', agents: 'drain' });
  });

  it('publishes nothing before it is known who else does, though what people wrote holds', async () => {
    const zookeeper = new FakeZooKeeper();
    const { modes } = setUp(zookeeper, 'unknown');
    modes.configured(text('observe'));
    await modes.publish();
    expect(zookeeper.nodes.has(path)).toBe(false);
    expect(modes.of('dga').mode).toBe('observe');
  });

  it('leaves the agents of a model as they were while it is observed', async () => {
    const { modes, published } = setUp();
    modes.configured(text('shadow', ['dga', 'active']));
    await modes.publish();
    modes.configured(text('observe'));
    expect(modes.of('dga')).toEqual({ mode: 'observe', agents: 'active' });
    expect(modes.of('echo')).toEqual({ mode: 'observe', agents: 'shadow' });
    await modes.publish();
    expect(published()?.agents).toEqual({ default: 'shadow', models: new Map([['dga', 'active']]) });
    modes.configured(text('active'));
    await modes.publish();
    expect(published()?.agents).toEqual(allActive);
  });

  it('lets the last good modes hold while they cannot be read, and says so once', async () => {
    const { modes, told, published } = setUp();
    modes.configured(text('shadow', ['dga', 'active']));
    await modes.publish();
    modes.configured('{"default":');
    await modes.publish();
    expect(modes.of('dga')).toMatchObject({ mode: 'active', problem: expect.stringContaining('is not JSON') });
    expect(published()?.wanted.default).toBe('shadow');
    expect(told.spoilt.map(({ code }) => code)).toEqual(['MODES_INVALID']);
    modes.configured(text('active'));
    expect(modes.of('dga')).toEqual({ mode: 'active', agents: 'active' });
  });

  it('finds the last good modes where they were published, when it was restarted meanwhile', async () => {
    const first = setUp();
    first.modes.configured(text('observe', ['dga', 'drain']));
    await first.modes.publish();
    const { modes, published } = setUp(first.zookeeper);
    modes.configured('spoilt');
    expect(modes.of('dga')).toMatchObject({ mode: 'drain', agents: 'drain' });
    expect(modes.of('echo')).toMatchObject({ mode: 'observe', agents: 'active' });
    await modes.publish();
    expect(published()?.wanted.models).toEqual(new Map([['dga', 'drain']]));
  });

  it('only observes where it cannot know what was wanted', async () => {
    const { zookeeper, modes } = setUp();
    modes.configured('spoilt');
    await modes.publish();
    expect(zookeeper.nodes.has(path)).toBe(false);
    expect(modes.of('dga')).toMatchObject({ mode: 'observe', agents: 'active' });
  });

  it('publishes again at once what somebody wiped or spoilt, and keeps what observed models were told', async () => {
    const { zookeeper, modes, published } = setUp();
    zookeeper.put('/maas/operator/c1', '');
    const before: PublishedModes = { wanted: allActive, agents: { default: 'shadow', models: new Map() } };
    zookeeper.put(path, Buffer.from(encodePublishedModes(before)).toString());
    const over = new AbortController();
    const running = modes.run(clock, over.signal);
    try {
      modes.configured(text('observe', ['dga', 'drain']));
      const expected = { default: 'shadow', models: new Map([['dga', 'drain']]) };
      await vi.waitFor(() => expect(published()?.agents).toEqual(expected));
      zookeeper.drop(path);
      await vi.waitFor(() => expect(published()?.agents).toEqual(expected));
      zookeeper.put(path, 'nonsense');
      await vi.waitFor(() => expect(published()?.agents).toEqual(expected));
    } finally {
      over.abort();
      await running;
    }
  });

  it('publishes when ZooKeeper is back, and tells what changed meanwhile', async () => {
    const { zookeeper, modes, told, published } = setUp();
    const over = new AbortController();
    zookeeper.become('suspended');
    const running = modes.run(clock, over.signal);
    try {
      const before = told.changes;
      modes.configured(text('drain'));
      expect(told.changes).toBe(before + 1);
      zookeeper.become('connected');
      await vi.waitFor(() => expect(published()?.agents.default).toBe('drain'));
    } finally {
      over.abort();
      await running;
    }
  });

  it('tells of spoilt modes again when it begins to lead', async () => {
    const { modes, told } = setUp();
    modes.configured('spoilt');
    await modes.run(clock, AbortSignal.abort());
    expect(told.spoilt).toHaveLength(2);
  });
});
