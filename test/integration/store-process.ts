/**
 * Copies a payload to a payload store as the operator does, in a process of its own, so that its memory can be measured
 * and it can be killed: `node store-process.ts <root> <directory>`. Prints the bytes copied so far, a line each, and at
 * the end one line of JSON.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { PayloadStore } from '../../src/payload/payload-store.ts';
import { resolvePayload } from '../../src/payload/resolve.ts';
import { openRealHdfs } from './hdfs-world.ts';
import { present } from './world.ts';

const [root = '', directory = ''] = process.argv.slice(2);
// Long after the last write, so that nothing counts as being written still.
const clock = { now: () => systemClock.now() + 3_600_000, monotonic: systemClock.monotonic };
const { nameservice } = present('hdfs');
const hdfs = openRealHdfs();
const store = new PayloadStore(hdfs, { nameservice, root, removeAfterMs: 3_600_000, clock });

const kilobytes = (name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
// Forgets the peak of loading and compiling the sources.
writeFileSync('/proc/self/clear_refs', '5');
const before = kilobytes('VmRSS');

const { signal } = new AbortController();
const found = await resolvePayload(hdfs, { nameservice, directory }, clock.now, signal);
const pin = await store.keep(found, ({ bytesDone }) => process.stdout.write(`${bytesDone}\n`), signal);
const grownBytes = (kilobytes('VmHWM') - before) * 1024;
process.stdout.write(`${JSON.stringify({ path: pin.path, grownBytes })}\n`);
