import { describe, expect, it, vi } from 'vitest';
import { aPayload } from '../../test/builders/model-deployment.ts';
import { MaasError } from '../api/errors.ts';
import { PayloadWatch } from './payload-watch.ts';
import type { Payloads } from './ports.ts';

function setUp(payloads: Partial<Payloads>) {
  let time = 0;
  const clock = { now: () => time, monotonic: () => time, sleep: async () => {} };
  const watch = new PayloadWatch(
    { resolve: async () => aPayload(), drift: async () => undefined, ...payloads },
    clock,
    60_000,
  );
  const news = vi.fn();
  const pass = (ms: number) => {
    time += ms;
  };
  return { watch, news, pass };
}

describe('PayloadWatch', () => {
  it('is pending first, then says what was found', async () => {
    const { watch, news } = setUp({});
    expect(watch.view('u', '/m', undefined, news)).toEqual({ state: 'pending' });
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    expect(watch.view('u', '/m', undefined, news)).toMatchObject({ state: 'resolved' });
  });

  it('looks again after a failure, with growing waits, and tells no news that are none', async () => {
    const resolve = vi.fn(async () => {
      throw new MaasError('HDFS_PATH_MISSING', 'nothing at /m');
    });
    const { watch, news, pass } = setUp({ resolve });
    watch.view('u', '/m', undefined, news);
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    watch.view('u', '/m', undefined, news);
    expect(resolve).toHaveBeenCalledTimes(1);
    const first = watch.dueIn('u');
    pass(first);
    expect(watch.view('u', '/m', undefined, news)).toMatchObject({ state: 'failed', transient: false });
    await vi.waitFor(() => expect(watch.dueIn('u')).toBeGreaterThan(first));
    expect(resolve).toHaveBeenCalledTimes(2);
    expect(news).toHaveBeenCalledTimes(1);
  });

  it('compares a pinned payload now and then, and keeps it when HDFS is away', async () => {
    let away = false;
    const drift = vi.fn(async () => {
      if (away) throw new MaasError('HDFS_UNREACHABLE', 'no name node answered');
      return 'run.sh has changed';
    });
    const { watch, news, pass } = setUp({ drift });
    expect(watch.view('u', '/m', aPayload(), news)).toEqual({ state: 'pinned' });
    expect(drift).not.toHaveBeenCalled();
    pass(60_000);
    watch.view('u', '/m', aPayload(), news);
    await vi.waitFor(() =>
      expect(watch.view('u', '/m', aPayload(), news)).toEqual({ state: 'pinned', drift: 'run.sh has changed' }),
    );
    away = true;
    pass(60_000);
    watch.view('u', '/m', aPayload(), news);
    await vi.waitFor(() =>
      expect(watch.view('u', '/m', aPayload(), news)).toMatchObject({
        state: 'pinned',
        problem: { code: 'HDFS_UNREACHABLE' },
      }),
    );
  });

  it('starts over when the path changes, and ignores the answer for the old one', async () => {
    const answers = new Map<string, () => void>();
    const resolve = (path: string) =>
      new Promise<ReturnType<typeof aPayload>>((done) => answers.set(path, () => done(aPayload({ path }))));
    const { watch, news } = setUp({ resolve });
    watch.view('u', '/old', undefined, news);
    await vi.waitFor(() => expect(answers.has('/old')).toBe(true));
    watch.view('u', '/new', undefined, news);
    await vi.waitFor(() => expect(answers.has('/new')).toBe(true));
    answers.get('/old')?.();
    answers.get('/new')?.();
    await vi.waitFor(() => expect(news).toHaveBeenCalledTimes(1));
    expect(watch.view('u', '/new', undefined, news)).toMatchObject({ payload: { path: '/new' } });
  });
});
