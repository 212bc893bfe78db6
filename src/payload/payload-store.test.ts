import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { FakeWebHdfs } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import type { Hdfs } from '../adapters/webhdfs/hdfs.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { copyName } from './copy-payload.ts';
import { PayloadStore } from './payload-store.ts';
import { payloadChange, resolvePayload } from './resolve.ts';

let fake: FakeWebHdfs;
let hdfs: Hdfs;
let store: PayloadStore;
let time: number;
const root = '/store/c1/maas-system';
const hour = 3_600_000;
const { signal } = new AbortController();

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  hdfs = impatientHdfs(fake);
  time = 0;
  store = aStore();
  put('first');
});
afterEach(() => fake.stop());

function aStore(): PayloadStore {
  const clock = { now: () => fake.now + hour, monotonic: () => time };
  return new PayloadStore(hdfs, { nameservice: 'fake', root, removeAfterMs: hour, clock });
}

function put(text: string, directory = '/m'): void {
  fake.put(`${directory}/run.sh`, `echo ${text}`);
  fake.put(`${directory}/data`, text);
}

const found = (directory = '/m') =>
  resolvePayload(hdfs, { nameservice: 'fake', directory }, () => fake.now + hour, signal);
const keep = async (directory = '/m', by = store) => by.keep(await found(directory), () => {}, signal);
const sweep = (referred: readonly PinnedPayload[] = [], by = store, may = () => true) =>
  by.sweep(new Set(referred.map(({ path }) => path)), may, signal);
const textIn = ({ path }: PinnedPayload) => fake.files.get(`${path}/data`)?.bytes.toString();
const copies = () =>
  [...fake.directories.keys()].filter(
    (path) => path.startsWith(`${root}/`) && !path.slice(root.length + 1).includes('/'),
  );

describe('keep', () => {
  it('keeps each payload that was at one path, by its digest', async () => {
    const first = await keep();
    put('second');
    const second = await keep();
    expect([textIn(first), textIn(second)]).toEqual(['first', 'second']);
    expect(first.copiedFrom).toBe('/m');
    expect(copies().sort()).toEqual([first.path, second.path].sort());
  });

  it('makes one copy of what is at several paths, however many ask at once', async () => {
    put('first', '/elsewhere');
    const pins = await Promise.all([keep(), keep('/elsewhere'), keep()]);
    expect(new Set(pins.map(({ path }) => path)).size).toBe(1);
    expect(pins.map(({ copiedFrom }) => copiedFrom)).toEqual(['/m', '/elsewhere', '/m']);
    const sent = fake.requests.filter(
      ({ op, node, path }) => op === 'CREATE' && node === 'nn1' && path.endsWith('/data'),
    );
    expect(sent).toHaveLength(1);
  });

  it.each(['before a file is read', 'after all were read'])('copies anew what changes %s', async (when) => {
    let changes = 0;
    fake.intercept = ({ op, node, path }) => {
      const now = when === 'before a file is read' ? op === 'OPEN' && path === '/m/data' : op === 'RENAME';
      if (now && node === 'nn1' && changes++ === 0) put('second');
      return false;
    };
    const pin = await keep();
    expect(changes).toBeGreaterThan(0);
    expect(textIn(pin)).toBe('second');
    expect(fake.files.get(`${pin.path}/run.sh`)?.bytes.toString()).toBe('echo second');
  });

  it('copies what is there by then, where the payload has changed since it was found', async () => {
    const before = await found();
    put('second');
    expect(textIn(await store.keep(before, () => {}, signal))).toBe('second');
    // Also where what was found has a copy already.
    put('first');
    const first = await keep();
    put('second');
    expect(textIn(await store.keep(before, () => {}, signal))).toBe('second');
    expect(textIn(first)).toBe('first');
  });

  it('gives up on what keeps changing, and says so', async () => {
    let changes = 0;
    fake.intercept = ({ op, node, path }) => {
      if (op === 'OPEN' && node === 'nn1' && path === '/m/data') put(`${++changes}`);
      return false;
    };
    expect(await failure(keep())).toMatchObject({ code: 'PAYLOAD_INCOMPLETE', transient: true });
  });

  it('fails for all who wait for one copy, and works when they ask again', async () => {
    let broken = true;
    fake.intercept = ({ op, node }, response) => {
      if (!broken || op !== 'MKDIRS' || node !== 'nn1') return false;
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ RemoteException: { exception: 'AccessControlException', message: 'denied' } }));
      return true;
    };
    const both = await Promise.all([failure(keep()), failure(keep())]);
    expect(both.map(({ code }) => code)).toEqual(['HDFS_FORBIDDEN', 'HDFS_FORBIDDEN']);
    broken = false;
    expect(textIn(await keep())).toBe('first');
  });
});

describe('mend', () => {
  it('brings back what is gone from a copy, where the original is there still', async () => {
    const pin = await keep();
    fake.files.delete(`${pin.path}/data`);
    expect(await payloadChange(hdfs, pin)).toMatch(/data.* is gone/);
    await store.mend(pin, signal);
    expect(await payloadChange(hdfs, pin)).toBeUndefined();
  });

  it.each<[string, () => unknown]>([
    ['another payload is at the path', () => put('second')],
    ['nothing is at the path', () => hdfs.delete('/m', { recursive: true })],
    ['no payload is at the path', () => fake.files.delete('/m/run.sh')],
  ])('leaves it as it is where %s', async (_what, change) => {
    const pin = await keep();
    fake.files.delete(`${pin.path}/data`);
    await change();
    await store.mend(pin, signal);
    expect(textIn(pin)).toBeUndefined();
    expect(copies()).toEqual([pin.path]);
  });
});

describe('sweep', () => {
  it('removes what nothing refers to, but only after its time', async () => {
    const pin = await keep();
    expect(await sweep()).toEqual([]);
    time += hour - 1;
    expect(await sweep()).toEqual([]);
    time += 1;
    expect(await sweep()).toEqual([pin.path]);
    expect(copies()).toEqual([]);
    time += hour;
    expect(await sweep()).toEqual([]);
  });

  it('keeps what is referred to, and counts from when that ended', async () => {
    const pin = await keep();
    for (let turn = 0; turn < 3; turn++) {
      time += hour;
      expect(await sweep([pin])).toEqual([]);
    }
    expect(await sweep()).toEqual([]);
    time += hour;
    expect(await sweep()).toEqual([pin.path]);
  });

  it('keeps what was asked for meanwhile, though nothing refers to it yet', async () => {
    await keep();
    await sweep();
    time += hour - 1;
    const pin = await keep();
    time += hour - 1;
    expect(await sweep()).toEqual([]);
    time += 1;
    expect(await sweep()).toEqual([pin.path]);
  });

  it('begins to count anew in another process, and ends a copy that nobody goes on with', async () => {
    const digest = copyName((await keep()).digest);
    await hdfs.rename(`${root}/${digest}`, `${root}/.staging-${digest}`);
    time += 10 * hour;
    const next = aStore();
    expect(await sweep([], next)).toEqual([]);
    time += hour;
    expect(await sweep([], next)).toEqual([`${root}/.staging-${digest}`]);
  });

  it('touches nothing that is not a copy by its name, or where the caller may not any more', async () => {
    const pin = await keep();
    fake.put(`${root}/models/run.sh`, 'of somebody else');
    fake.put(`${root}/${'0'.repeat(64)}`, 'a file');
    await sweep();
    time += hour;
    expect(await sweep([], store, () => false)).toEqual([]);
    expect(await sweep()).toEqual([pin.path]);
    expect(fake.files.has(`${root}/models/run.sh`)).toBe(true);
    expect(fake.files.has(`${root}/${'0'.repeat(64)}`)).toBe(true);
  });

  it('lets a copy that is asked for while it is removed be made anew', async () => {
    await keep();
    await sweep();
    time += hour;
    let kept: Promise<PinnedPayload> | undefined;
    fake.intercept = ({ op, path }) => {
      if (op === 'DELETE' && path.startsWith(root)) kept = keep();
      return false;
    };
    expect(await sweep()).toHaveLength(1);
    const pin = await kept;
    expect(pin).toBeDefined();
    if (pin !== undefined) expect(await payloadChange(hdfs, pin)).toBeUndefined();
  });

  it('finds nothing to do where there is no store', async () => {
    expect(await sweep()).toEqual([]);
    expect(fake.directories.has(root)).toBe(false);
  });
});
