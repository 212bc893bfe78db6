import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeWebHdfs } from '../../test/builders/fake-webhdfs.ts';
import { HastyClock } from '../../test/builders/manual-clock.ts';
import { type Hdfs, openHdfs } from '../adapters/webhdfs/hdfs.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { Originals } from './originals.ts';
import { resolvePayload } from './resolve.ts';

let fake: FakeWebHdfs;
let hdfs: Hdfs;
let copy: PinnedPayload;
beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  hdfs = openHdfs(fake.settings, 'fake', { clock: new HastyClock() });
  fake.put('/m/run.sh', 'echo hi');
  fake.put('/m/lib/a.py', 'import os');
  const pinned = await resolvePayload(hdfs, { nameservice: 'fake', directory: '/m' }, () => fake.now + 3_600_000);
  copy = { ...pinned, path: '/store/aa', copiedFrom: '/m' };
});
afterEach(() => fake.stop());

it.each<[string, () => void, RegExp | undefined]>([
  ['nothing', () => {}, undefined],
  ['the same bytes again', () => fake.put('/m/run.sh', 'echo hi'), undefined],
  ['other bytes', () => fake.put('/m/run.sh', 'echo ho'), /"\/m" have other content/],
  ['more bytes', () => fake.put('/m/run.sh', 'echo hello'), /"run\.sh" has 10 bytes, it had 7/],
  ['one more file', () => fake.put('/m/b.py', ''), /"b\.py" is new in "\/m"/],
  ['one file less', () => fake.files.delete('/m/lib/a.py'), /"lib\/a\.py" is gone from "\/m"/],
])('%s at the path that a copy was made from', async (_what, happens, change) => {
  const originals = new Originals(hdfs);
  expect(await originals.change(copy)).toBeUndefined();
  fake.now += 1_000;
  happens();
  const found = await originals.change(copy);
  if (change === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(change);
});

it('asks for checksums only where something was written since, and for nothing of a payload that is no copy', async () => {
  const originals = new Originals(hdfs);
  await originals.change(copy);
  let asked = 0;
  fake.intercept = async ({ op }) => {
    if (op === 'GETFILECHECKSUM') asked += 1;
    return false;
  };
  await originals.change(copy);
  expect(asked).toBe(0);
  const { copiedFrom: _, ...path } = copy;
  fake.files.clear();
  expect(await originals.change(path)).toBeUndefined();
});
