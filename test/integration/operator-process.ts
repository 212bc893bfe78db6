/** Runs the operator from its sources, as a process that a test may kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../deploy/local/cache.ts';
import { settingsKey } from '../../src/contracts/settings.ts';
import { present } from './world.ts';

export interface OperatorOptions {
  /** The operator's own: its lease and its records are there. */
  readonly namespace: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Where it is to kill itself. */
  readonly failPoint?: string;
}

export class OperatorProcess {
  /** Settles when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];

  constructor({ namespace, settings, failPoint }: OperatorOptions) {
    const directory = mkdtempSync(join(tmpdir(), 'maas-operator-'));
    const file = join(directory, settingsKey);
    writeFileSync(file, JSON.stringify(settings));
    this.#child = spawn(
      process.execPath,
      [join(projectRoot, 'src/bin/operator.ts'), 'run', '--settings', file, '--port', '0'],
      {
        env: {
          ...process.env,
          KUBECONFIG: present('cluster').kubeconfig,
          POD_NAMESPACE: namespace,
          POD_NAME: 'operator',
          ...(failPoint === undefined ? {} : { MAAS_FAIL_POINT: failPoint }),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const { stdout } = this.#child;
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#lines.push(line));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        rmSync(directory, { recursive: true, force: true });
        resolve({ code, signal });
      });
    });
  }

  /** What it said last, for whoever has to find out why. */
  account(lines = 30): string {
    return this.#lines.slice(-lines).join('\n');
  }

  /** Waits until it leads, and with that acts. */
  async leads(withinMs = 30_000): Promise<void> {
    const end = performance.now() + withinMs;
    while (!this.#lines.some((line) => line.includes('this process is the leader'))) {
      if (performance.now() > end) throw new Error(`it does not lead within ${withinMs} ms\n${this.account()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** How it ended; fails where it does not. */
  async ends(withinMs: number): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), withinMs);
    try {
      return await Promise.race([
        this.ended,
        new Promise<never>((_resolve, reject) => {
          late.signal.addEventListener('abort', () =>
            reject(new Error(`the operator did not end within ${withinMs} ms\n${this.account()}`)),
          );
        }),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** In good order; gives its exit code. */
  async stop(): Promise<number | null> {
    this.kill('SIGTERM');
    return (await this.ends(20_000)).code;
  }
}
