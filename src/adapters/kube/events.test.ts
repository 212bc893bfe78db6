import { describe, expect, it } from 'vitest';
import { ManualClock, settle } from '../../../test/builders/manual-clock.ts';
import { RememberingLog } from '../../../test/builders/remembering-log.ts';
import { MaasError } from '../../contracts/errors.ts';
import { ApiStatus } from './api-status.ts';
import { type EventClient, EventRecorder } from './events.ts';
import type { Event, Stored } from './resource-kind.ts';

/** The events of a server, and how it fails. */
class EventServer implements EventClient {
  readonly stored = new Map<string, Stored<Event>>();
  calls = 0;
  fail: () => Error | undefined = () => undefined;
  /** Stores, but fails all the same. */
  loseAnswer = false;

  create: EventClient['create'] = async (_kind, object) => {
    this.#call();
    const name = object.metadata.name ?? '';
    if (this.stored.has(name)) {
      throw new MaasError('CONFLICT', 'exists', { cause: new ApiStatus(409, 'exists', { reason: 'AlreadyExists' }) });
    }
    return this.#keep({ ...object, metadata: { ...object.metadata, name, uid: 'u', resourceVersion: '1' } });
  };

  mergePatch: EventClient['mergePatch'] = async (_kind, { name }, patch) => {
    this.#call();
    const known = this.stored.get(name);
    if (known === undefined) throw new MaasError('CLUSTER_NOT_FOUND', 'expired');
    return this.#keep({ ...known, ...patch });
  };

  #call(): void {
    this.calls++;
    const error = this.fail();
    if (error !== undefined) throw error;
  }

  #keep(event: Stored<Event>): Stored<Event> {
    this.stored.set(event.metadata.name, event);
    if (this.loseAnswer) {
      this.loseAnswer = false;
      throw new MaasError('CLUSTER_UNREACHABLE', 'reset');
    }
    return event;
  }
}

function setup() {
  const clock = new ManualClock();
  const server = new EventServer();
  const log = new RememberingLog();
  let ids = 0;
  const recorder = new EventRecorder({
    client: server,
    clock,
    log,
    component: 'maas-operator',
    instance: 'maas-operator-0',
    newId: () => `id${++ids}`,
  });
  return { clock, server, recorder, warnings: log.warnings, all: () => [...server.stored.values()] };
}

const dga = { apiVersion: 'maas.dev/v1', kind: 'ModelDeployment', namespace: 'fraud', name: 'dga', uid: 'uid-1' };
const started = { type: 'Normal', reason: 'Started', message: 'version 1.0 starts', action: 'Deploy' } as const;

describe('the event recorder', () => {
  it('writes what kubectl shows', async () => {
    const { recorder, all } = setup();
    recorder.record(dga, started);
    await settle();
    expect(all()).toMatchObject([
      {
        metadata: { namespace: 'fraud', name: 'dga.id1' },
        involvedObject: { ...dga },
        type: 'Normal',
        reason: 'Started',
        message: 'version 1.0 starts',
        action: 'Deploy',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        source: { component: 'maas-operator' },
        reportingComponent: 'maas-operator',
        reportingInstance: 'maas-operator-0',
      },
    ]);
  });

  it('counts repetitions within the window in one event', async () => {
    const { recorder, clock, all } = setup();
    for (let i = 0; i < 5; i++) {
      recorder.record(dga, started);
      await clock.advance(60_000);
    }
    expect(all()).toMatchObject([
      { count: 5, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:04:00Z' },
    ]);
    await clock.advance(600_000);
    recorder.record(dga, started);
    await settle();
    expect(all().map((event) => event.count)).toEqual([5, 1]);
  });

  it('keeps different reasons, messages, types and objects apart', async () => {
    const { recorder, all } = setup();
    recorder.record(dga, started);
    recorder.record(dga, { ...started, type: 'Warning' });
    recorder.record(dga, { ...started, reason: 'Stopped' });
    recorder.record(dga, { ...started, message: 'version 2.0 starts' });
    recorder.record({ ...dga, uid: 'uid-2' }, started);
    await settle();
    expect(all()).toHaveLength(5);
  });

  it('writes what is recorded in one breath once', async () => {
    const { recorder, server, all } = setup();
    for (let i = 0; i < 100; i++) recorder.record(dga, started);
    await settle();
    expect(server.calls).toBe(1);
    expect(all()[0]?.count).toBe(100);
  });

  it('limits the writes of one object, and does not forget its repetitions', async () => {
    const { recorder, clock, server, all } = setup();
    const other = { ...dga, name: 'other', uid: 'uid-2' };
    for (let i = 0; i < 40; i++) {
      recorder.record(dga, started);
      await settle();
    }
    expect(server.calls).toBe(25);
    recorder.record(dga, { ...started, reason: 'Flood' });
    recorder.record(other, started);
    await settle();
    expect(all().map((event) => [event.involvedObject.name, event.count])).toEqual([
      ['dga', 25],
      ['other', 1],
    ]);
    await clock.advance(29_000);
    recorder.record(dga, started);
    await settle();
    expect(all()[0]?.count).toBe(25);
    await clock.advance(1_000);
    for (let i = 0; i < 2; i++) {
      recorder.record(dga, started);
      await settle();
    }
    expect(all()[0]?.count).toBe(42);
  });

  it('writes an event anew that expired on the server', async () => {
    const { recorder, server, all } = setup();
    recorder.record(dga, started);
    await settle();
    server.stored.clear();
    recorder.record(dga, started);
    await settle();
    expect(all()).toMatchObject([{ count: 2 }]);
  });

  it('tries again, a few times, and never throws', async () => {
    const { recorder, clock, server, warnings, all } = setup();
    let failing = 2;
    server.fail = () => (failing-- > 0 ? new MaasError('CLUSTER_UNAVAILABLE', 'busy') : undefined);
    recorder.record(dga, started);
    await clock.advance(10_000);
    expect(all()).toHaveLength(1);
    expect(warnings).toEqual([]);

    server.fail = () => new MaasError('CLUSTER_UNREACHABLE', 'away');
    recorder.record(dga, { ...started, reason: 'Lost' });
    await clock.advance(60_000);
    expect(server.calls).toBe(6);
    expect(warnings).toHaveLength(1);

    server.fail = () => undefined;
    recorder.record(dga, { ...started, reason: 'Lost' });
    await settle();
    expect(all()).toHaveLength(2);
  });

  it('does not write an event twice whose answer got lost', async () => {
    const { recorder, clock, server, all } = setup();
    server.loseAnswer = true;
    recorder.record(dga, started);
    await clock.advance(5_000);
    recorder.record(dga, started);
    await settle();
    expect(all()).toMatchObject([{ count: 2 }]);
  });

  it('does not try again what is refused', async () => {
    const { recorder, clock, server, warnings } = setup();
    server.fail = () => new MaasError('CLUSTER_FORBIDDEN', 'no');
    recorder.record(dga, started);
    await clock.advance(60_000);
    expect(server.calls).toBe(1);
    expect(warnings).toHaveLength(1);
  });

  it('escapes what could move a terminal, and cuts what is too long', async () => {
    const { recorder, all } = setup();
    recorder.record(dga, { ...started, message: 'a\u001b[2Jb\nc\u202ed\u0085' });
    recorder.record(dga, { ...started, message: '💥'.repeat(2_000) });
    await settle();
    const messages = all().map((event) => event.message ?? '');
    expect(messages[0]).toBe('a\\u001b[2Jb | c\\u202ed');
    expect([...(messages[1] ?? '')]).toHaveLength(1_024);
    expect(messages[1]).toMatch(/💥…$/u);
  });

  it('names events of objects with long names validly', async () => {
    const { recorder, all } = setup();
    recorder.record({ ...dga, name: `${'a'.repeat(199)}.${'b'.repeat(50)}` }, started);
    await settle();
    expect(all()[0]?.metadata.name).toBe(`${'a'.repeat(199)}.id1`);
  });

  it('writes what is pending when it stops, but not for ever', async () => {
    const { recorder, clock, server, all } = setup();
    recorder.record(dga, started);
    await recorder.stop();
    expect(all()).toHaveLength(1);
    recorder.record(dga, { ...started, reason: 'Late' });
    await settle();
    expect(all()).toHaveLength(1);
    expect(clock.sleepers).toBe(0);

    const stuck = setup();
    stuck.server.fail = () => new MaasError('CLUSTER_UNREACHABLE', 'away');
    for (let i = 0; i < 20; i++) stuck.recorder.record(dga, { ...started, reason: `R${i}` });
    const stopped = stuck.recorder.stop();
    await stuck.clock.advance(2_000);
    await stopped;
    expect(stuck.clock.sleepers).toBe(0);
    expect(server.calls).toBe(1);
  });

  it('keeps little, however many objects there are', async () => {
    const { recorder, server, all } = setup();
    for (let i = 0; i < 3_000; i++) recorder.record({ ...dga, uid: `uid-${i}` }, started);
    await settle();
    expect(server.calls).toBe(1_000);
    expect(all()).toHaveLength(1_000);
  });
});
