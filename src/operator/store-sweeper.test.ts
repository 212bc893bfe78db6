import { describe, expect, it } from 'vitest';
import { aPayload } from '../../test/builders/model-deployment.ts';
import { silentLog } from '../kernel/log.ts';
import type { PinView } from '../plan/observation.ts';
import type { Store } from './ports.ts';
import { StoreSweeper } from './store-sweeper.ts';
import type { Owned } from './views.ts';

function setUp(views: readonly Partial<PinView>[], may = true) {
  const pins = views.map((view) => ({
    ownerUid: 'u',
    namespace: 'fraud',
    view: { name: 'p', uid: 'p', versionKey: 'k', deleting: false, ...view },
  }));
  const store: Store<Owned<PinView>> = {
    get: () => undefined,
    byUid: () => undefined,
    list: () => [...pins],
    indexed: () => [],
  };
  const copies = new Set(['/store/aa', '/store/bb', '/store/cc']);
  const sweep = async (referred: ReadonlySet<string>) => {
    const removed = [...copies].filter((path) => !referred.has(path));
    for (const path of removed) copies.delete(path);
    return removed;
  };
  const sweeper = new StoreSweeper({
    payloads: { sweep },
    pins: store,
    may: () => may,
    removeAfterMs: 60_000,
    log: silentLog,
  });
  return { sweeper, copies };
}

const { signal } = new AbortController();

describe('StoreSweeper', () => {
  it('takes every pin for a reference, also one that is being deleted', async () => {
    const { sweeper, copies } = setUp([
      { payload: aPayload({ path: '/store/aa' }) },
      { payload: aPayload({ path: '/store/bb' }), deleting: true },
    ]);
    await sweeper.sweep(signal);
    expect(copies).toEqual(new Set(['/store/aa', '/store/bb']));
  });

  it('removes nothing while it does not lead, or only observes', async () => {
    const { sweeper, copies } = setUp([], false);
    await sweeper.sweep(signal);
    expect(copies.size).toBe(3);
  });

  it('removes nothing while there is a pin that nobody can read', async () => {
    const { sweeper, copies } = setUp([{ payload: aPayload() }, {}]);
    await sweeper.sweep(signal);
    expect(copies.size).toBe(3);
  });
});
