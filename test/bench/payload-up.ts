/**
 * `make bench-payload-up [ROUNDS=5] [MB=800] [FILES=1000]`: how fast `kubectl maas add --local-model-path` brings a payload
 * to HDFS and has it verified there: the whole command, as it is compiled, against curl that sends the same bytes to the
 * data nodes that the name node names, in blocks of the same size, and against curl that asks for HDFS's checksums
 * besides. One large file; then many of 1 KiB, against one curl with as many requests in flight. Turn by turn in one run.
 * Prints Markdown, asserts nothing.
 */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../deploy/local/cache.ts';
import { program } from '../../deploy/local/steps.ts';
import type { Hdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { filesAtOnce } from '../../src/payload/send-files.ts';
import { blockSize, uploadPayload } from '../../src/payload/upload.ts';
import { FakeWebHdfs } from '../builders/fake-webhdfs.ts';
import { impatientHdfs } from '../builders/impatient-hdfs.ts';
import { CliWorld, ended } from '../integration/cli-process.ts';
import { activeNameNode, openRealHdfs, ownDirectory } from '../integration/hdfs-world.ts';
import { present } from '../integration/world.ts';
import { ratioOf, shownSpread, spreadOf, table } from './figures.ts';

const rounds = Number(process.env['ROUNDS'] ?? 5);
const megabytes = Number(process.env['MB'] ?? 800);
const smallFiles = Number(process.env['FILES'] ?? 1_000);
const smallBytes = 1_024;
/** The data nodes delete what the turn before has left some heartbeats later. */
const settleMs = 4_000;
const run = promisify(execFile);

interface Bench {
  readonly world: CliWorld;
  readonly hdfs: Hdfs;
  /** In HDFS. */
  readonly directory: string;
  /** Of the active name node, with the path's beginning. */
  readonly webhdfs: string;
  /** Local. */
  readonly local: string;
}

await program(async () => {
  if (spawnSync('curl', ['--version']).status !== 0)
    throw new Error('its references are taken with curl, which is not here');
  const built = spawnSync(process.execPath, ['build.ts', 'kubectl-maas'], { cwd: projectRoot, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('it measures the compiled command, which could not be built');
  const hdfs = openRealHdfs();
  const world = await CliWorld.open([join(projectRoot, 'dist/kubectl-maas')]);
  const local = await mkdtemp(join(tmpdir(), 'bench-up-'));
  try {
    await using own = await ownDirectory(hdfs);
    await world.publishSettings(`${own.path}/models`);
    const webhdfs = `${(await activeNameNode()).webhdfs}/webhdfs/v1`;
    const bench: Bench = { world, hdfs, directory: own.path, webhdfs, local };
    if (megabytes > 0) process.stdout.write(`${await large(bench)}\n\n`);
    if (smallFiles > 0) process.stdout.write(`${await small(bench)}\n\n${await requests(bench)}\n`);
  } finally {
    await rm(local, { recursive: true, force: true });
    await world.close();
  }
});

/** Seconds that something takes, with a disk that has nothing left to do. */
async function timed(work: () => Promise<void>): Promise<number> {
  await systemClock.sleep(settleMs);
  await run('sync');
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

/** The whole command, from its start to its end; what it made is taken away again, outside of the time. */
async function command({ world, hdfs, directory }: Bench, name: string, payload: readonly string[]): Promise<number> {
  const args = ['add', '--name', name, '--version', '1.0', '--memory', '64Mi', '--instances', '0', ...payload];
  const seconds = await timed(async () => {
    const { code, err } = await ended(world.start(...args));
    if (code !== 0) throw new Error(`kubectl maas ${args.join(' ')}: ${err}`);
  });
  await world.kubectl('delete', 'mdl', '--all', '-n', world.namespace, '--wait=false');
  await hdfs.delete(`${directory}/models`, { recursive: true });
  return seconds;
}

function urlOf({ webhdfs, directory }: Bench, name: string, op: string): string {
  const query = op === 'CREATE' ? `&overwrite=true&createparent=false&blocksize=${blockSize}` : '';
  return `${webhdfs}${directory}/${name}?op=${op}&user.name=${present('hdfs').user}${query}`;
}

async function curl(...args: string[]): Promise<string> {
  return (await run('curl', ['--silent', '--show-error', '--fail', ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

async function large(bench: Bench): Promise<string> {
  const payload = join(bench.local, 'large');
  const weights = join(payload, 'weights.bin');
  await mkdir(payload);
  await writeFile(join(payload, 'run.sh'), '#!/bin/sh\nexec sleep infinity\n');
  await using file = await open(weights, 'w');
  for (let written = 0; written < megabytes; written++) await file.write(randomBytes(1_000_000));

  const sent: number[] = [];
  const compared: number[] = [];
  const ours: number[] = [];
  const rest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const send = await timed(async () => {
      const to = await curl('--request', 'PUT', '--write-out', '%{redirect_url}', urlOf(bench, 'large.bin', 'CREATE'));
      await curl('--upload-file', weights, to);
    });
    const compare = await timed(async () => {
      await curl('--location', urlOf(bench, 'large.bin', 'GETFILECHECKSUM'));
    });
    await bench.hdfs.delete(`${bench.directory}/large.bin`, { recursive: false });
    sent.push(send);
    compared.push(send + compare);
    ours.push(await command(bench, `large-${round}`, ['--local-model-path', payload]));
    rest.push(await command(bench, `none-${round}`, ['--hdfs-model-path', bench.directory]));
  }
  const row = (what: string, seconds: readonly number[]) => [
    what,
    shownSpread(spreadOf(seconds), 2, ' s'),
    shownSpread(spreadOf(seconds.map((value) => megabytes / value)), 0, ' MB/s'),
    shownSpread(ratioOf(sent, seconds)),
    shownSpread(ratioOf(compared, seconds)),
  ];
  return [
    `## ${megabytes} MB in one file, median of ${rounds} (least to most)`,
    '',
    table(
      ['', 'time', 'rate', 'rate by that of curl', 'rate by that of curl with checksum'],
      [
        row('curl -T', sent),
        row('curl -T, then GETFILECHECKSUM', compared),
        row('kubectl maas add, verified', ours),
        ['the same without an upload', shownSpread(spreadOf(rest), 2, ' s'), '', '', ''],
      ],
    ),
  ].join('\n');
}

async function small(bench: Bench): Promise<string> {
  const payload = join(bench.local, 'small');
  const names = Array.from({ length: smallFiles }, (_, index) => `many/f${index}`);
  await mkdir(join(payload, 'many'), { recursive: true });
  await writeFile(join(payload, 'run.sh'), '#!/bin/sh\nexec sleep infinity\n');
  for (const name of names) await writeFile(join(payload, name), randomBytes(smallBytes));

  const entry = (...lines: string[]) => lines.concat('output = "/dev/null"').join('\n');
  const create = names.map((name) =>
    entry(`url = "${urlOf(bench, name, 'CREATE')}"`, `upload-file = "${join(payload, name)}"`),
  );
  const checksum = names.map((name) => entry(`url = "${urlOf(bench, name, 'GETFILECHECKSUM')}"`));
  const [creates, checksums] = [join(bench.local, 'creates'), join(bench.local, 'checksums')];
  await writeFile(creates, create.join('\n'));
  await writeFile(checksums, checksum.join('\n'));
  const parallel = ['--parallel', '--parallel-immediate', '--parallel-max', String(filesAtOnce), '--no-progress-meter'];

  const sent: number[] = [];
  const compared: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await bench.hdfs.mkdirs(`${bench.directory}/many`);
    const send = await timed(async () => void (await curl(...parallel, '--location', '--config', creates)));
    const compare = await timed(async () => void (await curl(...parallel, '--location', '--config', checksums)));
    await bench.hdfs.delete(`${bench.directory}/many`, { recursive: true });
    sent.push(send);
    compared.push(send + compare);
    ours.push(await command(bench, `small-${round}`, ['--local-model-path', payload]));
  }
  const row = (what: string, seconds: readonly number[]) => [
    what,
    shownSpread(spreadOf(seconds), 1, ' s'),
    shownSpread(spreadOf(seconds.map((value) => smallFiles / value)), 0, '/s'),
    shownSpread(ratioOf(sent, seconds)),
    shownSpread(ratioOf(compared, seconds)),
  ];
  return [
    `## ${smallFiles} files of 1 KiB, ${filesAtOnce} requests in flight, median of ${rounds} (least to most)`,
    '',
    table(
      ['', 'time', 'files', 'rate by that of curl', 'rate by that of curl with checksums'],
      [
        row(`curl --parallel-max ${filesAtOnce}, CREATE`, sent),
        row('curl, CREATE, then GETFILECHECKSUM', compared),
        row('kubectl maas add, verified', ours),
      ],
    ),
  ].join('\n');
}

/** Counted at a stand-in for HDFS, which notes each request: how many there are is not a question of time. */
async function requests({ local }: Bench): Promise<string> {
  const fake = await FakeWebHdfs.start();
  try {
    fake.makeDirectories('/user');
    const payload = join(local, 'small');
    const { files } = await uploadPayload(impatientHdfs(fake), payload, '/user/counted', {
      now: systemClock.now,
      id: 'count',
    });
    const counts = Map.groupBy(
      fake.requests,
      ({ op, node }) => `${op} at the ${node.startsWith('nn') ? 'name' : 'data'} node`,
    );
    const rows = [...counts].map(([what, all]) => [what, String(all.length), (all.length / files).toFixed(2)]);
    return [
      `Requests of the upload of ${files} files:`,
      '',
      table(
        ['', 'in all', 'a file'],
        [...rows, ['**all**', String(fake.requests.length), (fake.requests.length / files).toFixed(2)]],
      ),
    ].join('\n');
  } finally {
    await fake.stop();
  }
}
