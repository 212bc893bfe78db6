import { describe, expect, it, vi } from 'vitest';
import { aPayload } from '../../test/builders/model-deployment.ts';
import { MaasError } from '../contracts/errors.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import type { WantedPayload } from './payload-following.ts';
import { PayloadWatch } from './payload-watch.ts';
import type { Payloads } from './ports.ts';

function setUp(payloads: Partial<Payloads>) {
  let time = 0;
  const clock = { now: () => time, monotonic: () => time, sleep: async () => {} };
  const watch = new PayloadWatch(
    {
      resolve: async () => aPayload(),
      keep: async () => aCopy(),
      mend: async () => {},
      drift: async () => undefined,
      originalDrift: async () => undefined,
      sweep: async () => [],
      ...payloads,
    },
    clock,
    60_000,
    () => news(),
  );
  const news = vi.fn();
  /** As a pass does. */
  const look = (wanted: WantedPayload, pinned: PinnedPayload | undefined) => {
    watch.want('u', wanted, pinned);
    return watch.view('u');
  };
  const pass = (ms: number) => {
    time += ms;
  };
  return { watch, look, news, pass };
}

const aCopy = (changes: Partial<PinnedPayload> = {}) =>
  aPayload({ path: '/store/aa', copiedFrom: '/models/dga', ...changes });

describe('PayloadWatch', () => {
  it('is pending first, then says what was found', async () => {
    const { look, news } = setUp({});
    expect(look({ path: '/m' }, undefined)).toEqual({ state: 'pending' });
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    expect(look({ path: '/m' }, undefined)).toMatchObject({ state: 'resolved' });
  });

  it('looks again after a failure, with growing waits, and tells no news that are none', async () => {
    const resolve = vi.fn(async () => {
      throw new MaasError('HDFS_PATH_MISSING', 'nothing at /m');
    });
    const { watch, look, news, pass } = setUp({ resolve });
    look({ path: '/m' }, undefined);
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    look({ path: '/m' }, undefined);
    expect(resolve).toHaveBeenCalledTimes(1);
    const first = watch.dueIn('u');
    pass(first);
    expect(look({ path: '/m' }, undefined)).toMatchObject({ state: 'failed', transient: false });
    await vi.waitFor(() => expect(watch.dueIn('u')).toBeGreaterThan(first));
    expect(resolve).toHaveBeenCalledTimes(2);
    expect(news).toHaveBeenCalledTimes(1);
  });

  it('looks at once when somebody says that what was incomplete is whole, and hands that on', async () => {
    const resolve = vi.fn(async (_path: string, completeAt: number | undefined) => {
      if (completeAt !== 7) throw new MaasError('PAYLOAD_INCOMPLETE', 'it was written to just now');
      return aPayload();
    });
    const { look, news } = setUp({ resolve });
    look({ path: '/m' }, undefined);
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    expect(look({ path: '/m', completeAt: 7 }, undefined)).toMatchObject({ state: 'failed' });
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(2));
    expect(look({ path: '/m', completeAt: 7 }, undefined)).toMatchObject({ state: 'resolved' });
    // What is found already is not looked for again.
    expect(look({ path: '/m', completeAt: 8 }, undefined)).toMatchObject({ state: 'resolved' });
    expect(resolve).toHaveBeenCalledTimes(2);
  });

  it('compares a pinned payload now and then, and keeps it when HDFS is away', async () => {
    let away = false;
    const drift = vi.fn(async () => {
      if (away) throw new MaasError('HDFS_UNREACHABLE', 'no name node answered');
      return 'run.sh has changed';
    });
    const { look, news, pass } = setUp({ drift });
    look({ path: '/m' }, undefined);
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    expect(look({ path: '/m' }, aPayload())).toEqual({ state: 'pinned', looked: false });
    expect(drift).not.toHaveBeenCalled();
    pass(60_000);
    look({ path: '/m' }, aPayload());
    await vi.waitFor(() =>
      expect(look({ path: '/m' }, aPayload())).toEqual({
        state: 'pinned',
        looked: true,
        drift: 'run.sh has changed',
      }),
    );
    away = true;
    pass(60_000);
    look({ path: '/m' }, aPayload());
    await vi.waitFor(() =>
      expect(look({ path: '/m' }, aPayload())).toMatchObject({
        state: 'pinned',
        looked: true,
        problem: { code: 'HDFS_UNREACHABLE' },
      }),
    );
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
    const { look, news } = setUp({ resolve });
    look({ path: '/old' }, undefined);
    await vi.waitFor(() => expect(answers.has('/old')).toBe(true));
    look({ path: '/new' }, undefined);
    await vi.waitFor(() => expect(answers.has('/new')).toBe(true));
    answers.get('/old')?.();
    answers.get('/new')?.();
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    expect(look({ path: '/new' }, undefined)).toMatchObject({ payload: { path: '/new' } });
  });
});

describe('where instances read from the payload store', () => {
  const stored = { path: '/m', readFrom: 'Store' } as const;

  it('copies only when it is told to, and shows how far it is', async () => {
    const copying = Promise.withResolvers<PinnedPayload>();
    const keep = vi.fn<Payloads['keep']>((_path, progress) => {
      progress({ filesDone: 0, filesTotal: 1, bytesDone: 3, bytesTotal: 9 });
      return copying.promise;
    });
    const { watch, look, pass } = setUp({ keep });
    const view = () => look(stored, undefined);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    pass(30_000);
    view();
    await vi.waitFor(() => expect(watch.dueIn('u')).toBe(30_000));
    expect(keep).not.toHaveBeenCalled();
    watch.copy('u');
    await vi.waitFor(() => expect(view()).toEqual({ state: 'copying', bytesDone: 3, bytesTotal: 9 }));
    watch.copy('u');
    copying.resolve(aCopy());
    await vi.waitFor(() => expect(view()).toEqual({ state: 'resolved', payload: aCopy() }));
    expect(keep).toHaveBeenCalledTimes(1);
    watch.copy('u');
    expect(keep).toHaveBeenCalledTimes(1);
  });

  it('tells of other bytes at the path that the pinned copy was made from, and mends nothing for that', async () => {
    const mend = vi.fn(async () => {});
    let original: string | undefined = 'run.sh has 9 bytes, it had 8';
    const { watch, look, news, pass } = setUp({ mend, originalDrift: async () => original });
    const view = () => look(stored, aCopy());
    await vi.waitFor(() =>
      expect(view()).toEqual({ state: 'pinned', looked: true, original: 'run.sh has 9 bytes, it had 8' }),
    );
    expect(news).toHaveBeenCalledTimes(1);
    watch.copy('u');
    expect(mend).not.toHaveBeenCalled();
    original = undefined;
    pass(60_000);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'pinned', looked: true }));
  });

  it('asks for the copy again while nobody pins it, and starts over when another payload is at the path', async () => {
    let digest = 'sha256:aa';
    const keep = vi.fn<Payloads['keep']>(async () => aCopy({ digest }));
    const { watch, look, pass } = setUp({ resolve: async () => aPayload({ digest }), keep });
    const view = () => look(stored, undefined);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    watch.copy('u');
    await vi.waitFor(() => expect(view()).toMatchObject({ state: 'resolved' }));
    pass(30_000);
    view();
    await vi.waitFor(() => expect(keep).toHaveBeenCalledTimes(2));
    await vi.waitFor(() => expect(watch.dueIn('u')).toBe(30_000));
    digest = 'sha256:bb';
    pass(30_000);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    expect(keep).toHaveBeenCalledTimes(2);
  });

  it('says why it could not copy until it can, and tries again only when told to after a new look', async () => {
    let full = true;
    const keep = vi.fn<Payloads['keep']>(async () => {
      if (full) throw new MaasError('HDFS_FORBIDDEN', 'maas may not write to /store');
      return aCopy();
    });
    const { watch, look, news, pass } = setUp({ keep });
    const view = () => look(stored, undefined);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    watch.copy('u');
    const failed = { state: 'failed', transient: false, copying: true, problem: { code: 'HDFS_FORBIDDEN' } };
    await vi.waitFor(() => expect(view()).toMatchObject(failed));
    watch.copy('u');
    expect(keep).toHaveBeenCalledTimes(1);
    news.mockClear();
    pass(watch.dueIn('u'));
    expect(view()).toMatchObject(failed);
    // Its result is the same view, and all the same somebody has to come and decide.
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    expect(view()).toMatchObject(failed);
    full = false;
    watch.copy('u');
    await vi.waitFor(() => expect(view()).toMatchObject({ state: 'resolved' }));
  });

  it('tries less and less often what cannot be copied, although it is found each time', async () => {
    const keep = vi.fn<Payloads['keep']>(async () => {
      throw new MaasError('HDFS_FORBIDDEN', 'maas may not write to /store');
    });
    const { watch, look, pass } = setUp({ keep });
    const view = () => look(stored, undefined);
    view();
    await vi.waitFor(() => expect(view()).toEqual({ state: 'found' }));
    const waits: number[] = [];
    for (let times = 1; times <= 4; times++) {
      await vi.waitFor(() => {
        watch.copy('u');
        expect(keep).toHaveBeenCalledTimes(times);
        expect(watch.dueIn('u')).toBeLessThan(30_000);
      });
      waits.push(watch.dueIn('u'));
      pass(watch.dueIn('u'));
      view();
    }
    expect(waits).toEqual([1_000, 1_500, 2_250, 3_375]);
  });

  it('mends a damaged copy once for each look', async () => {
    let damaged = true;
    let mendable = false;
    const mend = vi.fn<Payloads['mend']>(async () => {
      damaged = !mendable;
    });
    const drift = vi.fn(async () => (damaged ? 'run.sh is gone' : undefined));
    const { watch, look, pass } = setUp({ mend, drift });
    const view = () => look(stored, aCopy());
    expect(view()).toEqual({ state: 'pinned', looked: false });
    watch.copy('u');
    expect(mend).not.toHaveBeenCalled();
    for (const mends of [1, 2]) {
      pass(60_000);
      view();
      await vi.waitFor(() => expect(view()).toEqual({ state: 'pinned', looked: true, drift: 'run.sh is gone' }));
      await vi.waitFor(() => {
        watch.copy('u');
        expect(mend).toHaveBeenCalledTimes(mends);
      });
      watch.copy('u');
      expect(mend).toHaveBeenCalledTimes(mends);
      mendable = true;
      // Once when it was looked at, once after mending.
      await vi.waitFor(() => expect(drift).toHaveBeenCalledTimes(2 * mends));
    }
    await vi.waitFor(() => expect(view()).toEqual({ state: 'pinned', looked: true }));
  });
});
