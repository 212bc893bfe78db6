import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EphemeralRegistry } from '../../test/builders/ephemeral-registry.ts';
import { MaasError } from '../contracts/errors.ts';
import { agentInstructions, agentStatus, control, endpointFile, startedFile } from '../contracts/pod-contract.ts';
import { silentLog } from '../kernel/log.ts';
import { systemClock as clock } from '../kernel/system-clock.ts';
import { type AgentOptions, type RunningAgent, startAgent } from './agent.ts';
import { AgentServer } from './http-server.ts';
import type { FetchPayload } from './sources/fetch-payload.ts';

const uid = '0f1e2d3c-0000-4000-8000-000000000001';
const path = `/maas/service/dga/dga-1-${uid}`;
const limits = { silence: 200, hang: 1_000, retry: 50, askAgain: 100 };

let root: string;
let registry: EphemeralRegistry;
let agents: RunningAgent[];
let models: { close(): void }[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'agent-'));
  for (const volume of ['payload', 'control', 'session']) mkdirSync(join(root, volume));
  registry = new EphemeralRegistry();
  agents = [];
  models = [];
});
afterEach(async () => {
  for (const agent of agents) agent.terminate();
  await Promise.all(agents.map((agent) => agent.done));
  for (const model of models) model.close();
  rmSync(root, { recursive: true, force: true });
});

const at = (volume: 'payload' | 'control' | 'session', name: string) => join(root, volume, name);
const present: FetchPayload = async () => {};

async function start(changes: Partial<AgentOptions> = {}, instructions: object = {}): Promise<RunningAgent> {
  const agent = await startAgent({
    instructions: agentInstructions.parse({
      model: 'dga',
      version: '1.0',
      clusterId: 'c1',
      zookeeper: { quorum: 'unused:1' },
      hdfs: { nameservices: { local: { webhdfs: ['http://unused:1'] } } },
      advertise: 'PodIP',
      startupTimeoutMs: 60_000,
      unregisterTimeoutMs: 500,
      hostNetwork: false,
      ...instructions,
    }),
    pod: { name: 'dga-1', uid, namespace: 'fraud', ip: '127.0.0.2', nodeIp: '127.0.0.3', nodeName: 'node7' },
    directories: { payload: join(root, 'payload'), control: join(root, 'control'), session: join(root, 'session') },
    server: new AgentServer(clock),
    proc: '/proc',
    ports: [0],
    pinned: { digest: 'sha256:abc', script: 'run.sh', nameservice: 'local', path: '/models/dga' },
    fetch: present,
    openSession: registry.open,
    clock,
    log: silentLog,
    limits,
    ...changes,
  });
  agents.push(agent);
  return agent;
}

/** Another process would not be the agent's own; here the model is a child. */
async function listen(): Promise<{ port: number; close: () => void }> {
  const program = `require('net').createServer().listen(0, '0.0.0.0', function () { console.log(this.address().port) })`;
  const child = execFile(process.execPath, ['-e', program]);
  const model = { close: () => child.kill('SIGKILL') };
  models.push(model);
  const port = await new Promise<number>((resolve) =>
    child.stdout?.once('data', (text: string) => resolve(Number(text))),
  );
  return { port, ...model };
}

/** What the model's shell and script do. */
const startModel = (port: number) => {
  rmSync(at('payload', endpointFile), { force: true });
  writeFileSync(at('payload', startedFile), 'now');
  writeFileSync(at('payload', endpointFile), JSON.stringify({ url: `http://0.0.0.0:${port}` }));
};

const statusOf = async (agent: RunningAgent) =>
  agentStatus.parse(await (await fetch(`http://127.0.0.1:${await agent.port}/status`)).json());
/** The session that an agent started now would resume. */
const storedSession = (): string | undefined =>
  existsSync(at('session', 'session.json'))
    ? JSON.parse(readFileSync(at('session', 'session.json'), 'utf8')).id
    : undefined;
const isReady = async (agent: RunningAgent) =>
  (await fetch(`http://127.0.0.1:${await agent.port}/readyz`)).status === 200;
const until = (check: () => unknown, timeout = 5_000) => vi.waitFor(check, { timeout, interval: 10 });

describe('an agent', () => {
  it('takes a model from its payload to its registration, and away again', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const agent = await start({
      fetch: async (progress) => {
        progress({ bytesDone: 1, bytesTotal: 2, filesDone: 0, filesTotal: 1, lastError: undefined });
        await released;
      },
    });
    expect(await statusOf(agent)).toMatchObject({
      instance: `dga-1-${uid}`,
      stage: 'FetchingPayload',
      payload: { bytesDone: 1, bytesTotal: 2 },
    });
    const gate = promisify(execFile)('sh', ['-c', `read -r line < '${at('control', control.gate)}'; echo "$line"`]);
    writeFileSync(at('payload', endpointFile), '{"url": "http://0.0.0.0:1"}');
    writeFileSync(at('payload', 'run.sh'), '#!/usr/bin/env python2\n');
    release();
    expect((await gate).stdout).toBe('open\n');
    // There before the model runs, which may end at once.
    expect(readFileSync(at('control', control.script), 'utf8')).toBe('/usr/bin/env\npython2\n\n');
    expect(existsSync(at('control', control.open))).toBe(true);
    expect(existsSync(at('payload', endpointFile))).toBe(false);
    await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));

    const { port } = await listen();
    startModel(port);
    await until(() => expect(registry.text(path)).toContain(`"url":"http://127.0.0.2:${port}"`));
    await until(async () => expect(await isReady(agent)).toBe(true));
    await until(() => expect(existsSync(at('control', control.ready))).toBe(true));
    expect(registry.text(`/maas/operator/c1/instances/dga-1-${uid}`)).toBe(
      '{"pod":"fraud/dga-1","model":"dga","digest":"sha256:abc"}',
    );
    const up = await statusOf(agent);
    const stages = up.reached?.map(({ stage }) => stage) ?? [];
    expect([...stages.slice(0, 3), stages.at(-1)]).toEqual([
      'Starting',
      'FetchingPayload',
      'WaitingForEndpoint',
      'Registered',
    ]);
    const times = [...(up.reached ?? []).map((reached) => reached.at), up.since];
    expect(times).toEqual(times.toSorted());
    expect(up).toMatchObject({
      hdfs: { nameservice: 'local', path: '/models/dga', user: 'maas' },
      scriptStarted: expect.stringMatching(/^\d{4}-.*Z$/),
      verifiedDigest: 'sha256:abc',
      stage: 'Registered',
      url: `http://127.0.0.2:${port}`,
    });
    const metrics = await (await fetch(`http://127.0.0.1:${await agent.port}/metrics`)).text();
    expect(metrics).toContain('maas_agent_registered 1\n');
    expect(metrics).toContain('maas_agent_stage{stage="Registered"} 1\n');

    writeFileSync(at('control', control.stop), '');
    await until(() => expect(existsSync(at('control', control.stopped))).toBe(true));
    expect(registry.nodes.has(path)).toBe(false);
    expect(readFileSync(at('control', control.stopped), 'utf8')).toBe('');
    agent.terminate();
    expect(await agent.done).toEqual({ exitCode: 0 });
    expect(registry.session.closed).toBe(true);
  });

  it('unregisters a model that died, and registers it when it is back', async () => {
    const agent = await start();
    const first = await listen();
    await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));
    startModel(first.port);
    await until(() => expect(registry.nodes.has(path)).toBe(true));
    first.close();
    await until(() => expect(registry.nodes.has(path)).toBe(false));
    await until(async () => expect(await isReady(agent)).toBe(false));
    const second = await listen();
    startModel(second.port);
    await until(() => expect(registry.text(path)).toContain(`:${second.port}"`));
    await until(async () => expect(await isReady(agent)).toBe(true));
  });

  it('says why an endpoint cannot be used', async () => {
    const agent = await start();
    await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));
    writeFileSync(at('payload', startedFile), 'now');
    writeFileSync(at('payload', endpointFile), '{"url": "http://0.0.0.0');
    await until(async () => expect((await statusOf(agent)).problem?.code).toBe('ENDPOINT_NOT_JSON'));
  });

  it('ends with a reason when the payload cannot be had', async () => {
    const agent = await start({
      fetch: async () => {
        throw new MaasError('PAYLOAD_CHANGED', 'model.bin has other content');
      },
    });
    expect(await agent.done).toMatchObject({
      exitCode: 1,
      termination: { code: 'PAYLOAD_CHANGED', message: 'model.bin has other content' },
    });
    expect(existsSync(at('control', control.open))).toBe(false);
  });

  it('tells the shell of a model that does not come up to end it', async () => {
    const agent = await start({}, { startupTimeoutMs: 300 });
    await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));
    writeFileSync(at('payload', startedFile), 'now');
    const heard = promisify(execFile)('sh', ['-c', `read -r why < '${at('control', control.restart)}'; echo "$why"`]);
    expect((await heard).stdout).toContain('ENDPOINT_MISSING: endpoint.dat did not appear within 300ms');
    expect((await fetch(`http://127.0.0.1:${await agent.port}/livez/model`)).status).toBe(503);
    writeFileSync(at('payload', startedFile), 'again');
    await until(async () => expect((await fetch(`http://127.0.0.1:${await agent.port}/livez/model`)).status).toBe(200));
  });

  it('stops at once where nothing was registered', async () => {
    await start({ fetch: () => new Promise(() => {}) });
    writeFileSync(at('control', control.stop), '');
    await until(() => expect(readFileSync(at('control', control.stopped), 'utf8')).toBe(control.neverRegistered));
  });

  it('stops in time when ZooKeeper is away', async () => {
    const agent = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(() => expect(registry.nodes.has(path)).toBe(true));
    registry.goAway();
    writeFileSync(at('control', control.stop), '');
    await until(() => expect(existsSync(at('control', control.stopped))).toBe(true));
  });

  it('goes on where a killed one was, without a ripple', async () => {
    const first = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(first)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(() => expect(existsSync(at('control', control.ready))).toBe(true));
    await until(() => expect(existsSync(at('session', 'session.json'))).toBe(true));
    registry.session.kill();
    const before = registry.history.length;

    const second = await start({
      fetch: async () => {
        throw new MaasError('HDFS_UNREACHABLE', 'not needed any more');
      },
    });
    expect(await isReady(second)).toBe(true);
    await until(async () => expect((await statusOf(second)).stage).toBe('Registered'));
    expect(registry.history.slice(before)).toEqual([]);
  });

  it('replaces its own nodes when the session could not be resumed', async () => {
    const first = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(first)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(() => expect(existsSync(at('control', control.ready))).toBe(true));
    const old = registry.ownerOf(path) ?? '';
    registry.session.kill();
    registry.alive.delete(old);
    const second = await start();
    await until(async () => expect((await statusOf(second)).stage).toBe('Registered'));
    expect(registry.ownerOf(path)).not.toBe(old);
    expect(registry.ownerOf(path)).toBe(registry.session.session()?.id);
    expect(await isReady(second)).toBe(true);
  });

  it('shuts the gate of a node that went down, whose memory is gone', async () => {
    writeFileSync(at('control', control.open), '');
    writeFileSync(at('control', control.ready), 'old');
    const agent = await start({ fetch: () => new Promise(() => {}) });
    expect(existsSync(at('control', control.open))).toBe(false);
    expect(await isReady(agent)).toBe(false);
    expect((await statusOf(agent)).stage).toBe('Starting');
  });

  it('registers nothing by a session that a restart could not resume', async () => {
    // The volume takes no credentials: what is written under this name cannot be a file.
    mkdirSync(at('session', 'session.json.new'));
    const agent = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(async () => expect((await statusOf(agent)).problem?.code).toBe('AGENT_STATE_UNWRITABLE'));
    expect(registry.history).not.toContain(`+${path}`);
    expect(await isReady(agent)).toBe(false);
    rmdirSync(at('session', 'session.json.new'));
    await until(async () => expect((await statusOf(agent)).stage).toBe('Registered'));
    expect(storedSession()).toBe(registry.ownerOf(path));
  });

  it('is ready only when a restart would find it ready', async () => {
    mkdirSync(at('control', `.${control.ready}`));
    const agent = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(async () => expect((await statusOf(agent)).stage).toBe('Registered'));
    expect(await isReady(agent)).toBe(false);
    rmdirSync(at('control', `.${control.ready}`));
    await until(async () => expect(await isReady(agent)).toBe(true));
    expect(existsSync(at('control', control.ready))).toBe(true);
  });

  it('goes on without a ripple where one was killed that had just registered and could not note more', async () => {
    mkdirSync(at('control', `.${control.ready}`));
    const first = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(first)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(async () => expect((await statusOf(first)).stage).toBe('Registered'));
    registry.session.kill();
    const before = registry.history.length;
    rmdirSync(at('control', `.${control.ready}`));
    const second = await start();
    await until(async () => expect((await statusOf(second)).stage).toBe('Registered'));
    await until(async () => expect(await isReady(second)).toBe(true));
    expect(registry.history.slice(before)).toEqual([]);
  });

  it('goes on without a ripple where the model has taken its endpoint.dat away again', async () => {
    const first = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(first)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(async () => expect(await isReady(first)).toBe(true));
    rmSync(at('payload', endpointFile));
    registry.session.kill();
    const before = registry.history.length;
    const second = await start();
    await until(async () => expect((await statusOf(second)).stage).toBe('Registered'));
    expect(await isReady(second)).toBe(true);
    expect((await statusOf(second)).url).toBe(`http://127.0.0.2:${port}`);
    expect(registry.history.slice(before)).toEqual([]);
  });

  it('leaves the revocation standing where it could not be noted, for the agent after it', async () => {
    mkdirSync(at('session', 'revoked.new'));
    const first = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(first)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(async () => expect((await statusOf(first)).stage).toBe('Registered'));
    const marker = `/maas/operator/c1/instances/dga-1-${uid}`;
    registry.put(marker, 'revoked', registry.ownerOf(marker));
    await until(() => expect(registry.nodes.has(path)).toBe(false));
    expect(registry.text(marker)).toBe('revoked');
    registry.session.kill();
    const second = await start();
    await until(async () => expect((await statusOf(second)).problem?.code).toBe('REGISTRATION_REVOKED'));
    expect(registry.nodes.has(path)).toBe(false);
  });

  // Each on its own, so that each has the time of a test.
  const happening = fc.constantFrom('expire', 'kill', 'kill and expire', 'wipe', 'go away');
  const stories = fc.sample(fc.array(happening, { minLength: 1, maxLength: 4 }), 6);
  it.each(stories.map((happenings) => ({ happenings })))(
    'holds nothing in any session but the one that is stored: $happenings',
    async ({ happenings }) => {
      const run = new EphemeralRegistry();
      for (const volume of ['control', 'session', 'payload'] as const) {
        rmSync(join(root, volume), { recursive: true });
        mkdirSync(join(root, volume));
      }
      let unresumable = 0;
      run.written = (owner) => {
        if (storedSession() !== owner) unresumable += 1;
      };
      const { port, close } = await listen();
      const mine: RunningAgent[] = [];
      const next = async () => {
        const agent = await start({ openSession: run.open, limits: { ...limits, retry: 1 } });
        mine.push(agent);
        return agent;
      };
      let agent = await next();
      await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));
      startModel(port);
      await until(async () => expect((await statusOf(agent)).stage).toBe('Registered'));
      for (const what of happenings) {
        const owner = run.ownerOf(path) ?? '';
        if (what === 'expire') run.session.expire();
        if (what === 'wipe') for (const each of [...run.nodes.keys()]) run.drop(each);
        if (what === 'go away') {
          run.goAway();
          run.comeBack();
        }
        const before = run.history.length;
        if (what.startsWith('kill')) {
          run.session.kill();
          if (what === 'kill and expire') run.expire(owner);
          agent = await next();
        }
        await until(async () => {
          expect((await statusOf(agent)).stage).toBe('Registered');
          expect(run.ownerOf(path)).toBe(run.session.session()?.id);
        });
        if (what === 'kill') expect(run.history.slice(before)).toEqual([]);
      }
      expect(unresumable).toBe(0);
      for (const each of mine) each.terminate();
      await Promise.all(mine.map((each) => each.done));
      close();
    },
  );

  it('registers in the new session when the old one expired', async () => {
    const agent = await start();
    const { port } = await listen();
    await until(async () => expect((await statusOf(agent)).stage).toBe('WaitingForEndpoint'));
    startModel(port);
    await until(async () => expect((await statusOf(agent)).stage).toBe('Registered'));
    registry.session.expire();
    await until(() => expect(registry.ownerOf(path)).toBe(registry.session.session()?.id));
    expect(await isReady(agent)).toBe(true);
  });
});
