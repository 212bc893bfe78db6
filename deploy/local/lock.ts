/** A lock between programs: a directory that says which process made it. A dead owner's lock is taken over. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 200;

/** Runs `work` while holding the lock at `path`, after whoever holds it now. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  while (!tryToTake(path)) await sleep(pollMs);
  try {
    return await work();
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

function tryToTake(path: string): boolean {
  try {
    mkdirSync(path);
    writeFileSync(join(path, 'owner'), identityOf(process.pid) ?? '');
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  if (ownerIsGone(path)) takeAway(path);
  return false;
}

/** Moves the lock aside first: of several that find its owner gone, one gets to remove it. */
function takeAway(path: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    // Somebody else may have been quicker and have taken it; then it is theirs and goes back.
    if (ownerIsGone(aside)) rmSync(aside, { recursive: true, force: true });
    else renameSync(aside, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

function ownerIsGone(path: string): boolean {
  try {
    const owner = readFileSync(join(path, 'owner'), 'utf8');
    return identityOf(Number(owner.split(' ')[0])) !== owner;
  } catch {
    // It is just being taken or given back; an owner that died in between left it like that for good.
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY);
    return age > 10_000;
  }
}

/** `<pid> <start time>` of a living process: a number alone may come to mean another process later. */
export function identityOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch {
    return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie (state Z) still has its number, and does nothing any more.
    return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]}`;
  } catch {
    return `${pid} -`; // no /proc on this system
  }
}
