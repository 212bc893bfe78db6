/** A ZooKeeper of a test's own on loopback, to be stopped, killed and started again without disturbing anybody. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { present } from './world.ts';

export class OwnZooKeeper implements AsyncDisposable {
  readonly port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), 'maas-zookeeper-'));
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  /** Starts a server whose tick is half a second, so that it grants session timeouts from 1 to 10 s. */
  static async start(): Promise<OwnZooKeeper> {
    const server = new OwnZooKeeper(await freePort());
    try {
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  get quorum(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it again, with the data that it had. */
  async start(): Promise<void> {
    const settings = join(this.#directory, 'zoo.cfg');
    const logging = join(this.#directory, 'logback.xml');
    writeFileSync(logging, '<configuration/>');
    writeFileSync(
      settings,
      [
        'tickTime=500',
        `dataDir=${join(this.#directory, 'data')}`,
        `clientPort=${this.port}`,
        'clientPortAddress=127.0.0.1',
        'maxClientCnxns=0',
        'admin.enableServer=false',
        '4lw.commands.whitelist=srvr',
      ].join('\n'),
    );
    const { zookeeperJars } = present('java');
    const jvm = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
    this.#process = spawn(
      'java',
      [
        ...jvm,
        `-Dlogback.configurationFile=${logging}`,
        '-cp',
        join(zookeeperJars, '*'),
        'org.apache.zookeeper.server.ZooKeeperServerMain',
        settings,
      ],
      { stdio: 'ignore' },
    );
    const deadline = performance.now() + 30_000;
    while (!(await this.#serves())) {
      if (performance.now() > deadline) throw new Error('ZooKeeper did not start within 30 s');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Holds it, as an overloaded machine or a long garbage collection does. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Throws its data away; only while it does not run. */
  wipe(): void {
    rmSync(join(this.#directory, 'data'), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** It answers `srvr` with its mode only once it serves. */
  async #serves(): Promise<boolean> {
    return await new Promise((resolve) => {
      let answer = '';
      const socket = connect({ host: '127.0.0.1', port: this.port });
      socket.setTimeout(1_000, () => socket.destroy());
      socket.on('connect', () => socket.write('srvr'));
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
        // While it starts, it may say so and then leave the connection open.
        if (answer.includes('not currently serving')) socket.destroy();
      });
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(answer.includes('Mode: standalone')));
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
