/** The life of a model that works: start, calls as Stellar makes them, scaling, switching, going; and what must not happen. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diagnose } from '../../src/wire/service-instance.ts';
import { applyModel, Followers, Load } from '../integration/java.ts';
import { cleanUp } from './clean-up.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
let followers: Followers;
beforeAll(async () => {
  stage = await Stage.open('life');
  followers = await Followers.start(stage.chroot.connect());
});
afterAll(async () => {
  await cleanUp(
    () => followers?.[Symbol.asyncDispose](),
    () => stage?.[Symbol.asyncDispose](),
  );
});

/** What Stellar clients know of a model. */
async function known(model: string) {
  return (await followers.knows(stage.chroot.connect())).filter((endpoint) => endpoint.model === model);
}

async function deploy(name: string, options: { instances?: number; spec?: Record<string, unknown> } = {}) {
  await stage.payload(name, pythonModel('1.0'));
  await stage.apply(name, options);
  return stage.serves(name, options.instances ?? 1);
}

describe.concurrent('a model', () => {
  it('is registered byte for byte as clients expect, by an ephemeral node, and called by an unmodified client', async () => {
    await deploy('bytes');
    const [id = ''] = await stage.registered('bytes');
    const node = await stage.chroot.nodes.get(`${stage.chroot.serviceRoot()}/bytes/${id}`);
    const text = node?.data.toString() ?? '';
    const seen = diagnose(node?.data ?? Buffer.alloc(0), 'bytes', id);
    if (seen.verdict !== 'readable') throw new Error(`clients cannot read it: ${text}`);
    const url = seen.seen.url ?? '';
    const { hostname, port } = new URL(url);
    expect(text).toBe(
      `{"name":"bytes","id":"${id}","address":"${hostname}","port":${port},"sslPort":null,"payload":{"@class":"org.apache.metron.maas.config.ModelEndpoint","endpoint":{"url":"${url}","functions":{"apply":"apply"}},"name":"bytes","version":"1.0","containerId":"${id}"},"registrationTimeUTC":${seen.seen.registeredAt},"serviceType":"STATIC","uriSpec":null}`,
    );
    expect(node?.owner).not.toBe('0');
    const pod = (await stage.pods()).find((candidate) => candidate.name.startsWith('bytes-'));
    expect(id).toBe(`${pod?.name}-${pod?.uid}`);
    expect(await applyModel(stage.chroot.connect(), { model: 'bytes', args: { host: 'x' } })).toMatchObject({
      event: 'answer',
      answer: { version: '1.0' },
    });
  });

  it('scales up and down, and clients see it', async () => {
    await deploy('scales');
    await stage.k('scale', 'mdl', 'scales', '--replicas=3');
    await stage.serves('scales', 3);
    expect(await known('scales')).toHaveLength(3);
    await stage.k('scale', 'mdl', 'scales', '--replicas=1');
    await stage.serves('scales', 1);
    await eventually('clients see one', async () => (await known('scales')).length === 1);
    await stage.k('scale', 'mdl', 'scales', '--replicas=0');
    expect(await stage.reasonIs('scales', 'ScaledToZero')).toContain('no instances');
    expect(await stage.registered('scales')).toEqual([]);
  });

  it('switches its version without a moment in which nobody answers', async () => {
    await deploy('switches', { instances: 2 });
    await using load = await Load.start(stage.chroot.connect(), {
      model: 'switches',
      threads: 4,
      forMs: 120_000,
      pauseMs: 5,
      args: { a: 'b' },
    });
    await stage.payload('switches-2', pythonModel('2.0'));
    await stage.apply('switches', { instances: 2, version: '2.0', path: `${stage.payloads}/switches-2` });
    const shown = await stage.serves('switches', 2);
    expect(shown.status.serving).toBe('2.0');
    await eventually('only the new version is registered', async () =>
      (await known('switches')).every((endpoint) => endpoint.version === '2.0'),
    );
    const sum = await load.stop();
    expect(sum.answered).toBeGreaterThan(100);
    expect([sum.failed, sum.kinds]).toEqual([0, {}]);
  });

  it('keeps the old version when the new one cannot come up, and goes back to it without a restart', async () => {
    await deploy('returns');
    const before = await stage.pods();
    await stage.apply('returns', { version: '2.0', path: `${stage.payloads}/returns-missing` });
    expect(await stage.reasonIs('returns', 'HdfsPathMissing')).toContain('version 1.0 is kept');
    expect(await known('returns')).toMatchObject([{ version: '1.0' }]);
    await stage.apply('returns', { version: '1.0' });
    await stage.serves('returns', 1);
    const mine = (pods: typeof before) => pods.filter((pod) => pod.name.startsWith('returns-'));
    expect(mine(await stage.pods())).toEqual(mine(before));
  });

  it('is gone for clients within five seconds when its process dies, and comes back', async () => {
    await deploy('dies');
    const [first] = await stage.registered('dies');
    const [pod] = (await stage.pods()).filter((candidate) => candidate.name.startsWith('dies-'));
    const killedAt = Date.now();
    await stage.k('exec', pod?.name ?? '', '-c', 'model', '--', 'sh', '-c', 'kill -9 $(pgrep -f [s]erver.py)');
    const gone = await followers.sees('vanished', first ?? '', { connect: stage.chroot.connect() });
    expect(gone.at - killedAt).toBeLessThan(6_000);
    await stage.serves('dies', 1);
  });

  it('is reached on the network of the node from outside of the pod network', async () => {
    await stage.payload('node', pythonModel('1.0'));
    await stage.k(
      'label',
      'namespace',
      stage.namespace,
      'pod-security.kubernetes.io/enforce=privileged',
      '--overwrite',
    );
    await stage.apply('node', { instances: 2, spec: { advertise: 'Node' } });
    await stage.serves('node', 2);
    const seen = await known('node');
    expect(new Set(seen.map((endpoint) => endpoint.url)).size).toBe(2);
    expect(await applyModel(stage.chroot.connect(), { model: 'node', args: { a: 'b' } })).toMatchObject({
      answer: { version: '1.0' },
    });
  });

  it('gets no token of Kubernetes, and no file of the agent', async () => {
    await deploy('confined');
    const [pod] = (await stage.pods()).filter((candidate) => candidate.name.startsWith('confined-'));
    const inModel = (command: string) => stage.k('exec', pod?.name ?? '', '-c', 'model', '--', 'sh', '-c', command);
    expect(await inModel('ls /var/run/secrets/kubernetes.io 2>&1 || true')).toContain('No such file');
    expect(await inModel('ls /maas')).toBe('control\npayload\n');
    expect(await inModel('touch /maas/control/x 2>&1 || true')).toMatch(/Read-only file system|Permission denied/);
    expect(await inModel('id -u; echo $HOME')).toBe('10001\n/maas/payload\n');
  });
});

/** Deletes pods of a model one after the other while clients call it. Gives what the clients say. */
async function deleteUnderLoad(name: string, deletions: number) {
  const own = async () => (await stage.pods()).filter((pod) => pod.name.startsWith(`${name}-`));
  await using load = await Load.start(stage.chroot.connect(), {
    model: name,
    threads: 4,
    forMs: 280_000,
    pauseMs: 10,
    args: { a: 'b' },
  });
  for (let round = 0; round < deletions; round++) {
    const [oldest] = await own();
    await stage.k('delete', 'pod', oldest?.name ?? '', '--wait=false');
    await eventually('two other pods serve', async () => {
      const now = await own();
      const others = now.every((candidate) => candidate.ready && candidate.name !== oldest?.name);
      return now.length === 2 && others && (await stage.registered(name)).length === 2;
    });
  }
  return load.stop();
}

describe('a model under load', () => {
  it('loses no call when its pods are deleted one after the other, twenty times', async () => {
    await deploy('deleted', { instances: 2 });
    const sum = await deleteUnderLoad('deleted', 20);
    expect(sum.answered).toBeGreaterThan(500);
    expect([sum.failed, sum.kinds]).toEqual([0, {}]);
  }, 300_000);

  it('loses calls as soon as the hooks are taken out, so they are what holds the promise', async () => {
    await deploy('unhooked', { instances: 2, spec: { drain: '2s' } });
    // The operator would put them back.
    await stage.kubectl('scale', 'deployment', '--all', '--replicas=0', '-n', stage.operatorNamespace);
    try {
      const deployment =
        (await stage.k('get', 'deployment', '-o', 'name')).split('\n').find((line) => line.includes('/unhooked-')) ??
        '';
      const hooks = ['/spec/template/spec/containers/0/lifecycle', '/spec/template/spec/initContainers/0/lifecycle'];
      const patch = JSON.stringify(hooks.map((path) => ({ op: 'remove', path })));
      await stage.k('patch', deployment, '--type=json', `--patch=${patch}`);
      await stage.k('rollout', 'status', deployment, '--timeout=60s');
      await eventually('only the new pods are there', async () => (await stage.registered('unhooked')).length === 2);
      const sum = await deleteUnderLoad('unhooked', 8);
      expect(sum.failed).toBeGreaterThan(0);
    } finally {
      await stage.kubectl('scale', 'deployment', '--all', '--replicas=1', '-n', stage.operatorNamespace);
    }
  }, 300_000);
});
