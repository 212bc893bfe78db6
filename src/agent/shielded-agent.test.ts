/** An agent whose model has a shield: what is registered, and what keeps it from that. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EphemeralRegistry } from '../../test/builders/ephemeral-registry.ts';
import { listenElsewhere } from '../../test/builders/listening-process.ts';
import { agentInstructions, agentStatus, endpointFile, startedFile } from '../contracts/pod-contract.ts';
import { silentLog } from '../kernel/log.ts';
import { systemClock as clock } from '../kernel/system-clock.ts';
import { type RunningAgent, startAgent } from './agent.ts';
import { AgentServer } from './http-server.ts';

const uid = '0f1e2d3c-0000-4000-8000-000000000001';
const path = `/maas/service/dga/dga-1-${uid}`;
let root: string;
let registry: EphemeralRegistry;
let agent: RunningAgent;
let taken: Server;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'shielded-agent-'));
  for (const volume of ['payload', 'control', 'session']) mkdirSync(join(root, volume));
  registry = new EphemeralRegistry();
  taken = createServer().listen(0);
  await once(taken, 'listening');
});
afterEach(async () => {
  agent.terminate();
  await agent.done;
  taken.close();
  rmSync(root, { recursive: true, force: true });
});

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

async function start(shieldPorts: readonly number[]): Promise<void> {
  agent = await startAgent({
    instructions: agentInstructions.parse({
      ...{ model: 'dga', version: '1.0', clusterId: 'c1', zookeeper: { quorum: 'unused:1' }, advertise: 'PodIP' },
      ...{ hdfs: { nameservices: { local: { webhdfs: ['http://unused:1'] } } }, hostNetwork: false },
      ...{ startupTimeoutMs: 60_000, unregisterTimeoutMs: 500 },
      shield: { timeLimitMs: 5_000, maxInFlight: 4, maxQueued: 4, queueTimeMs: 500, onError: 'NoContent' },
    }),
    pod: { name: 'dga-1', uid, namespace: 'fraud', ip: '127.0.0.2', nodeIp: '127.0.0.3', nodeName: 'node7' },
    directories: { payload: join(root, 'payload'), control: join(root, 'control'), session: join(root, 'session') },
    ...{ server: new AgentServer(clock), proc: '/proc', ports: [0], shieldPorts },
    pinned: { digest: 'sha256:abc', script: 'run.sh', nameservice: 'local', path: '/models/dga' },
    ...{ fetch: async () => {}, openSession: registry.open, clock, log: silentLog },
    limits: { retry: 50, notice: 0 },
  });
}

function startModel(url: string): void {
  writeFileSync(join(root, 'payload', startedFile), 'now');
  writeFileSync(join(root, 'payload', endpointFile), JSON.stringify({ url }));
}

const status = async () => agentStatus.parse(await (await fetch(`http://127.0.0.1:${await agent.port}/status`)).json());
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 10_000, interval: 10 });
const waitsForEndpoint = () => until(async () => expect((await status()).stage).toBe('WaitingForEndpoint'));

it('registers the port of the shield, on which a model is called that listens on localhost alone', async () => {
  await using model = await listenElsewhere('127.0.0.1');
  await start([0]);
  await waitsForEndpoint();
  startModel(`http://127.0.0.1:${model.port}/base`);
  await until(async () => expect((await status()).stage).toBe('Registered'));
  const { shield, url } = await status();
  expect(url).toBe(`http://127.0.0.2:${shield?.port}/base`);
  expect(registry.text(path)).toContain(`"url":"${url}"`);
  expect(shield?.port).not.toBe(model.port);
});

it('says that its port is taken, and registers when it is free', async () => {
  await using model = await listenElsewhere('127.0.0.1');
  await start([portOf(taken)]);
  await waitsForEndpoint();
  startModel(`http://127.0.0.1:${model.port}`);
  await until(async () => expect((await status()).problem).toMatchObject({ code: 'SHIELD_NOT_LISTENING' }));
  const port = portOf(taken);
  taken.close();
  await until(async () => expect((await status()).url).toBe(`http://127.0.0.2:${port}`));
});

it('registers no model that speaks https, and says so', async () => {
  await start([0]);
  await waitsForEndpoint();
  startModel('https://127.0.0.1:9');
  await until(async () => expect((await status()).problem).toMatchObject({ code: 'ENDPOINT_URL_INVALID' }));
  expect(registry.text(path)).toBeUndefined();
});
