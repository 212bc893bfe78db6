/** The files by which agent and model container talk; what they mean is in the contract. */

import { execFile } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { type FileHandle, lstat, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { control } from '../contracts/pod-contract.ts';
import { oneLine } from '../kernel/shown-text.ts';

const run = promisify(execFile);

export class ControlVolume {
  readonly directory: string;
  /** Held for as long as the agent lives, so that the line in the pipe stays until it is read. */
  #gate: FileHandle | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Makes both pipes; those that an earlier agent made are kept, because the model may be waiting at them. */
  async makePipes(): Promise<void> {
    const paths = [control.gate, control.restart].map((name) => this.#path(name));
    const arePipes = await Promise.all(paths.map(isPipe));
    const missing = paths.filter((_, at) => !arePipes[at]);
    if (missing.length === 0) return;
    await Promise.all(missing.map((path) => rm(path, { recursive: true, force: true })));
    // Node cannot make one itself.
    await run('mkfifo', ['-m', '644', ...missing]);
  }

  /**
   * Lets the model's shell go on: one that waits at the pipe reads a line, one that comes later sees the file.
   * Harmless when done again by an agent that restarted.
   */
  async openGate(): Promise<void> {
    await writeFile(this.#path(control.open), '');
    if (this.#gate !== undefined) return;
    // Read and write, because opening for writing alone waits for a reader, or fails without one.
    this.#gate = await open(this.#path(control.gate), constants.O_RDWR | constants.O_NONBLOCK);
    await this.#gate.write('open\n');
  }

  /** A gate that was opened before the node went down is shut again, for the payload may have suffered. */
  async shutGate(): Promise<void> {
    await rm(this.#path(control.open), { force: true });
    await rm(this.#path(control.ready), { force: true });
  }

  /**
   * Tells the model's shell to end the script and itself.
   *
   * All at once, without giving way to anything: the shell writes its start mark before it begins to read, so a mark
   * that is unchanged immediately before the pipe is opened means that the reader belongs to the start that is to be
   * ended. Looking after the opening would be too late: closing again ends the reading of the next start's shell.
   *
   * @param why one line
   * @param stillMeant is the model's start still the one that is to be ended?
   * @returns false where nobody reads, which means that the container is down already or is just being started
   */
  askRestart(why: string, stillMeant: () => boolean): boolean {
    if (!stillMeant()) return false;
    let pipe: number;
    try {
      pipe = openSync(this.#path(control.restart), constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENXIO') return false;
      throw error;
    }
    try {
      writeSync(pipe, `${oneLine(why, 500)}\n`);
      return true;
    } finally {
      closeSync(pipe);
    }
  }

  /**
   * At once, so that nobody hears of a readiness that is not noted.
   *
   * @param mark the start of the model that is ready; undefined takes the readiness back
   */
  setReady(mark: string | undefined): void {
    const path = this.#path(control.ready);
    if (mark === undefined) {
      if (existsSync(path)) renameSync(path, this.#path(control.lost));
      return;
    }
    const half = this.#path(`.${control.ready}`);
    writeFileSync(half, mark);
    renameSync(half, path);
  }

  /** What the model's shell should say of its script when that ends. */
  async describeScript(text: string): Promise<void> {
    await this.#write(control.script, text);
  }

  async sayStopped(neverRegistered: boolean): Promise<void> {
    await this.#write(control.stopped, neverRegistered ? control.neverRegistered : '');
  }

  async isOpen(): Promise<boolean> {
    return exists(this.#path(control.open));
  }

  async readyMark(): Promise<string | undefined> {
    return readFile(this.#path(control.ready), 'utf8').catch(missing);
  }

  /** The pod is being stopped, or was already when an earlier agent ran. */
  async isStopping(): Promise<boolean> {
    return (await exists(this.#path(control.stop))) || (await exists(this.#path(control.stopped)));
  }

  async close(): Promise<void> {
    await this.#gate?.close();
    this.#gate = undefined;
  }

  /** Whole or not at all: readers never see a file that is being written. */
  async #write(name: string, text: string): Promise<void> {
    await writeFile(this.#path(`.${name}`), text);
    await rename(this.#path(`.${name}`), this.#path(name));
  }

  #path(name: string): string {
    return join(this.directory, name);
  }
}

async function isPipe(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isFIFO() === true;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(missing)) !== undefined;
}

/** Only what is not there is nothing; what cannot be read just now must not be taken for that. */
function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
