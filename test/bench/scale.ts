/**
 * `make bench-scale SIZES="500 1000 2000"`: what many ModelDeployments cost the operator, all of one payload: first without
 * instances, then with five each, which is five registrations in ZooKeeper. On an API server of its own without nodes
 * (simulated pods take their place), the real ZooKeeper and the real HDFS. Prints Markdown, asserts nothing; says how far
 * it is on the standard error output.
 *
 * INSTANCES=0 leaves the second part out. RATE is how many resources are created in a second, as kubectl applies about 30
 * of a file; REST how many seconds it looks at an operator with nothing to do.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { bringUpWithoutImages } from '../../deploy/local/bring-up.ts';
import { projectRoot } from '../../deploy/local/cache.ts';
import { bundlePrograms } from '../../deploy/local/images.ts';
import { program } from '../../deploy/local/steps.ts';
import { openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { script } from '../e2e/payloads.ts';
import { Chroot } from '../integration/chroot.ts';
import { realHdfsSettings } from '../integration/hdfs-settings.ts';
import { present } from '../integration/world.ts';
import { table } from './figures.ts';
import { type Figures, measure } from './scale/measure.ts';
import { rows } from './scale/rows.ts';

const sizes = (process.env['SIZES'] ?? '500 1000 2000').split(/[ ,]+/).map(Number);
const instances = Number(process.env['INSTANCES'] ?? 5);
const aSecond = Number(process.env['RATE'] ?? 30);
const restMs = Number(process.env['REST'] ?? 45) * 1_000;

const interrupted = new Promise<never>((_resolve, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error(signal)));
});
interrupted.catch(() => {});

await program(async () => {
  if (sizes.some((size) => !(size > 0))) throw new Error('SIZES is a list of numbers, as 500 1000 2000');
  await bringUpWithoutImages();
  await bundlePrograms('operator', 'kubectl-maas');
  const measured: Figures[] = [];
  for (const size of sizes) {
    measured.push(await inItsWorld(size));
    show(measured);
  }
});

// Where it was interrupted, something may wait yet for what does not come any more.
process.exit();

/** Everything that is made for it is gone afterwards, also where somebody interrupts it. */
async function inItsWorld(size: number): Promise<Figures> {
  await using life = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'maas-bench-scale-'));
  life.defer(() => rmSync(directory, { recursive: true, force: true }));
  const hdfs = openHdfs(realHdfsSettings(), present('hdfs').nameservice, { clock: systemClock });
  const home = `/user/maas/bench-scale-${randomUUID().slice(0, 8)}`;
  life.defer(async () => {
    await hdfs.delete(home, { recursive: true });
  });
  const chroot = life.use(await Chroot.make());
  for (const [name, text] of Object.entries(script('exec sleep infinity'))) {
    const bytes = Buffer.from(text);
    const source = async function* () {
      yield bytes;
    };
    await hdfs.write(`${home}/payload/${name}`, source, { length: bytes.length });
  }
  const setting = {
    size,
    instances,
    restMs,
    aSecond,
    directory,
    quorum: chroot.connect(),
    hdfs: realHdfsSettings(),
    payload: `${home}/payload`,
    crd: parse(readFileSync(join(projectRoot, 'crds/modeldeployments.maas.dev.yaml'), 'utf8')),
    tell: (text: string) => process.stderr.write(`${size}: ${text}\n`),
  };
  return await Promise.race([measure(setting, life), interrupted]);
}

function show(measured: readonly Figures[]): void {
  const head = ['', ...measured.map(({ size }) => `${size} resources`)];
  process.stdout.write(`\n${table(head, rows(measured))}\n`);
}
