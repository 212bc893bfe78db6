/**
 * The old deploy client's command line, as scripts call it: through the script of the release, against real ZooKeeper,
 * Kubernetes and HDFS; LIST beside the Java client.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import type { Hdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { encodeRegistration } from '../../src/wire/service-instance.ts';
import { aRegistration } from '../builders/registration.ts';
import { Chroot } from './chroot.ts';
import { CliWorld, ended, type Ran } from './cli-process.ts';
import { openRealHdfs } from './hdfs-world.ts';
import { legacyList } from './java.ts';
import { present } from './world.ts';

let world: CliWorld;
let hdfs: Hdfs;
/** In HDFS, absolute. */
let root: string;
/** Where a release was unpacked. */
let release: string;

beforeAll(async () => {
  world = await CliWorld.open();
  await world.publishSettings(`${world.namespace}/models`);
  hdfs = openRealHdfs();
  root = `/user/${present('hdfs').user}/${world.namespace}`;
  release = join(world.directory, 'release with spaces');
  mkdirSync(release);
  for (const script of ['maas_deploy.sh', 'maas_service.sh']) {
    copyFileSync(join(projectRoot, 'deploy/legacy', script), join(release, script));
  }
  const program = join(projectRoot, 'src/bin/kubectl-maas.ts');
  const executable = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`;
  writeFileSync(join(release, 'kubectl-maas'), executable, { mode: 0o755 });
});
afterAll(async () => {
  await hdfs.delete(root, { recursive: true });
  await world.close();
});

function deploy(...args: string[]): Promise<Ran> {
  const env = {
    ...process.env,
    KUBECONFIG: present('cluster').kubeconfig,
    MAAS_NAMESPACE: world.namespace,
    MAAS_OPERATOR_NAMESPACE: world.namespace,
    NO_COLOR: '1',
  };
  return ended(spawn(join(release, 'maas_deploy.sh'), args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** A directory as scripts upload it. */
function payload(name: string, files: Record<string, string>): string {
  const directory = join(world.directory, name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'lib'), { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(directory, file), content);
  return directory;
}

const files = { 'run.sh': '#!/bin/sh\nsleep 1\n', 'model.bin': 'weights', 'endpoint.dat': 'stale', 'lib/x.py': 'x' };
const inHdfs = async (path: string) =>
  (await hdfs.list(path)).map(({ name, fileId }) => ({ name, fileId })).filter(({ name }) => !name.startsWith('.'));
async function text(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await hdfs.read(path)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

describe('ADD and REMOVE', () => {
  it('upload, deploy, scale by saying it again, and take away', async () => {
    const directory = payload('dga', files);
    const target = `${world.namespace}/dga`;
    const line = ['-lmp', directory, '-hmp', target, '-m', '512', '-mo', 'ADD', '-n', 'dga', '-v', '1.0', '-ni', '2'];
    const first = await deploy(...line, '-zk', 'nowhere.invalid:2181');
    expect(first).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 created with 2 instances\n',
      err: expect.stringMatching(/only the files directly in .*, not lib\/\nuploaded 2 files, 25 B to .*\/dga\n$/),
    });
    expect(await world.spec('dga-1.0')).toMatchObject({
      name: 'dga',
      version: '1.0',
      instances: 2,
      memory: '512Mi',
      payload: { path: target },
    });
    const sent = await inHdfs(`${root}/dga`);
    expect(sent.map(({ name }) => name)).toEqual(['model.bin', 'run.sh']);

    const again = await deploy(...line);
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining('has these files already') });
    expect(await world.spec('dga-1.0')).toMatchObject({ instances: 4 });
    expect(await inHdfs(`${root}/dga`)).toEqual(sent);

    expect(await deploy('-mo', 'REMOVE', '-n', 'dga', '-v', '1.0', '-ni', '3', '-m', '512')).toMatchObject({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 scaled from 4 to 1 instance\n',
    });
    expect((await deploy('-mo', 'REMOVE', '-n', 'dga', '-v', '1.0')).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 deleted with its 1 instance\n',
    );
    expect(await world.names()).not.toContain('modeldeployment.maas.dev/dga-1.0');
  });

  it('put a new version over the same path, and replace only what differs', async () => {
    const target = `${root}/shared`;
    const line = ['-hmp', target, '-m', '512', '-mo', 'ADD', '-n', 'shared'];
    await deploy(...line, '-v', '1.0', '-lmp', payload('shared', files));
    const before = await inHdfs(target);
    const second = await deploy(
      ...line,
      '-v',
      '2.0',
      '-lmp',
      payload('shared', { ...files, 'run.sh': '#!/bin/sh\nsleep 2\n' }),
    );
    expect(second).toMatchObject({
      code: 0,
      out: 'modeldeployment.maas.dev/shared-2.0 created with 1 instance\n',
      // No operator is here that would have copied it.
      err: expect.stringContaining('note: shared 1.0 is deployed from the same path and not copied from there yet'),
    });
    expect(await text(`${target}/run.sh`)).toBe('#!/bin/sh\nsleep 2\n');
    const after = await inHdfs(target);
    const differing = after.filter(({ fileId }) => !before.some((file) => file.fileId === fileId));
    expect(differing.map(({ name }) => name)).toEqual(['run.sh']);
    expect((await hdfs.list(target)).map(({ name }) => name)).toEqual(['model.bin', 'run.sh']);
  });

  it('made by many scripts at once are each counted, and leave one whole payload', async () => {
    const directory = payload('many', files);
    const line = ['-lmp', directory, '-hmp', `${root}/many`, '-m', '512', '-mo', 'ADD', '-n', 'many', '-v', '1'];
    const all = await Promise.all(Array.from({ length: 4 }, () => deploy(...line)));
    expect(all.map(({ code, err }) => [code, err.includes('error')])).toEqual(Array(4).fill([0, false]));
    expect(await world.spec('many-1')).toMatchObject({ instances: 4 });
    expect((await inHdfs(`${root}/many`)).map(({ name }) => name)).toEqual(['model.bin', 'run.sh']);
    expect((await hdfs.list(root)).filter(({ name }) => name.startsWith('.staging'))).toEqual([]);
  });

  it('do nothing at all for what the original accepted and lost', async () => {
    const line = ['-mo', 'ADD', '-v', '1.0', '-m', '512', '-hmp', `${root}/lost`];
    const wrong = await deploy(...line, '-n', 'lost', '-lmp', join(world.directory, 'no-such'));
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('error[LOCAL_PATH_INVALID]')]);
    const empty = await deploy(...line, '-n', '', '-lmp', payload('lost', files));
    expect([empty.code, empty.err]).toEqual([2, expect.stringContaining('error[USAGE]: -n: ""')]);
    expect(await hdfs.status(`${root}/lost`)).toBeUndefined();
    expect(await world.names()).not.toContain('modeldeployment.maas.dev/lost-1.0');
  });
});

describe('LIST', () => {
  it('prints byte for byte what the original prints, all of it and narrowed', async () => {
    await using chroot = await Chroot.make();
    const registrations = [
      aRegistration({ id: '3', url: 'http://node7.example:22201' }),
      aRegistration({ id: '2', url: 'http://node10.example:9', functions: { zeta: 'v2/z', apply: 'apply', 10: 'a' } }),
      aRegistration({ id: '4', version: '0.10', url: 'http://node1.example:1' }),
      aRegistration({ id: '5', version: '0.9', url: 'http://node1.example:2' }),
      aRegistration({ id: '6', model: 'echo-ü 日', url: 'http://node1.example:3', functions: {} }),
      aRegistration({ id: '7', model: 'Echo', version: '1.0 beta', url: 'https://node1.example/base/' }),
    ];
    for (const registration of registrations) await chroot.register(registration);
    const both = async (only: { name?: string; version?: string }) => {
      const narrowed = [
        ...(only.name === undefined ? [] : ['-n', only.name]),
        ...(only.version === undefined ? [] : ['--version', only.version]),
      ];
      const ours = await deploy('-mo', 'LIST', '-zk', chroot.connect(), ...narrowed);
      expect(ours).toMatchObject({ code: 0, err: '' });
      return { ours: ours.out, theirs: await legacyList(chroot.connect(), only) };
    };
    const all = await both({});
    expect(all.ours).toBe(all.theirs);
    expect(all.ours).toContain('Model dga @ 1.0\ndga:1.0 @ http://node10.example:9 serving:\n\t');
    for (const only of [{ name: 'dga' }, { version: '1.0' }, { name: 'dga', version: '0.9' }, { name: 'none' }]) {
      const narrowed = await both(only);
      expect(narrowed.ours).toBe(narrowed.theirs);
    }
  });

  it('reads the configuration node that -zr names', async () => {
    await using chroot = await Chroot.make();
    await chroot.nodes.create(`${chroot.path}/my/config`, '{"serviceRoot":"/elsewhere"}');
    await chroot.nodes.create(`${chroot.path}/elsewhere/dga/1`, encodeRegistration(aRegistration()));
    expect((await deploy('-mo', 'LIST', '-zq', chroot.connect())).out).toBe('');
    expect((await deploy('-mo', 'LIST', '-zq', chroot.connect(), '-zr', '/my/config')).out).toBe(
      'Model dga @ 1.0\ndga:1.0 @ http://127.0.0.1:1 serving:\n\tapply=apply\n',
    );
  });
});

describe('maas_service.sh', () => {
  it('prints an installation that the chart takes, and with --apply has Helm do it', async () => {
    const env = {
      ...process.env,
      HADOOP_CONF_DIR: world.directory,
      MAAS_CHART: join(projectRoot, 'charts/maas-operator'),
    };
    const core = '<property><name>fs.defaultFS</name><value>hdfs://nn1.example:8020</value></property>';
    writeFileSync(join(world.directory, 'core-site.xml'), core);
    const line = '-zq zk1:2181 -zr /metron/maas/config -q analytics -nle !spot -e A=b -ma * -mm 512 -mc 1 -t 1';
    const args = ['-va', 'a,b c', ...line.split(' ')];
    const started = spawn(join(release, 'maas_service.sh'), args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = await ended(started);
    expect([printed.code, printed.err]).toEqual([0, '']);
    const helm = present('tools').helm;
    const rendering = join(world.directory, 'helm');
    // Installing would take the cluster's CRD away from whoever else uses it.
    const script = `#!/bin/sh\nshift 2\nexec '${helm}' template "$@"\n`;
    writeFileSync(rendering, script, { mode: 0o755 });
    const shell = spawn('sh', [], {
      env: { ...process.env, PATH: `${world.directory}:${process.env['PATH']}` },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    shell.stdin.end(printed.out);
    const rendered = await ended(shell);
    expect([rendered.code, rendered.err]).toEqual([0, '']);
    const parts = [
      '"queue": "analytics"',
      '"nodeLabelExpression": "!spot"',
      '"A": "b"',
      'name: maas-operator-acl-view',
      'http://nn1.example:9870',
    ];
    for (const part of parts) expect(rendered.out).toContain(part);

    const applying = { ...env, HELM: rendering };
    const applied = await ended(
      spawn(join(release, 'maas_service.sh'), [...args, '--apply'], {
        env: applying,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    expect(applied).toEqual(rendered);
    const refused = await ended(
      spawn(join(release, 'maas_service.sh'), ['-zq', 'z:1', '--values', '/no/such', '--apply'], {
        env: applying,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('error[HELM_FAILED]')]);
  });
});
