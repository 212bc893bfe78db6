/** Uploads a payload in a process of its own, so that it can be killed: `node upload-process.ts <local> <target>`. */
import { randomBytes } from 'node:crypto';
import { openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { uploadPayload } from '../../src/payload/upload.ts';
import { realHdfsSettings } from './hdfs-settings.ts';

const [local = '', target = ''] = process.argv.slice(2);
const settings = realHdfsSettings();
const [nameservice = ''] = Object.keys(settings.nameservices);
await uploadPayload(openHdfs(settings, nameservice, { clock: systemClock }), local, target, {
  now: systemClock.now,
  id: randomBytes(6).toString('hex'),
  progress: ({ filesDone, bytesDone }) => process.stdout.write(`${filesDone} ${bytesDone}\n`),
});
