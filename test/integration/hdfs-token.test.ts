/** An HDFS that wants a delegation token gets it from the operator and from the commands, and nothing works without. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { FakeWebHdfs, remote } from '../builders/fake-webhdfs.ts';
import { CliWorld, ended, type Ran } from './cli-process.ts';
import { present, zookeeper } from './world.ts';

const token = 'HAAEbWFhcwRtYWFzAIoBi-token_of-maas';
let directory: string;
let fake: FakeWebHdfs;
let world: CliWorld;
beforeAll(async () => {
  world = await CliWorld.open();
});
afterAll(() => world.close());
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'maas-token-'));
  writeFileSync(join(directory, 'token'), `${token}\n`);
  fake = await FakeWebHdfs.start();
  fake.makeDirectories('/user/null');
  fake.intercept = ({ node, parameters }, response) => {
    const known = parameters.get('delegation') === token && parameters.get('user.name') === null;
    if (!node.startsWith('nn') || known) return false;
    remote(response, 401, 'SecurityException', 'Failed to obtain user group information');
    return true;
  };
});
afterEach(async () => {
  await fake.stop();
  rmSync(directory, { recursive: true });
});

function ran(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [join(projectRoot, 'src/bin', program), ...args], {
    env: { ...process.env, KUBECONFIG: present('cluster').kubeconfig, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return ended(child);
}

describe('the operator', () => {
  function check(...args: string[]): Promise<Ran> {
    const settings = {
      zookeeper: { quorum: zookeeper().quorum },
      hdfs: fake.settings,
      agent: { image: 'x' },
      model: { image: 'y' },
    };
    writeFileSync(join(directory, 'settings.json'), JSON.stringify(settings));
    return ran('operator.ts', ['check', '--settings', join(directory, 'settings.json'), ...args]);
  }

  it('brings the token that is mounted', async () => {
    const { code, out } = await check('--hdfs-token', join(directory, 'token'));
    expect(out).toMatch(/^ok {4}HDFS fake: answers the user of the token/m);
    expect(out).toMatch(/^ok {4}payload store fake: /m);
    expect(out).not.toContain(token);
    expect(code).toBe(0);
  });

  it('says so where there is none, or one that HDFS does not take', async () => {
    const without = await check('--hdfs-token', join(directory, 'no-such'));
    expect([without.code, without.out]).toEqual([1, expect.stringMatching(/^FAIL {2}HDFS fake: .*\[HDFS_UNAUTH/m)]);
    writeFileSync(join(directory, 'other'), 'another');
    const wrong = await check('--hdfs-token', join(directory, 'other'));
    expect([wrong.code, wrong.out]).toEqual([1, expect.stringMatching(/^FAIL {2}HDFS fake: .*\[HDFS_UNAUTH/m)]);
    expect(wrong.out).not.toContain('another');
  });
});

describe('kubectl maas', () => {
  async function add(env: Record<string, string>): Promise<Ran> {
    await world.kubectl('delete', 'configmap', 'maas-operator-settings', '-n', world.namespace, '--ignore-not-found');
    await world.publishSettings('/models', { hdfs: fake.settings });
    const payload = join(directory, 'payload');
    mkdirSync(payload, { recursive: true });
    writeFileSync(join(payload, 'run.sh'), 'echo');
    const options = ['--name', 'dga', '--version', '1.0', '--memory', '64', '--local-model-path', payload];
    const where = ['--namespace', world.namespace, '--operator-namespace', world.namespace];
    return ran('kubectl-maas.ts', ['add', ...options, ...where], env);
  }

  it('uploads with the token of its user', async () => {
    const { code, err } = await add({ MAAS_HDFS_TOKEN_FILE: join(directory, 'token') });
    expect([code, err]).toEqual([0, expect.stringContaining('uploaded 1 file')]);
    expect(err).not.toContain(token);
    expect(fake.below('/models')).toContain('/models/dga/1.0/run.sh');
  });

  it('says so where the file is missing', async () => {
    const { code, err } = await add({ MAAS_HDFS_TOKEN_FILE: join(directory, 'no-such') });
    expect([code, err]).toEqual([expect.any(Number), expect.stringContaining('error[HDFS_UNAUTHENTICATED]')]);
    expect(code).not.toBe(0);
    expect(err).toContain('which MAAS_HDFS_TOKEN_FILE names, does not exist');
  });
});
