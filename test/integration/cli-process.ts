/** Runs `kubectl maas` as a user does, as a process, in a namespace of its own on the real API server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../deploy/local/cache.ts';
import { settingsConfigMap, settingsKey } from '../../src/contracts/settings.ts';
import { present } from './world.ts';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const program = join(projectRoot, 'src/bin/kubectl-maas.ts');

function started(command: string, args: readonly string[], env: Record<string, string>): ChildProcess {
  return spawn(command, args, { cwd: projectRoot, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
}

export async function ended(child: ChildProcess): Promise<Ran> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, out, err };
}

export class CliWorld {
  readonly namespace = `cli-${randomBytes(4).toString('hex')}`;
  readonly directory = mkdtempSync(join(tmpdir(), 'maas-cli-'));
  readonly #kubeconfig = present('cluster').kubeconfig;
  readonly #command: readonly string[];

  private constructor(command: readonly string[]) {
    this.#command = command;
  }

  /**
   * Brings the CRD and the namespace up, with settings that point at the local HDFS.
   * @param command how the program is run; from its sources unless told
   */
  static async open(command: readonly string[] = [process.execPath, program]): Promise<CliWorld> {
    const world = new CliWorld(command);
    await world.kubectl('apply', '--server-side', '--force-conflicts', '-f', join(projectRoot, 'crds'));
    await world.kubectl('wait', '--for=condition=Established', 'crd/modeldeployments.maas.dev', '--timeout=30s');
    await world.kubectl('create', 'namespace', world.namespace);
    return world;
  }

  async close(): Promise<void> {
    rmSync(this.directory, { recursive: true, force: true });
    await this.kubectl('delete', 'namespace', this.namespace, '--ignore-not-found', '--wait=false');
  }

  /** @param more other parts of the settings */
  async publishSettings(payloadRoot: string, more: object = {}): Promise<void> {
    const { hdfs } = { hdfs: present('hdfs') };
    const settings = {
      hdfs: {
        nameservices: {
          [hdfs.nameservice]: { webhdfs: hdfs.namenodes.map((node) => node.webhdfs), authorities: [] },
        },
        user: hdfs.user,
      },
      payloadRoot,
      ...more,
    };
    const file = join(this.directory, settingsKey);
    writeFileSync(file, JSON.stringify(settings));
    await this.kubectl('create', 'configmap', settingsConfigMap, `--from-file=${file}`, '-n', this.namespace);
  }

  /** A command that acts in this world's namespace and finds the settings there. */
  maas(...args: string[]): Promise<Ran> {
    return ended(this.start(...args));
  }

  start(...args: string[]): ChildProcess {
    const [executable = '', ...before] = this.#command;
    return started(executable, [...before, ...args, '--namespace', this.namespace], {
      KUBECONFIG: this.#kubeconfig,
      MAAS_OPERATOR_NAMESPACE: this.namespace,
      NO_COLOR: '1',
    });
  }

  /** Throws unless it succeeds. Gives what it prints. */
  async kubectl(...args: string[]): Promise<string> {
    return (await this.kubectlWith({}, ...args)).out;
  }

  async kubectlWith(options: { input?: string; env?: Record<string, string> }, ...args: string[]): Promise<Ran> {
    const child = started(present('tools').kubectl, args, { KUBECONFIG: this.#kubeconfig, ...options.env });
    child.stdin?.end(options.input ?? '');
    const ran = await ended(child);
    if (ran.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${ran.err}`);
    return ran;
  }

  /** The spec of a ModelDeployment as the API server has it. */
  async spec(name: string): Promise<Record<string, unknown>> {
    const text = await this.kubectl('get', 'mdl', name, '-n', this.namespace, '-o', 'json');
    return (JSON.parse(text) as { spec: Record<string, unknown> }).spec;
  }

  async names(): Promise<string[]> {
    return (await this.kubectl('get', 'mdl', '-n', this.namespace, '-o', 'name'))
      .split('\n')
      .filter((line) => line !== '');
  }
}

/** Waits until something is so; fails loudly when it never is. */
export async function until(what: string, check: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
