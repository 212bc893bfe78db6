/**
 * `make bench-shield [ROUNDS=5] [SECONDS=2]`: what a shield costs. Calls as Stellar sends them, to a model and to the
 * shield of a real agent before it, with the agent's own flags, turn by turn in one run; and what its cache saves. Then
 * the agent's memory. Prints Markdown, asserts nothing.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bringUpWithoutImages } from '../../deploy/local/bring-up.ts';
import { projectRoot } from '../../deploy/local/cache.ts';
import { bundlePrograms } from '../../deploy/local/images.ts';
import { program } from '../../deploy/local/steps.ts';
import { mostInFlight } from '../../src/contracts/shield-spec.ts';
import { AgentPod, until } from '../integration/agent-pod.ts';
import { Chroot } from '../integration/chroot.ts';
import { ratioOf, shownSpread, spreadOf, table } from './figures.ts';

const rounds = Number(process.env['ROUNDS'] ?? 5);
const forMs = Number(process.env['SECONDS'] ?? 2) * 1_000;
const queries = 100;
const run = promisify(execFile);

const shield = { timeLimitMs: 10_000, maxInFlight: 32, maxQueued: 128, queueTimeMs: 1_000, onError: 'NoContent' };
const cache = { bytes: 8 * 2 ** 20, timeToLiveMs: 60_000 };

/** Answers after so many milliseconds, without using a processor meanwhile; `large` fills what a shield holds back. */
const modelOf = (ms: number) => `
  const small = '{"is_malicious":"legit","score":0.25}';
  const large = JSON.stringify({ text: 'x'.repeat(60000) });
  const server = require('node:http').createServer((request, response) => {
    const body = request.url.includes('large') ? large : small;
    const answer = () => response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    ${ms === 0 ? 'answer();' : `setTimeout(answer, ${ms});`}
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

interface Load {
  readonly calls: number;
  readonly failed: number;
  readonly aSecond: number;
  readonly p50: number;
  readonly p99: number;
}

function print(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

interface Shielded {
  readonly pod: AgentPod;
  readonly modelPort: number;
  readonly port: number;
}

class Bench {
  readonly #chroot: Chroot;
  readonly #life: AsyncDisposableStack;
  #pods = 0;

  constructor(chroot: Chroot, life: AsyncDisposableStack) {
    this.#chroot = chroot;
    this.#life = life;
  }

  async pod(ms: number, instructions: object | undefined): Promise<Shielded> {
    const child = `pod-${this.#pods++}`;
    await this.#chroot.nodes.create(`${this.#chroot.path}/${child}`);
    const pod = this.#life.use(
      new AgentPod({
        quorum: this.#chroot.connect(child),
        program: ['--max-old-space-size=64', '--max-semi-space-size=1', join(projectRoot, 'dist/agent.cjs')],
        instructions: { advertise: 'Node', ...(instructions === undefined ? {} : { shield: instructions }) },
      }),
    );
    pod.startAgent();
    const program = instructions === undefined ? modelOf(ms).replace('127.0.0.1', '0.0.0.0') : modelOf(ms);
    const modelPort = await pod.startModel(program);
    await pod.becomes('Registered');
    return { pod, modelPort, port: (await pod.status())?.shield?.port ?? modelPort };
  }
}

async function load(port: number, connections: number, options: { idle?: number; ms?: number } = {}): Promise<Load> {
  const { idle = 0, ms = forMs } = options;
  const script = join(projectRoot, 'test/bench/http-load.ts');
  const args = [port, connections, ms, queries, idle].map(String);
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args]);
  const found: Load = JSON.parse(stdout);
  if (found.failed > 0) throw new Error(`${found.failed} calls failed`);
  return found;
}

async function speeds(ms: number, plain: Shielded, cached: Shielded): Promise<string> {
  const rows: string[][] = [];
  for (const connections of [1, 16]) {
    const [direct, behind, kept]: [Load[], Load[], Load[]] = [[], [], []];
    for (let round = 0; round <= rounds; round++) {
      const turn = [
        await load(plain.modelPort, connections),
        await load(plain.port, connections),
        await load(cached.port, connections),
      ];
      // The first one warms all of them up.
      if (round === 0) continue;
      for (const [at, found] of turn.entries()) [direct, behind, kept][at]?.push(found);
    }
    const of = (all: readonly Load[], figure: 'p50' | 'p99' | 'aSecond') => all.map((found) => found[figure]);
    const row = (name: string, all: readonly Load[]) => [
      `${name}, ${connections === 1 ? 'one connection' : `${connections} connections`}`,
      shownSpread(spreadOf(of(all, 'p50')), 3),
      shownSpread(spreadOf(of(all, 'p99'))),
      shownSpread(spreadOf(of(all, 'aSecond')), 0),
      all === direct ? '' : `${shownSpread(ratioOf(of(all, 'aSecond'), of(direct, 'aSecond')))}x`,
    ];
    rows.push(row('direct', direct), row('shield', behind), row('shield, from its cache', kept));
  }
  return [
    `A model that answers ${ms === 0 ? 'at once' : `after ${ms} ms`}, median of ${rounds} rounds (least to most):`,
    '',
    table(['', 'p50, ms', 'p99, ms', 'calls a second', 'to direct'], rows),
  ].join('\n');
}

/** The agent's own memory, without what it shares with others. */
function anonMiB({ pod }: Shielded): number {
  const status = readFileSync(`/proc/${pod.agentPid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}

async function memory(bench: Bench): Promise<string> {
  const rows: string[][] = [];
  const peak = async (what: string, one: Shielded, meanwhile: () => Promise<unknown>) => {
    let most = 0;
    let over = false;
    const done = meanwhile().finally(() => {
      over = true;
    });
    // Told below, where it is awaited.
    done.catch(() => undefined);
    await until(
      () => {
        most = Math.max(most, anonMiB(one));
        return over;
      },
      what,
      120_000,
    );
    await done;
    rows.push([what, `${most.toFixed(0)} MiB`]);
  };
  const rest = () => new Promise((resolve) => setTimeout(resolve, 3_000));
  await peak('registered, no shield', await bench.pod(0, undefined), rest);
  const plain = await bench.pod(0, shield);
  await peak('registered, a shield that nobody calls', plain, rest);
  await peak('16 connections that call all the time', plain, async () => await load(plain.port, 16, { ms: 5_000 }));
  await peak('the same beside 600 connections that are idle', plain, async () =>
    load(plain.port, 16, { ms: 5_000, idle: 600 }),
  );
  const full = await bench.pod(50, {
    ...{ ...shield, maxInFlight: mostInFlight, maxQueued: 1_024 },
    cache: { bytes: 16 * 2 ** 20, timeToLiveMs: 3_600_000 },
  });
  await peak(
    `600 idle connections, ${mostInFlight} calls of 60 KB in flight, 16 MiB of answers kept`,
    full,
    async () => {
      const beside = load(full.port, 1, { ms: 8_000, idle: 600 });
      for (let batch = 0; batch < 16; batch++) {
        const calls = Array.from({ length: mostInFlight }, async (_, at) => {
          const response = await fetch(`http://127.0.0.1:${full.port}/apply?large=${batch}-${at}`);
          await response.arrayBuffer();
        });
        await Promise.all(calls);
      }
      await beside;
    },
  );
  return table(["the agent's RssAnon", 'at its peak'], rows);
}

await program(async () => {
  await bringUpWithoutImages();
  await bundlePrograms('agent');
  await using life = new AsyncDisposableStack();
  const chroot = life.use(await Chroot.make());
  const bench = new Bench(chroot, life);
  for (const ms of [0, 10]) {
    const plain = await bench.pod(ms, shield);
    const cached = await bench.pod(ms, { ...shield, cache });
    print(await speeds(ms, plain, cached));
  }
  print(await memory(bench));
});
