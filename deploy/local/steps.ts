/**
 * Shows a person what a long program is doing: a line when a step starts, now and then what it is at, and a line with
 * the time it took. Everything the step's programs print goes to a log file of its own, named when the step fails.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createWriteStream, mkdirSync, statSync, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { localState } from './cache.ts';

const stillAtMs = 30_000;

interface Log {
  readonly file: string;
  readonly stream: WriteStream;
  readonly remarks: string[];
}

const log = new AsyncLocalStorage<Log>();

/** The log of the step that this code runs in. */
export function currentLog(): WriteStream | undefined {
  return log.getStore()?.stream;
}

/** Something about the step that this code runs in that a person should see in its closing line. */
export function remark(text: string): void {
  log.getStore()?.remarks.push(text);
}

/** A failure that has been shown already, with its reason and its log. */
export class StepFailed extends Error {
  constructor(name: string, cause: unknown) {
    super(`${name} failed`, { cause });
    this.name = 'StepFailed';
  }
}

/**
 * Runs one step and shows it. Steps may run side by side.
 * @param work may give a note for the closing line through `say`, and tell through `at` how far it is
 * @param usually how long it takes on two processors when nothing of it is there yet, where that is long: `6 min`
 * @throws StepFailed, after the reason and the log file's path were shown
 */
export async function step<T>(
  name: string,
  work: (say: (note: string) => void, at: (progress: string) => void) => Promise<T>,
  { usually }: { readonly usually?: string } = {},
): Promise<T> {
  const directory = join(localState, 'log');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.log`);
  const stream = createWriteStream(file);
  const began = performance.now();
  let note = '';
  const remarks: string[] = [];
  let progress: string | undefined;
  const of = usually === undefined ? '' : `usually ${usually}; `;
  const started = setTimeout(() => show('..', name, undefined, of.slice(0, -2)), 1_000);
  const still = setInterval(
    async () => show('..', name, performance.now() - began, `${of}${progress ?? (await lastLine(file))}`),
    stillAtMs,
  );
  try {
    const result = await log.run({ file, stream, remarks }, () =>
      work(
        (text) => {
          note = text;
        },
        (text) => {
          progress = text;
        },
      ),
    );
    show('ok', name, performance.now() - began, [note, ...remarks].filter(Boolean).join('; '));
    return result;
  } catch (error) {
    if (error instanceof StepFailed) throw error;
    show('FAILED', name, performance.now() - began, '');
    process.stdout.write(`${indent(reasonOf(error))}\n        log: ${file}\n`);
    throw new StepFailed(name, error);
  } finally {
    clearTimeout(started);
    clearInterval(still);
    stream.end();
  }
}

/** Runs a whole program: a failure sets the exit code and is shown once. */
export async function program(work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  try {
    await work();
    process.stdout.write(`done in ${seconds(performance.now() - began)}\n`);
  } catch (error) {
    if (!(error instanceof StepFailed)) process.stdout.write(`FAILED  ${reasonOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** `3.1 s`, `2 min 5 s`. */
export function seconds(ms: number): string {
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const whole = Math.round(ms / 1_000);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function show(sign: string, name: string, ms: number | undefined, note: string): void {
  const time = ms === undefined ? '' : seconds(ms);
  process.stdout.write(`${`${sign.padEnd(6)}  ${name.padEnd(34)} ${time.padStart(11)}  ${note}`.trimEnd()}\n`);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '        ');
}

function reasonOf(error: unknown): string {
  return stripVTControlCharacters(error instanceof Error ? error.message : String(error));
}

async function lastLine(file: string): Promise<string> {
  try {
    if (statSync(file).size > 50_000_000) return '';
    const lines = stripVTControlCharacters(await readFile(file, 'utf8'))
      .trimEnd()
      .split(/[\r\n]+/);
    return (lines.at(-1) ?? '').slice(0, 100);
  } catch {
    return '';
  }
}
