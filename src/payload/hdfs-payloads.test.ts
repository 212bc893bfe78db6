import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { FakeWebHdfs } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import { MaasError } from '../contracts/errors.ts';
import { HdfsPayloads } from './hdfs-payloads.ts';

const { signal } = new AbortController();
const hour = 3_600_000;

let fake: FakeWebHdfs;
let opened: string[];
/** Nameservices of the settings that cannot be opened. */
let away: Set<string>;
let time: number;

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  opened = [];
  away = new Set();
  time = 0;
  fake.put('/models/dga/run.sh', 'echo dga');
});
afterEach(() => fake.stop());

function payloads(root = '/store') {
  const { nameservices, ...settings } = fake.settings;
  const [addresses] = Object.values(nameservices);
  if (addresses === undefined) return expect.unreachable('the fake has no nameservice');
  return new HdfsPayloads({
    hdfs: { ...settings, nameservices: { fake: addresses, other: addresses }, defaultNameservice: 'fake' },
    store: { root, removeAfterMs: hour },
    owner: { clusterId: 'c1', namespace: 'maas-system' },
    open: (name) => {
      opened.push(name);
      if (away.has(name)) throw new MaasError('HDFS_UNREACHABLE', `${name} is away`);
      return impatientHdfs(fake);
    },
    clock: { now: () => fake.now + hour, monotonic: () => time, sleep: async () => {} },
  });
}

const copiesBelow = (root: string) => [...fake.directories.keys()].filter((path) => path.startsWith(`${root}/`));

describe('payloads by the paths that people write', () => {
  it.each([
    ['absolute', '/models/dga', 'fake'],
    ['below the home directory', 'dga', 'fake'],
    ['in a nameservice', 'hdfs://other/models/dga', 'other'],
  ])('are found: %s', async (_what, path, nameservice) => {
    fake.put('/user/tester/dga/run.sh', 'echo dga');
    const directory = path.includes('/models/') ? '/models/dga' : '/user/tester/dga';
    expect(await payloads().resolve(path, undefined, signal)).toMatchObject({
      nameservice,
      path: directory,
      script: 'run.sh',
    });
    expect(opened).toEqual([nameservice]);
  });

  it('say why they are not found', async () => {
    expect(await failure(payloads().resolve('/nothing', undefined, signal))).toMatchObject({
      code: 'HDFS_PATH_MISSING',
    });
    expect(await failure(payloads().resolve('hdfs://unheard-of/m', undefined, signal))).toBeInstanceOf(MaasError);
  });

  it('use one connection for a nameservice, whatever is asked', async () => {
    const all = payloads();
    const found = await all.resolve('/models/dga', undefined, signal);
    const copy = await all.keep(found, () => {}, signal);
    await Promise.all([all.drift(copy, signal), all.originalDrift(copy, signal), all.mend(copy, signal)]);
    expect(opened).toEqual(['fake']);
  });
});

describe('copies', () => {
  it('lie below the root in a directory of this operator alone', async () => {
    const all = payloads();
    const copy = await all.keep(await all.resolve('/models/dga', undefined, signal), () => {}, signal);
    expect(copy.path).toMatch(/^\/store\/c1\/maas-system\/[^/]+$/);
    expect(copy.copiedFrom).toBe('/models/dga');
  });

  it('lie below the home directory where the root is relative', async () => {
    const all = payloads('maas-store');
    const copy = await all.keep(await all.resolve('/models/dga', undefined, signal), () => {}, signal);
    expect(copy.path).toMatch(/^\/user\/tester\/maas-store\/c1\/maas-system\/[^/]+$/);
  });

  it('are told from their originals: damage and mending of the one, news of the other', async () => {
    const all = payloads();
    const copy = await all.keep(await all.resolve('/models/dga', undefined, signal), () => {}, signal);
    expect([await all.drift(copy, signal), await all.originalDrift(copy, signal)]).toEqual([undefined, undefined]);
    fake.files.delete(`${copy.path}/run.sh`);
    expect(await all.drift(copy, signal)).toContain('run.sh');
    await all.mend(copy, signal);
    expect(await all.drift(copy, signal)).toBeUndefined();
    fake.put('/models/dga/run.sh', 'echo another');
    expect(await all.originalDrift(copy, signal)).toContain('run.sh');
    expect(await all.drift(copy, signal)).toBeUndefined();
  });

  it('that nothing refers to are removed after their time, though another nameservice is away', async () => {
    const all = payloads();
    const copy = await all.keep(await all.resolve('/models/dga', undefined, signal), () => {}, signal);
    const used = new Set([copy.path]);
    away.add('other');
    const sweep = (referred: ReadonlySet<string>) => failure(all.sweep(referred, () => true, signal));
    for (let look = 0; look < 3; look++) {
      expect(await sweep(used)).toMatchObject({ code: 'HDFS_UNREACHABLE' });
      time += hour + 1;
    }
    expect(copiesBelow('/store/c1/maas-system')).toEqual([copy.path]);
    for (let look = 0; look < 3; look++) {
      await sweep(new Set());
      time += hour + 1;
    }
    expect(copiesBelow('/store/c1/maas-system')).toEqual([]);
  });
});
