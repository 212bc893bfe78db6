/** The operator as its image runs it, as a process that can be measured: time, memory, metrics. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../deploy/local/cache.ts';

/** Options for its Node alone, for whoever wants a profile: `--cpu-prof --cpu-prof-dir=/tmp/profile`. */
const nodeOptions = process.env['OPERATOR_NODE_OPTIONS'] ?? '';
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const stopMs = 20_000;

export interface MeasuredOperatorOptions {
  /** Takes settings and log. */
  readonly directory: string;
  readonly kubeconfig: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly port: number;
}

/** What its metrics say: values by name and labels as they are written. */
export type Metrics = ReadonlyMap<string, number>;

export class MeasuredOperator implements AsyncDisposable {
  /** When it was started, on the monotonic clock. */
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #port: number;

  constructor({ directory, kubeconfig, settings, port }: MeasuredOperatorOptions) {
    const file = join(directory, 'settings.json');
    writeFileSync(file, JSON.stringify(settings));
    this.#log = join(directory, 'operator.log');
    this.#port = port;
    const log = openSync(this.#log, 'a');
    this.#child = spawn(
      process.execPath,
      [join(projectRoot, 'dist/operator.cjs'), 'run', '--settings', file, '--port', String(port)],
      {
        env: {
          ...process.env,
          KUBECONFIG: kubeconfig,
          POD_NAMESPACE: 'maas-system',
          POD_NAME: 'operator',
          NODE_OPTIONS: nodeOptions,
        },
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
  }

  /** Undefined while it does not answer. */
  async metrics(): Promise<Metrics | undefined> {
    if (this.#child.exitCode !== null) throw new Error(`the operator has ended:\n${this.#end()}`);
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#port}/metrics`, { signal: AbortSignal.timeout(5_000) });
      return readMetrics(await answer.text());
    } catch {
      return undefined;
    }
  }

  /** Seconds of a processor since it started. */
  processor(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    // The second field, in brackets, is a name and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Anonymous memory, MiB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1_024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), stopMs);
    await ended;
    clearTimeout(late);
  }

  #end(): string {
    return readFileSync(this.#log, 'utf8').trim().split('\n').slice(-20).join('\n');
  }
}

function readMetrics(text: string): Metrics {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, number] => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

/** The sum of all values of this name whose labels hold this text. */
export function sumOf(metrics: Metrics, name: string, labels = ''): number {
  let sum = 0;
  for (const [key, value] of metrics) {
    if ((key === name || key.startsWith(`${name}{`)) && key.includes(labels)) sum += value;
  }
  return sum;
}
