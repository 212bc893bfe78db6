import { type ChildProcess, execFile, execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { control } from '../contracts/pod-contract.ts';
import { ControlVolume } from './control-volume.ts';

let directory: string;
let volume: ControlVolume;
const readers: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'control-'));
  volume = new ControlVolume(directory);
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.kill('SIGKILL');
  await volume.close();
  rmSync(directory, { recursive: true, force: true });
});

const file = (name: string) => join(directory, name);

/** A shell that reads one line, as the model's does; it says `reading` before it opens the pipe. */
function reader(name: string): { ready: Promise<void>; line: Promise<string> } {
  const program = `echo reading; read -r line < '${file(name)}'; echo "$line"`;
  let ready = () => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const line = new Promise<string>((resolve) => {
    const child = execFile('sh', ['-c', program], (_, stdout) => resolve(stdout.split('\n')[1] ?? ''));
    child.stdout?.once('data', () => ready());
    readers.push(child);
  });
  return { ready: isReady, line };
}

describe('the gate', () => {
  it('wakes a shell that waits, and lets a later one see that it is open', async () => {
    await volume.makePipes();
    const waiting = reader(control.gate);
    await waiting.ready;
    expect(existsSync(file(control.open))).toBe(false);
    await volume.openGate();
    expect(await waiting.line).toBe('open');
    expect(await volume.isOpen()).toBe(true);
  });

  it('keeps its word for a shell that was between looking and reading', async () => {
    await volume.makePipes();
    await volume.openGate();
    expect(await reader(control.gate).line).toBe('open');
  });

  it('is taken over by an agent that restarted', async () => {
    await volume.makePipes();
    const waiting = reader(control.gate);
    await waiting.ready;
    const next = new ControlVolume(directory);
    await next.makePipes();
    await next.openGate();
    expect(await waiting.line).toBe('open');
    await next.close();
  });

  it('replaces what is in the way of a pipe', async () => {
    writeFileSync(file(control.gate), 'a file');
    await volume.makePipes();
    expect(lstatSync(file(control.gate)).isFIFO()).toBe(true);
    // Whoever the model runs as.
    expect(lstatSync(file(control.restart)).mode & 0o777).toBe(0o644);
  });
});

describe('asking for a restart', () => {
  const always = () => true;

  it('reaches a shell that reads, as one plain line', async () => {
    await volume.makePipes();
    const shell = reader(control.restart);
    await shell.ready;
    await vi.waitFor(() => expect(volume.askRestart('CODE: two\nlines\u001b[31m', always)).toBe(true));
    expect(await shell.line).toBe('CODE: two | lines\\u001b[31m');
  });

  it('says when nobody reads, and leaves nothing for the next one', async () => {
    await volume.makePipes();
    expect(volume.askRestart('why', always)).toBe(false);
  });

  it('does not reach the shell of another start', async () => {
    await volume.makePipes();
    const shell = reader(control.restart);
    await shell.ready;
    expect(volume.askRestart('why', () => false)).toBe(false);
    await vi.waitFor(() => expect(volume.askRestart('for you', always)).toBe(true));
    expect(await shell.line).toBe('for you');
  });
});

describe('the other files', () => {
  it('says ready with the mark of the start, and takes it back', async () => {
    expect(await volume.readyMark()).toBeUndefined();
    volume.setReady(undefined);
    expect(existsSync(file(control.lost))).toBe(false);
    volume.setReady('1:2');
    expect(await volume.readyMark()).toBe('1:2');
    volume.setReady(undefined);
    volume.setReady(undefined);
    expect(await volume.readyMark()).toBeUndefined();
    expect(existsSync(file(control.lost))).toBe(true);
  });

  it('says stopped with or without a drain', async () => {
    await volume.sayStopped(true);
    expect(readFileSync(file(control.stopped), 'utf8')).toBe(control.neverRegistered);
    await volume.sayStopped(false);
    expect(readFileSync(file(control.stopped), 'utf8')).toBe('');
  });

  it('sees a stop, also one that was answered before', async () => {
    expect(await volume.isStopping()).toBe(false);
    execFileSync('touch', [file(control.stop)]);
    expect(await volume.isStopping()).toBe(true);
    rmSync(file(control.stop));
    await volume.sayStopped(false);
    expect(await volume.isStopping()).toBe(true);
  });

  it('shuts the gate', async () => {
    await volume.makePipes();
    await volume.openGate();
    volume.setReady('1');
    await volume.shutGate();
    expect(await volume.isOpen()).toBe(false);
    expect(await volume.readyMark()).toBeUndefined();
  });
});
