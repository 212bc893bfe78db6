import { type Hdfs, openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import type { FakeWebHdfs } from './fake-webhdfs.ts';
import { HastyClock } from './manual-clock.ts';

/** A client of the fake HDFS that pauses before nothing, and gives up soon. */
export function impatientHdfs(fake: FakeWebHdfs): Hdfs {
  return openHdfs(fake.settings, 'fake', {
    clock: new HastyClock(),
    rounds: 1,
    deadlines: { firstByteMs: 2_000, finishMs: 2_000 },
  });
}
