/** A deploy script of old, from upload to LIST, with models that run and an operator that is told nothing special. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { ended, type Ran } from '../integration/cli-process.ts';
import { legacyList } from '../integration/java.ts';
import { present } from '../integration/world.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
let directory: string;
beforeAll(async () => {
  stage = await Stage.open('old');
  directory = mkdtempSync(join(tmpdir(), 'maas-old-'));
  // As in a release: the program beside the scripts.
  const program = join(projectRoot, 'src/bin/kubectl-maas.ts');
  const executable = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`;
  writeFileSync(join(directory, 'kubectl-maas'), executable, { mode: 0o755 });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function deploy(...args: string[]): Promise<Ran> {
  const env = {
    ...process.env,
    PATH: `${directory}:${process.env['PATH']}`,
    KUBECONFIG: present('cluster').kubeconfig,
    MAAS_NAMESPACE: stage.namespace,
    MAAS_OPERATOR_NAMESPACE: stage.operatorNamespace,
    NO_COLOR: '1',
  };
  const script = join(projectRoot, 'deploy/legacy/maas_deploy.sh');
  return ended(spawn(script, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

function localPayload(version: string): string {
  const path = join(directory, `dga-${version}`);
  mkdirSync(path, { recursive: true });
  for (const [name, content] of Object.entries(pythonModel(version))) writeFileSync(join(path, name), content);
  return path;
}

it('uploads, adds, lists as the original does, and removes', async () => {
  const path = `${stage.payloads}/dga`;
  // With less than the processor that an instance has unless somebody says otherwise: this node is small.
  await stage.apply('dga-1.0', { model: 'dga', version: '1.0', instances: 0, path });
  const named = ['-zq', 'ignored:2181', '-n', 'dga', '-v', '1.0'];
  const add = ['-mo', 'ADD', ...named, '-m', '64', '-lmp', localPayload('1.0'), '-hmp', path];
  expect(await deploy(...add, '-ni', '1')).toMatchObject({ code: 0 });
  await stage.serves('dga-1.0', 1);
  expect(await deploy(...add)).toMatchObject({ code: 0, err: expect.stringContaining('has these files already') });
  await stage.serves('dga-1.0', 2);

  const listed = await deploy('-mo', 'LIST', '-n', 'dga');
  expect(listed).toEqual({ code: 0, err: '', out: await legacyList(stage.chroot.connect(), { name: 'dga' }) });
  expect(listed.out).toMatch(/^Model dga @ 1\.0\n(dga:1\.0 @ http:\/\/[\d.]+:\d+ serving:\n\tapply=apply\n){2}$/);

  expect(await deploy('-mo', 'REMOVE', ...named)).toMatchObject({ code: 0 });
  await stage.serves('dga-1.0', 1);
  expect(await deploy('-mo', 'REMOVE', ...named)).toMatchObject({ code: 0 });
  await eventually('nobody is registered', async () => (await deploy('-mo', 'LIST')).out === '', { withinMs: 60_000 });
}, 300_000);
