import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../test/builders/manual-clock.ts';
import { aPayload } from '../../test/builders/model-deployment.ts';
import { MaasError } from '../contracts/errors.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import type { PayloadView } from '../plan/observation.ts';
import type { WantedPayload } from './payload-following.ts';
import { PayloadWatch } from './payload-watch.ts';
import type { Payloads } from './ports.ts';

function setUp(payloads: Partial<Payloads>) {
  const clock = new ManualClock();
  const { asked, witnessed } = witness({
    resolve: async () => aPayload(),
    keep: async () => aCopy(),
    mend: async () => {},
    drift: async () => undefined,
    originalDrift: async () => undefined,
    sweep: async () => [],
    ...payloads,
  });
  /** What whoever is told looks at then. */
  const seen: PayloadView[] = [];
  const watch = new PayloadWatch(witnessed, clock, 60_000, () => seen.push(watch.view('u')));
  /** As a pass does. */
  const look = (wanted: WantedPayload, pinned: PinnedPayload | undefined) => {
    watch.want('u', wanted, pinned);
    return watch.view('u');
  };
  return { watch, look, seen, pass: (ms: number) => clock.advance(ms), asked, clock };
}

/** How often HDFS was asked for each thing: what it has to bear. */
function witness(payloads: Payloads) {
  const all: unknown[] = [];
  const witnessed = new Proxy(payloads, {
    get(target, name, receiver) {
      all.push(name);
      return Reflect.get(target, name, receiver);
    },
  });
  return { witnessed, asked: (what: keyof Payloads) => all.filter((each) => each === what).length };
}

const aCopy = (changes: Partial<PinnedPayload> = {}) =>
  aPayload({ path: '/store/aa', copiedFrom: '/models/dga', ...changes });

describe('PayloadWatch', () => {
  it('is pending first, then says what was found', async () => {
    const { look, seen } = setUp({});
    expect(look({ path: '/m' }, undefined)).toEqual({ state: 'pending' });
    await vi.waitFor(() => expect(seen).toMatchObject([{ state: 'resolved' }]));
    expect(look({ path: '/m' }, undefined)).toMatchObject({ state: 'resolved' });
  });

  it('looks again after a failure, with growing waits, and tells no news that are none', async () => {
    const resolve = async () => {
      throw new MaasError('HDFS_PATH_MISSING', 'nothing at /m');
    };
    const { look, pass, seen, asked } = setUp({ resolve });
    look({ path: '/m' }, undefined);
    await vi.waitFor(() => expect(seen).toMatchObject([{ state: 'failed' }]));
    expect(look({ path: '/m' }, undefined)).toMatchObject({ state: 'failed', transient: false });
    expect(asked('resolve')).toBe(1);
    for (const [before, attempts] of [
      [999, 1],
      [1, 2],
      [1_499, 2],
      [1, 3],
    ] as const) {
      await pass(before);
      expect(asked('resolve')).toBe(attempts);
    }
    expect(seen).toMatchObject([{ state: 'failed' }]);
  });

  it('looks at once when somebody says that what was incomplete is whole, and hands that on', async () => {
    const resolve = async (_path: string, completeAt: number | undefined) => {
      if (completeAt !== 7) throw new MaasError('PAYLOAD_INCOMPLETE', 'it was written to just now');
      return aPayload();
    };
    const { look, seen, asked } = setUp({ resolve });
    look({ path: '/m' }, undefined);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(look({ path: '/m', completeAt: 7 }, undefined)).toMatchObject({ state: 'failed' });
    await vi.waitFor(() => expect(seen).toMatchObject([{ state: 'failed' }, { state: 'resolved' }]));
    expect(look({ path: '/m', completeAt: 7 }, undefined)).toMatchObject({ state: 'resolved' });
    // What is found already is not looked for again.
    expect(look({ path: '/m', completeAt: 8 }, undefined)).toMatchObject({ state: 'resolved' });
    expect(asked('resolve')).toBe(2);
  });

  it('compares a pinned payload now and then, asked by nobody, and keeps it when HDFS is away', async () => {
    let away = false;
    const drift = async () => {
      if (away) throw new MaasError('HDFS_UNREACHABLE', 'no name node answered');
      return 'run.sh has changed';
    };
    const { look, pass, seen, asked } = setUp({ drift });
    look({ path: '/m' }, undefined);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    // It was looked at just now.
    expect(look({ path: '/m' }, aPayload())).toEqual({ state: 'pinned', looked: true });
    expect(asked('drift')).toBe(0);
    await pass(60_000);
    expect(seen.slice(1)).toEqual([{ state: 'pinned', looked: true, drift: 'run.sh has changed' }]);
    away = true;
    await pass(60_000);
    expect(seen.slice(2)).toMatchObject([{ state: 'pinned', looked: true, problem: { code: 'HDFS_UNREACHABLE' } }]);
  });

  it('looks no more once the resource is forgotten, or nobody leads any more', async () => {
    const { watch, look, pass, seen, asked, clock } = setUp({});
    look({ path: '/m' }, aPayload());
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    watch.forget('u');
    await pass(200_000);
    expect(asked('drift')).toBe(1);
    look({ path: '/m' }, aPayload());
    await vi.waitFor(() => expect(asked('drift')).toBe(2));
    watch.stop();
    await pass(200_000);
    expect([asked('drift'), clock.sleepers]).toEqual([2, 0]);
  });

  it('answers many resources of one payload with one look, at the beginning and again and again', async () => {
    const { watch, pass, asked } = setUp({});
    const uids = Array.from({ length: 50 }, (_, n) => `u${n}`);
    for (const uid of uids) watch.want(uid, { path: '/m' }, undefined);
    await vi.waitFor(() => expect(uids.map((uid) => watch.view(uid).state)).toEqual(uids.map(() => 'resolved')));
    expect(asked('resolve')).toBe(1);
    // Each has a pin of its own, and was pinned at its own time.
    for (const uid of uids) {
      watch.want(uid, { path: '/m' }, aPayload());
      await pass(10);
    }
    await pass(60_000);
    const looks = asked('drift');
    expect(looks).toBeLessThanOrEqual(2);
    for (let minute = 1; minute <= 3; minute++) {
      await pass(60_000);
      expect(asked('drift')).toBe(looks + minute);
    }
  });

  it('compares at once what somebody else pinned: a leader before this one, say', async () => {
    const { look } = setUp({ drift: async () => 'run.sh has changed' });
    const view = () => look({ path: '/m' }, aPayload());
    expect(view()).toEqual({ state: 'pinned', looked: false });
    await vi.waitFor(() => expect(view()).toEqual({ state: 'pinned', looked: true, drift: 'run.sh has changed' }));
  });

  it('starts over when the path changes, and ignores the answer for the old one', async () => {
    const answers = new Map<string, () => void>();
    const resolve = (path: string) =>
      new Promise<ReturnType<typeof aPayload>>((done) => answers.set(path, () => done(aPayload({ path }))));
    const { look, seen } = setUp({ resolve });
    look({ path: '/old' }, undefined);
    await vi.waitFor(() => expect(answers.has('/old')).toBe(true));
    look({ path: '/new' }, undefined);
    await vi.waitFor(() => expect(answers.has('/new')).toBe(true));
    answers.get('/old')?.();
    answers.get('/new')?.();
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(look({ path: '/new' }, undefined)).toMatchObject({ payload: { path: '/new' } });
  });
});

describe('where instances read from the payload store', () => {
  const stored = { path: '/m', readFrom: 'Store' } as const;

  it('copies only when it is told to, and shows how far it is', async () => {
    const copying = Promise.withResolvers<PinnedPayload>();
    const keep: Payloads['keep'] = (_path, progress) => {
      progress({ filesDone: 0, filesTotal: 1, bytesDone: 3, bytesTotal: 9 });
      return copying.promise;
    };
    const { watch, look, pass, asked } = setUp({ keep });
    const view = () => look(stored, undefined);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    await pass(30_000);
    expect([asked('resolve'), asked('keep')]).toEqual([2, 0]);
    watch.copy('u');
    await vi.waitFor(() => expect(view()).toEqual({ state: 'copying', bytesDone: 3, bytesTotal: 9 }));
    watch.copy('u');
    copying.resolve(aCopy());
    await vi.waitFor(() => expect(view()).toEqual({ state: 'resolved', payload: aCopy() }));
    expect(asked('keep')).toBe(1);
    watch.copy('u');
    expect(asked('keep')).toBe(1);
  });

  it('tells of other bytes at the path that the pinned copy was made from, and mends nothing for that', async () => {
    const mend = async () => {};
    let original: string | undefined = 'run.sh has 9 bytes, it had 8';
    const { watch, look, pass, seen, asked } = setUp({ mend, originalDrift: async () => original });
    const view = () => look(stored, aCopy());
    await vi.waitFor(() =>
      expect(view()).toEqual({ state: 'pinned', looked: true, original: 'run.sh has 9 bytes, it had 8' }),
    );
    expect(seen).toHaveLength(1);
    watch.copy('u');
    expect(asked('mend')).toBe(0);
    original = undefined;
    await pass(60_000);
    await vi.waitFor(() => expect(view()).toEqual({ state: 'pinned', looked: true }));
  });

  it('asks for the copy again while nobody pins it, and starts over when another payload is at the path', async () => {
    let digest = 'sha256:aa';
    const keep: Payloads['keep'] = async () => aCopy({ digest });
    const { watch, look, pass, asked } = setUp({ resolve: async () => aPayload({ digest }), keep });
    const view = () => look(stored, undefined);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    watch.copy('u');
    await vi.waitFor(() => expect(view()).toMatchObject({ state: 'resolved' }));
    await pass(30_000);
    expect(asked('keep')).toBe(2);
    digest = 'sha256:bb';
    await pass(30_000);
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    expect(asked('keep')).toBe(2);
  });

  it('says why it could not copy until it can, and tries again only when told to after a new look', async () => {
    let full = true;
    const keep: Payloads['keep'] = async () => {
      if (full) throw new MaasError('HDFS_FORBIDDEN', 'maas may not write to /store');
      return aCopy();
    };
    const { watch, look, pass, seen, asked } = setUp({ keep });
    const view = () => look(stored, undefined);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    watch.copy('u');
    const failed = { state: 'failed', transient: false, copying: true, problem: { code: 'HDFS_FORBIDDEN' } };
    await vi.waitFor(() => expect(view()).toMatchObject(failed));
    watch.copy('u');
    expect(asked('keep')).toBe(1);
    seen.length = 0;
    await pass(1_000);
    // Its result is the same view, and all the same somebody has to come and decide.
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(view()).toMatchObject(failed);
    full = false;
    watch.copy('u');
    await vi.waitFor(() => expect(view()).toMatchObject({ state: 'resolved' }));
  });

  it('tries less and less often what cannot be copied, although it is found each time', async () => {
    const keep: Payloads['keep'] = async () => {
      throw new MaasError('HDFS_FORBIDDEN', 'maas may not write to /store');
    };
    const { watch, look, pass, asked } = setUp({ keep });
    const view = () => look(stored, undefined);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    for (const wait of [1_000, 1_500, 2_250, 3_375]) {
      const times = asked('keep');
      watch.copy('u');
      expect(asked('keep')).toBe(times + 1);
      await pass(wait - 1);
      watch.copy('u');
      expect(asked('keep')).toBe(times + 1);
      await pass(1);
    }
  });

  it('mends a damaged copy once for each look', async () => {
    let damaged = true;
    let mendable = false;
    const mend: Payloads['mend'] = async () => {
      damaged = !mendable;
    };
    const drift = async () => (damaged ? 'run.sh is gone' : undefined);
    const { watch, look, pass, asked } = setUp({ mend, drift });
    const view = () => look(stored, aCopy());
    expect(view()).toEqual({ state: 'pinned', looked: false });
    watch.copy('u');
    expect(asked('mend')).toBe(0);
    for (const mends of [1, 2]) {
      await pass(60_000);
      expect(view()).toEqual({ state: 'pinned', looked: true, drift: 'run.sh is gone' });
      const looks = asked('drift');
      watch.copy('u');
      watch.copy('u');
      expect(asked('mend')).toBe(mends);
      await pass(250);
      // And once more after mending.
      expect(asked('drift')).toBe(looks + 1);
      watch.copy('u');
      expect(asked('mend')).toBe(mends);
      mendable = true;
    }
    await vi.waitFor(() => expect(view()).toEqual({ state: 'pinned', looked: true }));
  });
});
