/**
 * A pod without Kubernetes: an agent process, directories for its volumes, and a process that behaves as the model's
 * container. The pod is on the node's network, so that many of them can run at once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../deploy/local/cache.ts';
import { agentPaths } from '../../src/contracts/agent-http.ts';
import { instanceId } from '../../src/contracts/names.ts';
import type { PinnedPayload } from '../../src/contracts/payload.ts';
import { encodePin } from '../../src/contracts/pin-content.ts';
import {
  type AgentStatus,
  agentInstructionsVariable,
  agentStatus,
  control,
  downward,
  endpointFile,
  hostNetworkPorts,
  paths,
  startedFile,
} from '../../src/contracts/pod-contract.ts';

/** Fetched without asking anybody. */
const nothingToFetch: PinnedPayload = {
  path: '/models/dga',
  nameservice: 'local',
  script: 'run.sh',
  bytes: 0,
  digest: 'sha256:0',
  files: [],
};

/** This machine's own address: connections over localhost are nobody's who reads registrations. */
export const nodeIp =
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

export interface AgentPodOptions {
  /** With a chroot. */
  readonly quorum: string;
  readonly model?: string;
  /** Short, unless told, so that tests need not wait long for the end of one. */
  readonly sessionTimeoutMs?: number;
  readonly pinned?: PinnedPayload;
  /** WebHDFS addresses; one where nobody listens, unless told. */
  readonly webhdfs?: readonly string[];
  /** Beside what every agent here is told. */
  readonly instructions?: object;
  /** What Node runs; the sources, unless told. */
  readonly program?: readonly string[];
}

export class AgentPod implements AsyncDisposable {
  readonly uid = randomUUID();
  readonly name = `dga-${this.uid.slice(0, 5)}`;
  readonly id = instanceId(this.name, this.uid);
  readonly clusterId = 'c1';
  /** Directory that stands for `/`. */
  readonly root: string;
  readonly #options: AgentPodOptions;
  #agent: ChildProcess | undefined;
  #model: ChildProcess | undefined;
  output = '';

  constructor(options: AgentPodOptions) {
    this.#options = options;
    this.root = mkdtempSync(join(tmpdir(), 'agent-pod-'));
    for (const path of [...Object.values(paths), '/dev']) mkdirSync(join(this.root, path), { recursive: true });
    // As the kubelet lays a ConfigMap down.
    const { data = {}, binaryData = {} } = encodePin(options.pinned ?? nothingToFetch);
    for (const [name, text] of Object.entries(data)) writeFileSync(this.file('pinned', name), text);
    for (const [name, text] of Object.entries(binaryData))
      writeFileSync(this.file('pinned', name), Buffer.from(text, 'base64'));
  }

  file(volume: keyof typeof paths, name: string): string {
    return join(this.root, paths[volume], name);
  }

  get model(): string {
    return this.#options.model ?? 'dga';
  }

  get registrationPath(): string {
    return `/maas/service/${this.model}/${this.id}`;
  }

  get markerPath(): string {
    return `/maas/operator/${this.clusterId}/instances/${this.id}`;
  }

  /** Also starts the next agent of the same pod. */
  startAgent(): this {
    const { quorum, sessionTimeoutMs = 4_000, webhdfs = ['http://127.0.0.1:9'], instructions } = this.#options;
    const { program = [join(projectRoot, 'src/bin/agent.ts')] } = this.#options;
    const agent = spawn(process.execPath, program, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        MAAS_ROOT: this.root,
        LOG_LEVEL: 'debug',
        [downward.podName]: this.name,
        [downward.podUid]: this.uid,
        [downward.podNamespace]: 'fraud',
        [downward.podIp]: nodeIp,
        [downward.nodeIp]: nodeIp,
        [downward.nodeName]: 'node7',
        [agentInstructionsVariable]: JSON.stringify({
          model: this.model,
          version: '1.0',
          clusterId: this.clusterId,
          zookeeper: { quorum, sessionTimeoutMs },
          hdfs: { nameservices: { local: { webhdfs } } },
          advertise: 'Node',
          startupTimeoutMs: 60_000,
          unregisterTimeoutMs: 3_000,
          hostNetwork: true,
          modelUid: process.getuid?.() ?? 0,
          ...instructions,
        }),
      },
    });
    for (const stream of [agent.stdout, agent.stderr]) {
      stream.on('data', (text: Buffer) => {
        this.output += text.toString();
      });
    }
    this.#agent = agent;
    return this;
  }

  /** @returns the exit code, null where the signal was not caught */
  async killAgent(signal: NodeJS.Signals): Promise<number | null> {
    const agent = this.#agent;
    if (agent === undefined) throw new Error('no agent runs');
    agent.kill(signal);
    return await this.agentEnded();
  }

  get agentPid(): number {
    if (this.#agent?.pid === undefined) throw new Error('no agent runs');
    return this.#agent.pid;
  }

  async agentEnded(): Promise<number | null> {
    return ended(this.#agent);
  }

  /**
   * Does what the model's shell does, and starts a server as its script would.
   *
   * @param program of Node; it prints the port that it listens on
   * @returns the port
   */
  async startModel(program = answering): Promise<number> {
    await until(() => existsSync(this.file('control', control.open)), 'the gate is open', 20_000);
    rmSync(this.file('payload', endpointFile), { force: true });
    writeFileSync(this.file('payload', startedFile), new Date().toISOString());
    const model = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#model = model;
    const port = await new Promise<number>((resolve) => {
      model.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())));
    });
    writeFileSync(
      this.file('payload', endpointFile),
      `{"url":\n  "http://0.0.0.0:${port}", "functions": {"apply": "apply"}}\n`,
    );
    return port;
  }

  async killModel(): Promise<void> {
    this.#model?.kill('SIGKILL');
    await ended(this.#model);
  }

  async status(): Promise<AgentStatus | undefined> {
    const response = await this.get(agentPaths.status);
    return response === undefined ? undefined : agentStatus.parse(await response.json());
  }

  async isReady(): Promise<boolean> {
    return (await this.get(agentPaths.ready))?.status === 200;
  }

  /** Finds the agent's port as the operator does. */
  async get(path: string): Promise<Response | undefined> {
    for (const port of hostNetworkPorts(this.uid)) {
      const url = `http://127.0.0.1:${port}`;
      const status = await fetch(`${url}${agentPaths.status}`).catch(() => undefined);
      const said = agentStatus.safeParse(await status?.json().catch(() => undefined));
      if (said.success && said.data.instance === this.id) return await fetch(`${url}${path}`);
    }
    return undefined;
  }

  async becomes(stage: AgentStatus['stage'], within = 20_000): Promise<void> {
    const isSo = async () => (await this.status().catch(() => undefined))?.stage === stage;
    await until(isSo, `it is ${stage}`, within).catch((cause: unknown) => {
      throw new Error(`The agent said:\n${this.output.slice(-4_000)}`, { cause });
    });
  }

  get terminationMessage(): unknown {
    return JSON.parse(readFileSync(join(this.root, '/dev/termination-log'), 'utf8'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#model?.kill('SIGKILL');
    this.#agent?.kill('SIGKILL');
    await Promise.all([ended(this.#model), ended(this.#agent)]);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A model that listens everywhere. */
export const answering = `
  const server = require('node:http').createServer((request, response) => response.end('{}'));
  server.listen(0, '0.0.0.0', () => console.log(server.address().port));`;

/** A model that listens on localhost only. */
export const hidden = answering.replace('0.0.0.0', '127.0.0.1');

/** A model that serves one connection at a time, and does not listen while it does, nor for a moment afterwards. */
export const oneAtATime = `
  const net = require('node:net');
  const listen = (port) => {
    const server = net.createServer({ pauseOnConnect: false }, (socket) => {
      server.close();
      socket.once('data', () => setTimeout(() => socket.end('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{}'), 3500));
      socket.on('close', () => setTimeout(listen, 300, port)).on('error', () => {});
    });
    server.on('error', () => setTimeout(listen, 50, port));
    server.listen(port, '0.0.0.0', () => { port = server.address().port; console.log(port); });
  };
  listen(0);`;

/** Waits for a condition of the outside world. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  within = 10_000,
): Promise<number> {
  const begun = performance.now();
  while (!(await condition())) {
    if (performance.now() - begun > within) throw new Error(`After ${within} ms it is still not so that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - begun;
}

async function ended(child: ChildProcess | undefined): Promise<number | null> {
  if (child === undefined) return null;
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return await new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}
