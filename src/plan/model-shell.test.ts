/**
 * The model's shell as it runs, under the shells that images have, and what is understood of its last lines. Only what
 * needs no process namespace of its own: nothing is ever told to stop.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { control, endpointFile, paths } from '../contracts/pod-contract.ts';
import { lookAtScript } from '../contracts/script-text.ts';
import { scriptFile, shellWords } from '../contracts/shell-words.ts';
import { modelCommand, readyCommand } from './model-shell.ts';
import { type ScriptEnd, scriptEnd } from './script-end.ts';

const shells = [['sh'], ['bash', '--posix'], ['busybox', 'sh']].filter(
  ([program = '', ...args]) => spawnSync(program, [...args, '-c', 'exit 7']).status === 7,
);

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** A model's container with a payload that is in place: to the end of its script. */
async function run(
  [program = '', ...args]: readonly string[],
  script: string | Buffer,
  prepare: (payload: string) => void = () => {},
): Promise<ScriptEnd> {
  const root = mkdtempSync(join(tmpdir(), 'model-shell-'));
  roots.push(root);
  for (const path of [paths.payload, paths.control]) mkdirSync(join(root, path), { recursive: true });
  const at = join(root, paths.payload, 'run.sh');
  writeFileSync(at, script);
  chmodSync(at, 0o777);
  prepare(join(root, paths.payload));
  writeFileSync(join(root, paths.control, control.open), '');
  writeFileSync(join(root, paths.control, control.script), scriptFile(lookAtScript('run.sh', Buffer.from(script))));
  const command = modelCommand.replaceAll('/maas/', `${root}/maas/`);
  const model = spawn(program, [...args, '-c', command, 'maas', 'run.sh'], { stdio: 'pipe', detached: true });
  let output = '';
  for (const stream of [model.stdout, model.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const exitCode = await new Promise<number>((resolve) => model.once('exit', (status) => resolve(status ?? -1)));
  // The watcher of the restart pipe, which ends with process 1 in a pod, holds the output open.
  const closed = new Promise((resolve) => model.once('close', resolve));
  process.kill(-(model.pid ?? Number.NaN), 'SIGKILL');
  await closed;
  return scriptEnd(shellWords(output), exitCode, '');
}

/** The exit code of the readiness probe on the node's network; `meanwhile` is done when it has begun to wait. */
async function probe(
  [program = '', ...args]: readonly string[],
  files: readonly string[],
  { heldMs = 400, meanwhile }: { heldMs?: number; meanwhile?: string } = {},
): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'ready-'));
  roots.push(root);
  const at = (name: string) => join(root, paths.control, name);
  mkdirSync(join(root, paths.control), { recursive: true });
  for (const name of files) writeFileSync(at(name), '');
  const [, flag = '', text = ''] = readyCommand(heldMs);
  // The first sleep tells that it waits.
  const command = `sleep() { command sleep "$1"; echo slept; }\n${text.replaceAll('/maas/', `${root}/maas/`)}`;
  const asked = spawn(program, [...args, flag, command], { stdio: 'pipe' });
  if (meanwhile !== undefined) asked.stdout.once('data', () => writeFileSync(at(meanwhile), ''));
  return await new Promise((resolve) => asked.once('close', (status) => resolve(status ?? -1)));
}

describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('under %s', (_name, shell) => {
  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, '{}')],
    ['a link to nothing', (path) => symlinkSync('/nowhere/at/all', path)],
  ])('what an earlier start left as endpoint.dat is gone when the script runs: %s', async (_what, leave) => {
    const script = '#!/bin/sh\n[ ! -e endpoint.dat ] && [ ! -L endpoint.dat ] && exit 42\n';
    const end = await run(shell, script, (payload) => leave(join(payload, endpointFile)));
    expect(JSON.stringify(end)).toContain('status 42');
  });

  it.each([
    ['an instance that is ready', [control.ready], {}, 0],
    ['one that is ready again', [control.ready, control.lost], {}, 0],
    ['one that is ready no more', [control.lost], { heldMs: 60_000 }, 1],
    ['one that becomes ready', [], { heldMs: 60_000, meanwhile: control.ready }, 0],
    ['one that does not', [], {}, 1],
  ])('the probe on the network of the node says of %s', async (_what, files, options, status) => {
    expect(await probe(shell, files, options)).toBe(status);
  });

  it.each<[string, string | Buffer, string, RegExp]>([
    [
      'a script from Windows',
      '#!/bin/bash\r\necho hi\r\n',
      'SCRIPT_NOT_RUNNABLE',
      /^the first line of "run\.sh" ends with a carriage return, so it asks for "\/bin\/bash\\r"; .* status 127/,
    ],
    [
      'one that asks env',
      '#!/usr/bin/env python3\r\nprint(1)\r\n',
      'SCRIPT_NOT_RUNNABLE',
      /asks for "\/usr\/bin\/env python3\\r"; .* status 127/,
    ],
    [
      'an interpreter that is not there',
      '#!/usr/bin/python2\nprint 1\n',
      'SCRIPT_INTERPRETER_MISSING',
      /^\/usr\/bin\/python2, which the first line of "run\.sh" names, is not in the image; .* status 127.*run\.sh/,
    ],
    [
      'one that env does not find',
      '#!/usr/bin/env python2.4\nprint 1\n',
      'SCRIPT_INTERPRETER_MISSING',
      /^python2\.4, which .* is not in the image; .*status 127.*its last lines: .*python2\.4/,
    ],
    [
      'a directory for an interpreter',
      '#!/usr/bin\n',
      'SCRIPT_ENDED',
      /status 126 .*its last lines: .*run\.sh: .*denied/,
    ],
    ['UTF-16', Buffer.from('\ufeff#!/bin/sh\n', 'utf16le'), 'SCRIPT_NOT_RUNNABLE', /^"run\.sh" is stored as UTF-16; /],
    ['nothing', '', 'SCRIPT_NOT_RUNNABLE', /^"run\.sh" is empty; the script ended with status 0/],
    [
      'later lines from Windows',
      '#!/bin/sh\ncd /nowhere\r\nexit 3\r\n',
      'SCRIPT_ENDED',
      /^the script ended with status \d+.*; line 2 of "run\.sh" ends with a carriage return/,
    ],
    [
      'a command that is not there',
      '#!/bin/sh\nno-such-command\n',
      'SCRIPT_ENDED',
      /^the script ended with status 127 \(.*not found\); its last lines: .*no-such-command/,
    ],
    [
      'its own failure',
      '#!/bin/sh\necho no weights >&2\nexit 3\n',
      'SCRIPT_ENDED',
      /^the script ended with status 3; its last lines: no weights$/,
    ],
    ['words like ours', '#!/bin/sh\necho "maas: my own"\nexit 1\n', 'SCRIPT_ENDED', /its last lines: maas: my own$/],
  ])('%s', async (_what, script, code, message) => {
    const end = await run(shell, script);
    expect([end.code, end.message]).toEqual([code, expect.stringMatching(message)]);
    expect(end.message).not.toMatch(/\r|maas: \d|maas: line \d/);
    expect(end.next).toMatch(/\w/);
  });
});

it('knows the shells that images have', () => {
  expect(shells.map(([program]) => program)).toContain('sh');
});
