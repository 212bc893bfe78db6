/**
 * The walk-through of docs/migration.md, command by command: from an original that serves two models to one of them here
 * and back. No call of its clients fails on either way; only when the original starts anew in between, and wipes what is
 * registered, there is a moment in which they see nobody.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { hostAddress } from '../../deploy/local/network.ts';
import { ended } from '../integration/cli-process.ts';
import { applyModel, enqueue, Load, legacyList } from '../integration/java.ts';
import { Original } from '../integration/original.ts';
import { present } from '../integration/world.ts';
import { cleanUp } from './clean-up.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
let connect: string;
let original: Original;
beforeAll(async () => {
  stage = await Stage.open('move');
  connect = stage.chroot.connect();
  await configure('/metron/maas/config', '/maas/queue');
  original = await startOriginal('/metron/maas/config');
});
afterAll(async () => {
  await cleanUp(
    () => original?.[Symbol.asyncDispose](),
    () => stage?.[Symbol.asyncDispose](),
  );
});

function startOriginal(configPath: string): Promise<Original> {
  return Original.start(stage.chroot, hostAddress(present('engine').subnet, 1), configPath);
}

/** What the walk-through does with zkCli: which queue those use who read this configuration node. */
async function configure(configPath: string, queue: string): Promise<void> {
  const path = `${stage.chroot.path}${configPath}`;
  const data = `{"queue":"ZOOKEEPER","queueConfig":{"zk_path":"${queue}"},"serviceRoot":"/maas/service"}`;
  if ((await stage.chroot.nodes.get(path)) === undefined) await stage.chroot.nodes.create(path, data);
  else await stage.chroot.nodes.set(path, data);
}

/** `kubectl maas ...` as its user runs it. Fails unless the command succeeds; gives what it prints. */
async function maas(...args: string[]): Promise<string> {
  const program = join(projectRoot, 'src/bin/kubectl-maas.ts');
  const where = ['--namespace', stage.namespace, '--operator-namespace', stage.operatorNamespace];
  const env = { ...process.env, KUBECONFIG: present('cluster').kubeconfig, NO_COLOR: '1' };
  const { code, out, err } = await ended(spawn(process.execPath, [program, ...args, ...where], { env }));
  if (process.env['MAAS_TRANSCRIPT'] !== undefined) console.log(`$ kubectl maas ${args.join(' ')}\n${err}${out}`);
  if (code !== 0) throw new Error(`kubectl maas ${args.join(' ')}: ${code}\n${out}${err}`);
  return out;
}

/** How many registrations of a version clients see, by the old LIST. */
async function listed(model: string, version: string): Promise<number> {
  const lines = (await legacyList(connect, { name: model })).split('\n');
  return lines.filter((line) => line.startsWith(`${model}:${version} @ `)).length;
}

async function listedIs(model: string, count: number): Promise<void> {
  await eventually(`${count} of ${model} are listed`, async () => (await listed(model, '1.0')) === count);
}

const legacy = (models: readonly string[]) => ({
  legacy: { queue: { enabled: true, namespace: stage.namespace, models, forwardTo: '/maas/queue' } },
});

it('moves a model here and back while its clients go on', async () => {
  // What is there: two models of the original, and scripts that deploy them.
  const path = await stage.payload('dga', pythonModel('1.0'));
  await enqueue(connect, { mode: 'ADD', name: 'dga', version: '1.0', instances: 2, memory: 96, path });
  await enqueue(connect, { mode: 'ADD', name: 'geo', version: '1.0', instances: 1, memory: 96, path });
  await listedIs('dga', 2);
  await listedIs('geo', 1);
  const clients = { model: 'dga', threads: 2, forMs: 240_000, pauseMs: 20, args: { host: 'x' } };
  await using there = await Load.start(connect, clients);

  // 1. Is it well? 2. The operator is there, and only looks after what it is told to.
  const report = JSON.parse(await maas('doctor', '-o', 'json')) as { errors: number };
  expect(report.errors).toBe(0);
  await maas('mode', 'shadow');
  expect(await maas('status')).toMatch(/^dga +1\.0 .* 2 +Foreign\ngeo +1\.0 .* 1 +Foreign$/m);

  // 3. What runs there, as a manifest. This machine is small, so an instance gets less of it than usual.
  const manifest = await maas('import', '--name', 'dga', '--memory', '96', '--payload-path', path);
  expect(manifest).not.toContain('To be filled in');
  await stage.kubectlIn(`${manifest}  cpu: 20m\n`, 'apply', '-f', '-');
  await stage.reasonIs('dga-1.0', 'Shadow', 90_000);
  expect(await listed('dga', '1.0')).toBe(2);

  // 4. Clients have it, 5. and then not the original's any more.
  await maas('mode', '--model', 'dga', 'active');
  await listedIs('dga', 4);
  await maas('status', '--name', 'dga');
  await enqueue(connect, { mode: 'REMOVE', name: 'dga', version: '1.0', instances: 2 });
  await listedIs('dga', 2);
  expect(await applyModel(connect, { model: 'dga', args: { host: 'x' } })).toMatchObject({
    answer: { version: '1.0' },
  });

  // 6. The scripts' requests: those for dga are ours now, the others go on to the original, which notices nothing.
  await configure('/metron/maas/config-yarn', '/maas/queue');
  await configure('/metron/maas/config', '/maas/queue-kubernetes');
  await stage.install(legacy(['dga']));
  await enqueue(connect, { mode: 'ADD', name: 'dga', version: '1.0', instances: 1, memory: 96, path });
  await enqueue(connect, { mode: 'ADD', name: 'geo', version: '1.0', instances: 1, memory: 96, path });
  await listedIs('dga', 3);
  await listedIs('geo', 2);
  await stage.serves('dga-1.0', 3);

  await allAnswered(there);

  // The original starts anew, and wipes what everybody has registered.
  await original?.[Symbol.asyncDispose]();
  original = await startOriginal('/metron/maas/config-yarn');
  await eventually('ours are back', async () => (await listed('dga', '1.0')) === 3, { withinMs: 5_000 });

  // And back: requests go to the original again, it starts its own, and ours leave.
  await using back = await Load.start(connect, clients);
  await stage.install(legacy([]));
  await enqueue(connect, { mode: 'ADD', name: 'dga', version: '1.0', instances: 2, memory: 96, path });
  await listedIs('dga', 5);
  await maas('mode', '--model', 'dga', 'drain');
  await listedIs('dga', 2);
  await maas('remove', '--name', 'dga', '--version', '1.0', '--wait');
  expect(await listed('dga', '1.0')).toBe(2);

  await allAnswered(back);
}, 300_000);

async function allAnswered(load: Load): Promise<void> {
  const { answered, failed, kinds } = await load.stop();
  expect(answered).toBeGreaterThan(500);
  expect([failed, kinds]).toEqual([0, {}]);
}
