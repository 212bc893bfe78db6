/**
 * An API server and etcd of the bench's own, on loopback and without nodes: what thousands of objects do to it disturbs
 * no cluster that somebody else uses. The programs are those of the local world's node. What runs here ends with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KubeClient } from '../../../src/adapters/kube/client.ts';
import { loadKubeconfig } from '../../../src/adapters/kube/kubeconfig.ts';
import { createTransport } from '../../../src/adapters/kube/transport.ts';
import { systemClock } from '../../../src/kernel/system-clock.ts';
import { docker } from '../../e2e/docker.ts';
import { eventually } from '../../e2e/stage.ts';
import { present } from '../../integration/world.ts';

type User = 'operator' | 'harness';
const users: readonly User[] = ['operator', 'harness'];
const programs = ['etcd', 'kube-apiserver'] as const;

/** Whatever the operator writes, one line each, and nothing else. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'Metadata', users: ['operator'], verbs: ['create', 'update', 'patch', 'delete'] },
    { level: 'None' },
  ],
};

export class ControlPlane implements AsyncDisposable {
  #client: KubeClient | undefined;
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];

  /** @param directory takes programs, data and logs; somebody else removes it */
  constructor(directory: string) {
    this.#directory = directory;
  }

  get client(): KubeClient {
    const kubeconfig = () => loadKubeconfig({ env: {}, path: this.kubeconfig('harness') });
    this.#client ??= new KubeClient(createTransport(kubeconfig, systemClock, 'maas-bench'), systemClock);
    return this.#client;
  }

  kubeconfig(user: User): string {
    return join(this.#directory, `kubeconfig-${user}`);
  }

  /** What the operator has written since the start, by resource; a Lease's renewals are `leases`. */
  async writes(): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for await (const line of createInterface({ input: createReadStream(this.#auditLog) })) {
      const { objectRef } = JSON.parse(line) as { objectRef?: { resource?: string; subresource?: string } };
      const what = [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/');
      found.set(what, (found.get(what) ?? 0) + 1);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The API server first: without its etcd it would only complain.
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(late);
    }
  }

  get #auditLog(): string {
    return join(this.#directory, 'audit.log');
  }

  async start(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    for (const program of programs) await copyFromNode(program, join(this.#directory, program));
    const [client, peer, secure] = await freePorts(3);
    const at = (port: number | undefined) => `http://127.0.0.1:${port}`;
    this.#spawn('etcd', [
      ...['--data-dir', join(this.#directory, 'data'), '--log-level', 'error'],
      // Nothing here is to outlive the machine, and other work must not have to wait for this disk.
      '--unsafe-no-fsync',
      ...['--listen-client-urls', at(client), '--advertise-client-urls', at(client)],
      ...['--listen-peer-urls', at(peer), '--initial-advertise-peer-urls', at(peer)],
      ...['--initial-cluster', `default=${at(peer)}`],
      // As the API server compacts every five minutes, so that a bench of some minutes never meets the default quota.
      ...['--quota-backend-bytes', String(4 * 1_024 ** 3)],
    ]);
    const file = (name: string, content: string) => {
      const path = join(this.#directory, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const key = file('service-accounts.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    this.#spawn('kube-apiserver', [
      ...['--etcd-servers', at(client), '--bind-address', '127.0.0.1', '--secure-port', String(secure)],
      ...['--cert-dir', join(this.#directory, 'certificates'), '--service-cluster-ip-range', '10.96.0.0/16'],
      ...['--service-account-issuer', 'https://bench.invalid', '--service-account-signing-key-file', key],
      ...['--service-account-key-file', key, '--authorization-mode', 'AlwaysAllow'],
      ...['--token-auth-file', file('tokens.csv', users.map((user) => `${user},${user},${user}\n`).join(''))],
      // Nobody makes service accounts here.
      ...['--disable-admission-plugins', 'ServiceAccount'],
      ...['--audit-policy-file', file('audit.json', JSON.stringify(auditPolicy)), '--audit-log-path', this.#auditLog],
    ]);
    for (const user of users) file(`kubeconfig-${user}`, kubeconfigOf(`https://127.0.0.1:${secure}`, user));
    await eventually('the API server is ready', async () => {
      for (const { exitCode } of this.#children) {
        if (exitCode !== null) throw new Error(`the control plane ended; its logs are in ${this.#directory}`);
      }
      const { transport } = this.client;
      const { status } = await transport
        .request({ method: 'GET', path: '/readyz', deadlineMs: 2_000 })
        .catch(() => ({ status: 0 }));
      return status === 200;
    });
  }

  #spawn(program: (typeof programs)[number], args: readonly string[]): void {
    const log = openSync(join(this.#directory, `${program}.log`), 'w');
    this.#children.push(spawn(join(this.#directory, program), args, { stdio: ['ignore', log, log] }));
    closeSync(log);
  }
}

/** Where a program runs in a container of the node, its file is that of the process. */
async function copyFromNode(program: string, to: string): Promise<void> {
  const { nodeContainer } = present('cluster');
  if (nodeContainer === null)
    throw new Error('the cluster is not of the local world, so its node has no programs for us');
  const pid = (await docker('exec', nodeContainer, 'pgrep', '--exact', '--oldest', program)).trim();
  const { host } = present('engine');
  const file = openSync(to, 'w', 0o755);
  const copy = spawn('docker', ['exec', nodeContainer, 'cat', `/proc/${pid}/exe`], {
    stdio: ['ignore', file, 'inherit'],
    env: { ...process.env, ...(host === null ? {} : { DOCKER_HOST: host }) },
  });
  const code = await new Promise<number | null>((resolve) => copy.once('exit', resolve));
  closeSync(file);
  if (code !== 0) throw new Error(`${program} could not be copied from ${nodeContainer}`);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  return await Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
}

/** The certificate is one that the API server has made for itself, a moment ago and on this machine. */
function kubeconfigOf(server: string, user: User): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bench', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: user, user: { token: user } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user } }],
    'current-context': 'bench',
  });
}
