/** Runs other programs. What they print goes to the log of the step they run in; a failure carries the end of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { currentLog } from './steps.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this program's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text for its standard input; nothing otherwise. */
  readonly input?: string;
  /** Told what it prints, as it comes. */
  readonly onOutput?: (text: string) => void;
  /** Killed after this long; no limit otherwise. */
  readonly timeoutMs?: number;
}

export class CommandFailed extends Error {
  readonly output: string;
  constructor(command: string, args: readonly string[], how: string, output: string) {
    const tail = output.trim().split('\n').slice(-6).join('\n');
    super(`${[command, ...args].join(' ').slice(0, 200)}: ${how}${tail ? `\n${tail}` : ''}`);
    this.name = 'CommandFailed';
    this.output = output;
  }
}

/** Runs a program to its end. Returns its standard output; throws CommandFailed unless it exits with 0. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = start(command, args, options);
  child.stdin?.on('error', () => undefined); // it may end without reading its input
  child.stdin?.end(options.input ?? '');
  const { onOutput } = options;
  if (onOutput !== undefined) {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => onOutput(String(chunk)));
  }
  return await finished(child, command, args);
}

/** Runs `first | second`. Returns what `second` prints; throws CommandFailed when either fails. */
export async function runPiped(
  first: readonly [string, ...string[]],
  second: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<string> {
  const writer = spawn(first[0], first.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const reader = start(second[0], second.slice(1), options);
  if (reader.stdin) {
    reader.stdin.on('error', () => undefined);
    writer.stdout.pipe(reader.stdin);
  }
  writer.stderr.on('data', (chunk: Buffer) => currentLog()?.write(chunk));
  const written = new Promise<void>((resolve, reject) => {
    writer.on('error', reject);
    writer.on('close', (code) =>
      code === 0 ? resolve() : reject(new CommandFailed(first[0], first.slice(1), `exit code ${code}`, '')),
    );
  });
  const [output] = await Promise.all([finished(reader, second[0], second.slice(1)), written]);
  return output;
}

/** Does the program run and exit with 0? Says nothing otherwise. */
export async function succeeds(command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  try {
    await run(command, args, options);
    return true;
  } catch {
    return false;
  }
}

function start(command: string, args: readonly string[], options: RunOptions): ChildProcess {
  currentLog()?.write(`$ ${[command, ...args].join(' ')}\n`);
  return spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
  });
}

function finished(child: ChildProcess, command: string, args: readonly string[]): Promise<string> {
  const log = currentLog();
  const out: Buffer[] = [];
  const all: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => {
    out.push(chunk);
    all.push(chunk);
    log?.write(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    all.push(chunk);
    log?.write(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new CommandFailed(command, args, error.message, '')));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else {
        const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
        reject(new CommandFailed(command, args, how, Buffer.concat(all).toString()));
      }
    });
  });
}
