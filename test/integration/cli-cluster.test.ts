/** add, list and remove against a real API server. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { projectRoot } from '../../deploy/local/cache.ts';
import { CliWorld } from './cli-process.ts';
import { present } from './world.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await CliWorld.open();
});
afterAll(async () => {
  await world.close();
});

const newModel = (model: string) => ['--name', model, '--version', '1.0', '--memory', '512', '--hdfs-model-path', 'p'];
const known = (model: string) => ['--name', model, '--version', '1.0'];

describe('one command after the other', () => {
  it('adds, adds to, lists, takes away and deletes', async () => {
    expect(await world.maas('add', ...newModel('dga'), '--instances', '2', '--env', 'A=1')).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 created with 2 instances\n',
      err: '',
    });
    expect(await world.spec('dga-1.0')).toMatchObject({
      instances: 2,
      memory: '512Mi',
      env: [{ name: 'A', value: '1' }],
    });
    expect((await world.maas('add', ...known('dga'), '--cpu', '2', '--env', 'A-')).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 scaled from 2 to 3 instances; cpu, env changed\n',
    );
    // What the user did not name is as it was, the server's defaults included.
    expect(await world.spec('dga-1.0')).toEqual({
      name: 'dga',
      version: '1.0',
      instances: 3,
      memory: '512Mi',
      cpu: '2',
      payload: { path: 'p' },
      env: [],
      startupTimeout: '10m',
      advertise: 'PodIP',
      drain: '5s',
      stopTimeout: '10s',
    });
    const listed = await world.maas('list', '--name', 'dga', '-o', 'json');
    expect(JSON.parse(listed.out)).toMatchObject({
      kind: 'ModelList',
      items: [{ namespace: world.namespace, resource: 'dga-1.0', model: 'dga', version: '1.0', desired: 3 }],
    });
    expect((await world.maas('list', '--name', 'dga')).out).toMatch(
      /^MODEL +VERSION +DESIRED +READY +REGISTERED +REASON +AGE\ndga +1\.0 +3 /,
    );
    expect((await world.maas('remove', ...known('dga'), '--instances', '1')).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 scaled from 3 to 2 instances\n',
    );
    expect((await world.maas('remove', ...known('dga'))).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 deleted with its 2 instances\n',
    );
    const again = await world.maas('remove', ...known('dga'));
    expect(again.code).toBe(3);
    expect(again.err).toContain('error[MODEL_NOT_FOUND]: dga 1.0 is not deployed');
  });

  it('lets the server check a dry run, whose manifest kubectl applies', async () => {
    const dry = await world.maas('add', ...newModel('dry'), '--dry-run');
    expect(dry).toMatchObject({
      code: 0,
      err: 'modeldeployment.maas.dev/dry-1.0 created with 1 instance (server dry run)\n',
    });
    expect(await world.names()).not.toContain('modeldeployment.maas.dev/dry-1.0');
    // The defaults show that it was on the server.
    expect(parse(dry.out)).toMatchObject({ kind: 'ModelDeployment', spec: { drain: '5s', version: '1.0' } });
    await world.kubectlWith({ input: dry.out }, 'apply', '-f', '-');
    expect(await world.spec('dry-1.0')).toMatchObject({ instances: 1 });
    expect((await world.maas('remove', ...known('dry'), '--dry-run')).code).toBe(0);
    expect(await world.names()).toContain('modeldeployment.maas.dev/dry-1.0');
  });

  it('acts on what a manifest deployed under another name', async () => {
    const manifest = {
      apiVersion: 'maas.dev/v1',
      kind: 'ModelDeployment',
      metadata: { name: 'own-name', namespace: world.namespace },
      spec: { name: 'manifest', version: '1.0', memory: '1Gi', payload: { path: '/models/m' } },
    };
    await world.kubectlWith({ input: stringify(manifest) }, 'apply', '-f', '-');
    expect((await world.maas('add', ...known('manifest'), '-o', 'name')).out).toBe(
      'modeldeployment.maas.dev/own-name\n',
    );
    expect(await world.spec('own-name')).toMatchObject({ instances: 2 });
    const other = await world.maas('add', ...known('manifest'), '--hdfs-model-path', '/models/x', '-o', 'json');
    expect(other.code).toBe(1);
    expect(JSON.parse(other.err.slice(other.err.indexOf('{')))).toMatchObject({
      error: { code: 'PAYLOAD_PATH_DIFFERS' },
    });
    await world.maas('remove', ...known('manifest'));
    expect(await world.names()).not.toContain('modeldeployment.maas.dev/own-name');
  });

  it('waits no longer than it is told to, and says that it does not serve', async () => {
    const late = await world.maas('add', ...newModel('late'), '--wait', '--timeout', '1500ms');
    expect(late.code).toBe(5);
    expect(late.out).toBe('modeldeployment.maas.dev/late-1.0 created with 1 instance\n');
    expect(late.err).toMatch(/^late 1\.0: .*\(\d+m?s\)\n[\s\S]*error\[TIMEOUT\]: .*late 1\.0.* 1s.*\nnext: .*\n$/);
    const removed = await world.maas('remove', ...known('late'), '--wait', '--timeout', '60s');
    expect(removed.code).toBe(0);
    expect(removed.err).toMatch(/late 1\.0: gone \(\d+m?s\)\n$/);
    expect(await world.names()).not.toContain('modeldeployment.maas.dev/late-1.0');
  });

  it('says what the server refuses', async () => {
    const refused = await world.maas('add', ...newModel('zookeeper'));
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('error[CLUSTER_REFUSED]');
    expect(refused.err).toContain('this name cannot be a znode');
  });
});

describe('at the same moment', () => {
  it('loses no instance, whoever comes first', async () => {
    const counts = [1, 2, 3, 4, 5, 6];
    // All of them find no model; one makes it and the others add to it.
    const added = await Promise.all(
      counts.map((count) => world.maas('add', ...newModel('busy'), '--instances', String(count))),
    );
    expect(added.map(({ code, err }) => ({ code, err }))).toEqual(counts.map(() => ({ code: 0, err: '' })));
    expect(await world.spec('busy-1.0')).toMatchObject({ instances: 21 });

    const steps = [
      ['add', '3'],
      ['remove', '2'],
      ['add', '1'],
      ['remove', '4'],
      ['remove', '5'],
      ['add', '6'],
    ] as const;
    const changed = await Promise.all(
      steps.map(([command, count]) => world.maas(command, ...known('busy'), '--instances', count)),
    );
    expect(changed.map(({ code }) => code)).toEqual(steps.map(() => 0));
    expect(await world.spec('busy-1.0')).toMatchObject({ instances: 20 });
  });

  it('deletes once, and says so to the others', async () => {
    await world.maas('add', ...newModel('once'));
    const codes = (await Promise.all([1, 2, 3].map(() => world.maas('remove', ...known('once'))))).map(
      ({ code }) => code,
    );
    expect(codes.filter((code) => code === 0).length).toBeGreaterThan(0);
    for (const code of codes) expect([0, 3]).toContain(code);
    expect(await world.names()).not.toContain('modeldeployment.maas.dev/once-1.0');
  });
});

describe('access', () => {
  it('is found by kubectl', async () => {
    const plugin = join(world.directory, 'kubectl-maas');
    const source = join(projectRoot, 'src/bin/kubectl-maas.ts');
    writeFileSync(plugin, `#!/bin/sh\nexec "${process.execPath}" "${source}" "$@"\n`);
    chmodSync(plugin, 0o755);
    const env = { PATH: `${world.directory}:${process.env['PATH'] ?? ''}` };
    const { out } = await world.kubectlWith({ env }, 'maas', 'version', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({
      client: expect.stringMatching(/^\d/),
      kubernetes: expect.stringMatching(/^v1/),
    });
  });

  it('has an exit code of its own when it is refused, or nobody answers', async () => {
    const { namespace } = world;
    await world.kubectl('create', 'serviceaccount', 'nobody', '-n', namespace);
    const token = (await world.kubectl('create', 'token', 'nobody', '-n', namespace)).trim();
    const config = parse(readFileSync(present('cluster').kubeconfig, 'utf8')) as {
      clusters: { cluster: { server: string } }[];
      users: { user: unknown }[];
    };
    const [user] = config.users;
    const [cluster] = config.clusters;
    if (user === undefined || cluster === undefined) throw new Error('the kubeconfig has no cluster or user');
    user.user = { token };
    const file = join(world.directory, 'nobody.yaml');
    writeFileSync(file, stringify(config));
    const refused = await world.maas('list', '--kubeconfig', file);
    expect(refused.code).toBe(4);
    expect(refused.err).toContain('error[CLUSTER_FORBIDDEN]');
    expect(refused.err).toContain('next: Ask for the permission to list modeldeployments');

    cluster.cluster.server = 'https://127.0.0.1:1';
    writeFileSync(file, stringify(config));
    const unreachable = await world.maas('list', '--kubeconfig', file);
    expect(unreachable.code).toBe(4);
    expect(unreachable.err).toContain('error[CLUSTER_UNREACHABLE]');
  });
});
