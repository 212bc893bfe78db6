/** The agent's process against a real ZooKeeper and a real HDFS, with real sockets. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { ZooKeeper } from '../../src/adapters/zookeeper/zookeeper.ts';
import { hasCode } from '../../src/contracts/errors.ts';
import { hdfsSettings } from '../../src/contracts/hadoop-side.ts';
import { control, endpointFile, packedPayloadFile, startedFile } from '../../src/contracts/pod-contract.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { resolvePayload } from '../../src/payload/resolve.ts';
import { diagnose } from '../../src/wire/service-instance.ts';
import { AgentPod, type AgentPodOptions, hidden, nodeIp, oneAtATime, until } from './agent-pod.ts';
import { CuttableLink } from './cuttable-link.ts';
import { present, zookeeper } from './world.ts';

const chroot = `/agent-test-${process.pid}-${Date.now()}`;
const sessionMs = 4_000;
/** A server looks for expired sessions once a tick. */
const tickMs = 2_000;

let tree: ZooKeeper;
const pods: AgentPod[] = [];
const links: CuttableLink[] = [];

const client = (resume?: { id: string; password: string; timeoutMs: number }, address = zookeeper().quorum) =>
  new ZooKeeper({
    quorum: `${address}${chroot}`,
    sessionTimeoutMs: sessionMs,
    resume,
    clock: systemClock,
    log: silentLog,
  });

beforeAll(async () => {
  tree = client();
  await tree.connected(10_000);
  await tree.ensurePath('/');
});
afterEach(async () => {
  for (const pod of pods.splice(0)) await pod[Symbol.asyncDispose]();
  for (const link of links.splice(0)) await link[Symbol.asyncDispose]();
});
afterAll(async () => {
  await removeTree('/');
  await tree.close();
});

async function removeTree(path: string): Promise<void> {
  for (const child of (await tree.children(path)) ?? []) await removeTree(`${path === '/' ? '' : path}/${child}`);
  // Agents may put theirs back meanwhile.
  await tree.delete(path).catch((error: unknown) => {
    if (!hasCode(error, 'ZOOKEEPER_CONFLICT')) throw error;
  });
}

function pod(options: Partial<AgentPodOptions> = {}): AgentPod {
  // A model of its own for each test: they share the tree.
  const made = new AgentPod({
    quorum: `${zookeeper().quorum}${chroot}`,
    model: `m${pods.length}${Date.now()}`,
    ...options,
  });
  pods.push(made);
  return made;
}

async function serving(options: Partial<AgentPodOptions> = {}): Promise<AgentPod> {
  const made = pod(options).startAgent();
  await made.startModel();
  await made.becomes('Registered');
  return made;
}

const exists = async (path: string) => (await tree.exists(path)) !== undefined;
const ownerOf = async (path: string) => (await tree.get(path))?.stat.ephemeralOwner;

describe('a life', () => {
  it('goes from an empty pod to a registration that clients can read, and orderly away', async () => {
    const made = pod().startAgent();
    writeFileSync(made.file('payload', endpointFile), '{"url": "http://0.0.0.0:1"}');
    const port = await made.startModel();
    const visible = await until(() => exists(made.registrationPath), 'it is registered');
    expect(visible).toBeLessThan(2_000);
    const node = await tree.get(made.registrationPath);
    expect(diagnose(node?.data ?? Buffer.alloc(0), made.model, made.id)).toMatchObject({
      verdict: 'readable',
      reasons: [],
      seen: { model: made.model, version: '1.0', url: `http://${nodeIp}:${port}`, functions: { apply: 'apply' } },
    });
    expect(await ownerOf(made.markerPath)).toBe(node?.stat.ephemeralOwner);
    expect((await tree.get(made.markerPath))?.data.toString()).toBe(
      JSON.stringify({ pod: `fraud/${made.name}`, model: made.model, digest: 'sha256:0' }),
    );
    await until(() => made.isReady(), 'it is ready');
    expect(existsSync(made.file('control', control.ready))).toBe(true);

    writeFileSync(made.file('control', control.stop), '');
    await until(() => existsSync(made.file('control', control.stopped)), 'it said stopped');
    expect(await exists(made.registrationPath)).toBe(false);
    expect(await exists(made.markerPath)).toBe(false);
    expect(readFileSync(made.file('control', control.stopped), 'utf8')).toBe('');
    // The model serves on while it drains, and is not registered again.
    await made.becomes('Unregistered');
    expect(await made.killAgent('SIGTERM')).toBe(0);
    expect(await exists(made.registrationPath)).toBe(false);
  });

  it('is unregistered by SIGTERM alone', async () => {
    const made = await serving();
    expect(await made.killAgent('SIGTERM')).toBe(0);
    expect(await exists(made.registrationPath)).toBe(false);
    expect(existsSync(made.file('control', control.stopped))).toBe(true);
  });

  it('copies its payload from HDFS before the gate opens', async () => {
    const hdfs = present('hdfs');
    const webhdfs = hdfs.namenodes.map((node) => node.webhdfs);
    const settings = hdfsSettings.parse({ nameservices: { local: { webhdfs } }, user: hdfs.user });
    const files = openHdfs(settings, 'local', { clock: systemClock });
    const directory = `${await files.home()}${chroot}`;
    const script = Buffer.from('#!/bin/sh\nexit 0\n');
    const data = Buffer.alloc(3_000_000, 'model');
    try {
      await files.mkdirs(`${directory}/data`);
      for (const [name, bytes] of Object.entries({ 'run.sh': script, 'data/model.bin': data })) {
        await files.write(
          `${directory}/${name}`,
          async function* () {
            yield bytes;
          },
          { length: bytes.length },
        );
      }
      const pinned = await resolvePayload(files, { nameservice: 'local', directory }, () => Date.now() + 3_600_000);
      const made = pod({ pinned, webhdfs, instructions: { hdfs: settings } }).startAgent();
      await until(() => existsSync(made.file('control', control.open)), 'the gate is open', 20_000);
      expect(readFileSync(made.file('payload', 'data/model.bin')).equals(data)).toBe(true);
      expect((await made.status())?.payload).toEqual({
        bytesDone: script.length + data.length,
        bytesTotal: script.length + data.length,
        filesDone: 2,
        filesTotal: 2,
      });

      await files.write(
        `${directory}/run.sh`,
        async function* () {
          yield Buffer.from('#!/bin/sh\nexit 1\n');
        },
        {
          length: script.length,
          overwrite: true,
        },
      );
      const late = pod({ pinned, webhdfs, instructions: { hdfs: settings } }).startAgent();
      expect(await late.agentEnded()).toBe(1);
      expect(late.terminationMessage).toMatchObject({ code: 'PAYLOAD_CHANGED' });
      expect(existsSync(late.file('control', control.open))).toBe(false);
    } finally {
      await files.delete(directory, { recursive: true });
    }
  });

  it('waits for an HDFS that is away, and says so', async () => {
    const pinned = {
      path: '/models/dga',
      nameservice: 'local',
      script: 'run.sh',
      bytes: 1,
      digest: 'sha256:1',
      files: [{ path: 'run.sh', length: 1, fileId: '1', modificationTime: 1, blockSize: 1_048_576 }],
    };
    const made = pod({ pinned }).startAgent();
    await until(async () => (await made.status())?.problem?.code === 'HDFS_UNREACHABLE', 'it says so', 20_000);
    expect((await made.status())?.stage).toBe('FetchingPayload');
    // Nobody can have the URL of what never was registered.
    writeFileSync(made.file('control', control.stop), '');
    await until(() => existsSync(made.file('control', control.stopped)), 'it said stopped');
    expect(readFileSync(made.file('control', control.stopped), 'utf8')).toBe(control.neverRegistered);
    expect(await made.killAgent('SIGTERM')).toBe(0);
  });

  it('reads a list of files that is so long that its pin is compressed', async () => {
    const file = { length: 1, fileId: '1', modificationTime: 1, blockSize: 1_048_576 };
    const files = Array.from({ length: 12_000 }, (_, index) => ({ ...file, path: `data/${index}` }));
    const script = { ...file, path: 'run.sh' };
    const bytes = files.length + 1;
    const pinned = { path: '/models/dga', nameservice: 'local', script: 'run.sh', bytes, digest: 'sha256:1' };
    const made = pod({ pinned: { ...pinned, files: [...files, script] } }).startAgent();
    expect(existsSync(made.file('pinned', packedPayloadFile))).toBe(true);
    await until(async () => (await made.status())?.payload?.filesTotal === bytes, 'it knows all of them', 20_000);
    expect(await made.killAgent('SIGTERM')).toBe(0);
  });

  it('ends with a reason when its instructions cannot be read', async () => {
    const made = pod({ instructions: { startupTimeoutMs: 'soon' } }).startAgent();
    expect(await made.agentEnded()).toBe(1);
    expect(made.terminationMessage).toMatchObject({ code: 'SETTINGS_INVALID' });
  });
});

describe('a model', () => {
  it('is unregistered within five seconds after it died, and registered when it is back', async () => {
    const made = await serving();
    await made.killModel();
    expect(await until(async () => !(await exists(made.registrationPath)), 'it is gone')).toBeLessThan(5_000);
    await until(async () => !(await made.isReady()), 'it is unready');
    const port = await made.startModel();
    await until(() => exists(made.registrationPath), 'it is back');
    expect((await tree.get(made.registrationPath))?.data.toString()).toContain(`:${port}"`);
    await until(() => made.isReady(), 'it is ready again');
  });

  it('stays registered while it serves one connection at a time', async () => {
    const made = pod().startAgent();
    const port = await made.startModel(oneAtATime);
    await made.becomes('Registered');
    const before = (await tree.exists(made.registrationPath))?.czxid;
    for (let turn = 0; turn < 2; turn += 1) {
      let answer: Response | undefined;
      await until(async () => {
        answer = await fetch(`http://${nodeIp}:${port}/apply`).catch(() => undefined);
        return answer !== undefined;
      }, 'it answered');
      expect(await answer?.text()).toBe('{}');
    }
    expect((await tree.exists(made.registrationPath))?.czxid).toBe(before);
    expect(await made.isReady()).toBe(true);
  });

  it('is not registered while it listens on localhost only, and the reason is told', async () => {
    const made = pod().startAgent();
    await made.startModel(hidden);
    await until(async () => (await made.status())?.problem?.code === 'ENDPOINT_LOOPBACK_ONLY', 'it says so');
    expect(await exists(made.registrationPath)).toBe(false);
  });

  it('is not registered by the endpoint.dat of a start before, although somebody listens there', async () => {
    const made = await serving();
    const stale = readFileSync(made.file('payload', endpointFile));
    // The container restarts: its shell removes endpoint.dat and rewrites its mark, the script takes its time.
    rmSync(made.file('payload', endpointFile));
    writeFileSync(made.file('payload', startedFile), 'again');
    await until(async () => !(await exists(made.registrationPath)), 'it is gone');
    await made.becomes('WaitingForEndpoint');
    writeFileSync(made.file('payload', endpointFile), stale);
    await until(() => exists(made.registrationPath), 'it is back');
  });

  it('is registered again within five seconds when somebody wipes everything', async () => {
    const made = await serving();
    await removeTree('/maas');
    expect(await until(() => exists(made.registrationPath), 'it is back')).toBeLessThan(5_000);
    expect(await exists(made.markerPath)).toBe(true);
    expect(await made.isReady()).toBe(true);
  });

  it('is not registered any more once that is revoked', async () => {
    const made = await serving();
    await tree.set(made.markerPath, Buffer.from('revoked'));
    await until(async () => !(await exists(made.registrationPath)), 'it is gone');
    await made.becomes('Unregistered');
    expect((await made.status())?.problem?.code).toBe('REGISTRATION_REVOKED');
    await made.killAgent('SIGKILL');
    made.startAgent();
    await made.becomes('Unregistered');
    expect(await exists(made.registrationPath)).toBe(false);
  });
});

describe('an agent that was killed', () => {
  it('resumes its session, so that no client notices', async () => {
    // Long enough for an agent to start on a machine that has much to do.
    const made = await serving({ sessionTimeoutMs: 30_000 });
    const before = await tree.get(made.registrationPath);
    await made.killAgent('SIGKILL');
    made.startAgent();
    await made.becomes('Registered');
    expect((await tree.exists(made.registrationPath))?.czxid).toBe(before?.stat.czxid);
    expect(await made.isReady()).toBe(true);
    await until(() => made.output.includes('"resumed":true'), 'the session was resumed');
  });

  it('is not noticed by clients either when that was in the moment in which it had registered', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const made = pod({ sessionTimeoutMs: 30_000, model: `moment${turn}${Date.now()}` }).startAgent();
      const killed = Promise.withResolvers<unknown>();
      const seen: (bigint | undefined)[] = [];
      const watch = tree.watchNode(made.registrationPath, (node) => {
        seen.push(node?.stat.czxid);
        if (node !== undefined && seen.length === 2) killed.resolve(made.killAgent('SIGKILL'));
      });
      try {
        await made.startModel();
        await killed.promise;
        const { id } = JSON.parse(readFileSync(made.file('session', 'session.json'), 'utf8'));
        expect(id).toBe(await ownerOf(made.registrationPath));
        made.startAgent();
        await made.becomes('Registered');
        await until(() => made.isReady(), 'it is ready');
        expect(seen).toEqual([undefined, (await tree.exists(made.registrationPath))?.czxid]);
      } finally {
        watch.close();
      }
    }
  });

  it('is not noticed however often and whenever it is killed on its way', async () => {
    const made = pod({ sessionTimeoutMs: 30_000 }).startAgent();
    const seen: (bigint | undefined)[] = [];
    const watch = tree.watchNode(made.registrationPath, (node) => seen.push(node?.stat.czxid));
    try {
      await made.startModel();
      for (let turn = 0; turn < 12; turn += 1) {
        // From a process that has hardly begun to one that has registered.
        await systemClock.sleep(40 * turn);
        await made.killAgent('SIGKILL');
        made.startAgent();
      }
      await made.becomes('Registered');
      await until(() => made.isReady(), 'it is ready');
      expect(seen).toEqual([undefined, (await tree.exists(made.registrationPath))?.czxid]);
    } finally {
      watch.close();
    }
  });

  it('takes its registration over from a session that it cannot resume', async () => {
    const made = await serving();
    const old = await ownerOf(made.registrationPath);
    await made.killAgent('SIGKILL');
    const path = made.file('session', 'session.json');
    const stored = JSON.parse(readFileSync(path, 'utf8'));
    // Goes when the old session expires.
    const witness = `/witness-of-${old}`;
    const link = await CuttableLink.open(zookeeper().quorum);
    links.push(link);
    const cutOff = client(stored, link.address);
    await cutOff.create(witness, Buffer.alloc(0), { ephemeral: true });
    link.cut();
    await cutOff.close();
    // A wrong password is how a server tells an agent that a session is not its own, or over.
    writeFileSync(path, JSON.stringify({ ...stored, password: Buffer.alloc(16).toString('base64') }));
    made.startAgent();
    await made.becomes('Registered');
    const owner = await ownerOf(made.registrationPath);
    expect(owner).not.toBe(old);
    expect(await ownerOf(made.markerPath)).toBe(owner);
    // The old session expires without taking anything along.
    await until(async () => !(await exists(witness)), 'the old session has expired', 15_000);
    expect(await ownerOf(made.registrationPath)).toBe(owner);
    expect(await made.isReady()).toBe(true);
  });

  it('leaves no registration behind for longer than its session', async () => {
    const made = await serving();
    await made.killAgent('SIGKILL');
    const gone = await until(async () => !(await exists(made.registrationPath)), 'it is gone', 15_000);
    expect(gone).toBeLessThan(sessionMs + 2 * tickMs);
  });
});

describe('ZooKeeper', () => {
  it('makes nothing unready by expiring the session, and gets a new registration', async () => {
    const made = await serving();
    const old = await ownerOf(made.registrationPath);
    const { id, password, timeoutMs } = JSON.parse(readFileSync(made.file('session', 'session.json'), 'utf8'));
    // Whoever has the credentials can end a session, as a server does when it expires.
    const thief = client({ id, password, timeoutMs });
    await thief.connected(5_000);
    await thief.close();
    await until(async () => {
      const owner = await ownerOf(made.registrationPath);
      return owner !== undefined && owner !== old;
    }, 'it is registered in a new session');
    expect(await made.isReady()).toBe(true);
    await until(() => JSON.parse(readFileSync(made.file('session', 'session.json'), 'utf8')).id !== id, 'it is stored');
  });

  it('makes nothing unready by being away, and finds the registration untouched', async () => {
    const link = await CuttableLink.open(zookeeper().quorum);
    links.push(link);
    const made = await serving({ quorum: `${link.address}${chroot}`, sessionTimeoutMs: 30_000 });
    const before = (await tree.exists(made.registrationPath))?.czxid;
    link.cut();
    await until(async () => (await made.status())?.zookeeper === 'suspended', 'it noticed');
    expect(await made.isReady()).toBe(true);
    expect((await made.status())?.stage).toBe('Registered');
    link.mend();
    await until(async () => (await made.status())?.zookeeper === 'connected', 'it is connected');
    expect((await tree.exists(made.registrationPath))?.czxid).toBe(before);
  });

  it('does not hold a stop back for longer than the time for it', async () => {
    const link = await CuttableLink.open(zookeeper().quorum);
    links.push(link);
    const made = await serving({ quorum: `${link.address}${chroot}` });
    link.cut();
    writeFileSync(made.file('control', control.stop), '');
    const waited = await until(() => existsSync(made.file('control', control.stopped)), 'it said stopped');
    expect(waited).toBeLessThan(4_000);
    // What could not be said then is said when it can be.
    link.mend();
    await until(async () => !(await exists(made.registrationPath)), 'it is gone');
  });

  it('is away when the model comes up: registered when it is back', async () => {
    const link = await CuttableLink.open(zookeeper().quorum);
    links.push(link);
    link.cut();
    const made = pod({ quorum: `${link.address}${chroot}` }).startAgent();
    await made.startModel();
    await until(async () => (await made.status())?.problem?.code === 'ZOOKEEPER_UNREACHABLE', 'it says so');
    expect((await made.status())?.stage).toBe('Registering');
    expect(await made.isReady()).toBe(false);
    link.mend();
    await made.becomes('Registered');
    expect(await made.isReady()).toBe(true);
  });

  it('is not registered in by a configuration that Stellar cannot read', async () => {
    await tree.ensurePath('/metron/maas');
    await tree.create('/metron/maas/config', Buffer.from('{"serviceRoot":"/maas/service/"}'));
    try {
      const made = pod().startAgent();
      await made.startModel();
      await until(async () => (await made.status())?.problem?.code === 'SERVICE_CONFIG_INVALID', 'it says so');
      await tree.set('/metron/maas/config', Buffer.from('{"serviceRoot":"/maas/elsewhere"}'));
      await until(() => exists(`/maas/elsewhere/${made.model}/${made.id}`), 'it is registered where clients look');
    } finally {
      await tree.delete('/metron/maas/config');
    }
  });
});
