/**
 * Fetches a payload as the agent does, in a process of its own, so that its memory can be measured and it can be
 * killed: `node fetch-process.ts <pinned payload as JSON file> <directory> [side-by-side | URL]`, the former as from data
 * nodes that are slow, the latter with a payload cache. Prints one JSON line.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { PayloadCacheClient } from '../../src/adapters/payload-cache.ts';
import { openHdfsReader } from '../../src/adapters/webhdfs/hdfs-reader.ts';
import { pinnedPayload } from '../../src/contracts/payload.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { fetchPayload } from '../../src/payload/fetch.ts';
import { NearPayload } from '../../src/payload/near-payload.ts';
import { usualCut } from '../../src/payload/segments.ts';
import { realHdfsSettings } from './hdfs-settings.ts';

const [pinFile = '', directory = '', how] = process.argv.slice(2);
const cut = how === 'side-by-side' ? { ...usualCut, slow: Number.POSITIVE_INFINITY } : usualCut;
const pinned = pinnedPayload.parse(JSON.parse(readFileSync(pinFile, 'utf8')));
const source = openHdfsReader(realHdfsSettings(), pinned.nameservice, { clock: systemClock });

const kilobytes = (name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
// Forgets the peak of loading and compiling the sources.
writeFileSync('/proc/self/clear_refs', '5');
const before = kilobytes('VmRSS');

const begun = systemClock.monotonic();
const life = new AbortController();
const near =
  how?.startsWith('http') === true
    ? new NearPayload({
        near: new PayloadCacheClient(how),
        directory,
        clock: systemClock,
        log: silentLog,
        signal: life.signal,
      })
    : undefined;
const options = { clock: systemClock, random: Math.random, cut, near };
const { bytesFetched } = await fetchPayload(source, pinned, directory, options);
const seconds = (systemClock.monotonic() - begun) / 1000;
const grownBytes = (kilobytes('VmHWM') - before) * 1024;
process.stdout.write(`${JSON.stringify({ bytesFetched, bytesFromCache: near?.bytes, seconds, grownBytes })}\n`);
