/** The samples in the runtime's image, on machines with and without IPv6: they listen at every address that there is. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { docker } from '../e2e/docker.ts';
import { until } from './agent-pod.ts';
import { present } from './world.ts';

const containers: string[] = [];
afterEach(async () => {
  if (containers.length > 0) await docker('rm', '--force', ...containers.splice(0));
});

/** Starts a sample in a network of its own, and gives the port of its endpoint.dat. */
async function start(name: string, ...options: string[]): Promise<{ container: string; port: number }> {
  const container = `maas-sample-${randomBytes(4).toString('hex')}`;
  containers.push(container);
  const network = ['--network', 'none', '--label', 'maas.dev/local=true'];
  const program = ['--entrypoint', 'sleep', present('images').runtime, 'infinity'];
  await docker('run', '--detach', '--init', '--name', container, ...network, ...options, ...program);
  await docker('cp', join(projectRoot, 'deploy/samples', name), `${container}:/tmp/model`);
  const inModel = ['exec', '--user', 'root', '--workdir', '/tmp/model'];
  await docker(...inModel, '--detach', container, 'bash', `${name}.sh`);
  let endpoint = '';
  await until(async () => {
    endpoint = await docker(...inModel, container, 'cat', 'endpoint.dat').catch(() => '');
    return endpoint.includes('}');
  }, 'the sample has written endpoint.dat');
  return { container, port: Number(/:([0-9]+)"/.exec(endpoint)?.[1]) };
}

const paths = { dga: '/apply?host=yahoo.com', echo: '/echo/foobar' } as const;
const answers = { dga: '"legit"', echo: 'foobar' } as const;

async function answersAt(container: string, host: string, port: number, name: 'dga' | 'echo'): Promise<void> {
  const url = `http://${host}:${port}${paths[name]}`;
  let answer = '';
  await until(async () => {
    answer = await docker('exec', container, 'curl', '-gs', '--max-time', '2', url).catch(() => '');
    return answer.includes(answers[name]);
  }, `${url} answers with ${answers[name]}`);
}

describe.each(['dga', 'echo'] as const)('the sample %s', (name) => {
  it('answers over IPv4 and IPv6', async () => {
    const { container, port } = await start(name, '--sysctl', 'net.ipv6.conf.all.disable_ipv6=0');
    await answersAt(container, '127.0.0.1', port, name);
    await answersAt(container, '[::1]', port, name);
    await answersAt(container, '127.0.0.1', port, name);
  });

  it('answers over IPv4 where no interface has IPv6', async () => {
    const { container, port } = await start(name, '--sysctl', 'net.ipv6.conf.all.disable_ipv6=1');
    await answersAt(container, '127.0.0.1', port, name);
  });
});

it('the sample dga answers on a kernel that has no IPv6 at all', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'no-ipv6-'));
  const profile = join(directory, 'seccomp.json');
  // socket(AF_INET6, ...) says what it says on such a kernel: EAFNOSUPPORT.
  const inet6 = { index: 0, value: 10, op: 'SCMP_CMP_EQ' };
  const refused = { names: ['socket'], action: 'SCMP_ACT_ERRNO', errnoRet: 97, args: [inet6] };
  writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [refused] }));
  try {
    const { container, port } = await start('dga', '--security-opt', `seccomp=${profile}`);
    await answersAt(container, '127.0.0.1', port, 'dga');
    expect(await docker('exec', container, 'cat', '/proc/net/tcp')).toContain(
      `00000000:${port.toString(16).toUpperCase().padStart(4, '0')}`,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
