/** Runs credential plugins of a kubeconfig, each once for as long as its answer holds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isatty } from 'node:tty';
import { MaasError } from '../../contracts/errors.ts';
import type { Environment } from './environment.ts';
import {
  type ExecCluster,
  type ExecCredential,
  execApiVersions,
  execInfo,
  NoCredential,
  readExecCredential,
} from './kubeconfig/exec-credential.ts';
import { mayRun, type PluginPolicy } from './kubeconfig/plugin-policy.ts';
import type { ExecEntry } from './kubeconfig/read.ts';

export interface PluginCall {
  readonly exec: ExecEntry;
  /** Only where the entry wants the plugin to know. */
  readonly cluster: ExecCluster | undefined;
  /** Whether the user lets it run. */
  readonly policy: PluginPolicy;
  /** For messages: the file and the user. */
  readonly place: string;
}

export class ExecPlugins {
  readonly #env: Environment;
  readonly #now: () => number;
  readonly #answers = new Map<string, Promise<ExecCredential>>();
  readonly #running = new Set<ChildProcess>();

  /** @param now milliseconds since 1970 */
  constructor(env: Environment, now: () => number) {
    this.#env = env;
    this.#now = now;
  }

  /**
   * The credential that holds now. There is no limit to how long a login may take; calls that come together share it.
   * @throws MaasError CREDENTIAL_PLUGIN_FAILED, KUBECONFIG_INVALID
   */
  async credential(call: PluginCall): Promise<ExecCredential> {
    const key = keyOf(call);
    const before = this.#answers.get(key);
    const known = await before;
    if (known !== undefined && (known.expiresAt === undefined || this.#now() <= known.expiresAt)) return known;
    // Whoever waited for the same answer may have asked anew meanwhile.
    const since = this.#answers.get(key);
    if (since !== undefined && since !== before) return since;
    const asked = this.#run(call);
    this.#answers.set(key, asked);
    asked.catch(() => {
      if (this.#answers.get(key) === asked) this.#answers.delete(key);
    });
    return asked;
  }

  /** The server did not accept it: the next call asks the plugin. */
  async refused(call: PluginCall, credential: ExecCredential): Promise<void> {
    const key = keyOf(call);
    if ((await this.#answers.get(key)) === credential) this.#answers.delete(key);
  }

  close(): void {
    for (const child of this.#running) child.kill();
  }

  async #run({ exec, cluster, policy, place }: PluginCall): Promise<ExecCredential> {
    if (!mayRun(exec.command, policy, (command) => programOf(command, this.#env['PATH'] ?? ''))) {
      throw new MaasError('KUBECONFIG_INVALID', `${place}: exec: ${exec.command} may not run`, {
        next: "Allow it in kubectl's preferences (credentialPluginPolicy of ~/.kube/kuberc).",
      });
    }
    if (!execApiVersions.includes(exec.apiVersion)) {
      throw new MaasError('KUBECONFIG_INVALID', `${place}: exec has the apiVersion "${exec.apiVersion}"`, {
        next: `Write ${execApiVersions.join(' or ')}, as the plugin's documentation says.`,
      });
    }
    const terminal = isatty(0);
    if (exec.interactiveMode === 'Always' && !terminal) {
      throw new MaasError(
        'CREDENTIAL_PLUGIN_FAILED',
        `${place}: exec: ${exec.command} wants to ask on the terminal, and standard input is none`,
        { next: 'Run the command on a terminal, or configure the plugin to do without.' },
      );
    }
    const interactive = exec.interactiveMode !== 'Never' && terminal;
    const output = await this.#output(exec, place, interactive, execInfo(exec.apiVersion, interactive, cluster));
    try {
      return readExecCredential(output, exec.apiVersion);
    } catch (error) {
      if (!(error instanceof NoCredential)) throw error;
      throw failed(place, `${exec.command} ${error.message}`, error);
    }
  }

  #output(exec: ExecEntry, place: string, interactive: boolean, info: string): Promise<string> {
    const said = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]));
    return new Promise((resolve, reject) => {
      const child = spawn(exec.command, exec.args, {
        env: { ...this.#env, ...said, KUBERNETES_EXEC_INFO: info },
        // What it asks or complains about is for the user's eyes, at once.
        stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
      });
      this.#running.add(child);
      const chunks: Buffer[] = [];
      child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
      child.once('error', (cause) => {
        this.#running.delete(child);
        reject(notStarted(exec, place, cause));
      });
      child.once('close', (status, signal) => {
        this.#running.delete(child);
        if (status === 0) resolve(Buffer.concat(chunks).toString('utf8'));
        else reject(failed(place, `${exec.command} ended with ${signal ?? `exit code ${status}`}`));
      });
    });
  }
}

/** The program that a name on the PATH, or a path, means. */
function programOf(command: string, path: string): string | undefined {
  const candidates = command.includes('/') ? [command] : path.split(delimiter).map((folder) => join(folder, command));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return statSync(candidate).isFile();
    } catch {
      return false;
    }
  });
}

/** Entries that say the same share their answer, also after the kubeconfig was read again. */
function keyOf({ exec, cluster }: PluginCall): string {
  return JSON.stringify([exec, cluster]);
}

function failed(place: string, what: string, cause?: unknown): MaasError {
  return new MaasError('CREDENTIAL_PLUGIN_FAILED', `${place}: exec: ${what}`, cause === undefined ? {} : { cause });
}

function notStarted({ command, installHint }: ExecEntry, place: string, cause: Error): MaasError {
  const absent = 'code' in cause && cause.code === 'ENOENT';
  const why = absent ? 'not found' : `cannot be started: ${cause.message}`;
  const next = installHint === '' ? 'Install the plugin that the kubeconfig names, or correct its entry.' : installHint;
  return new MaasError('KUBECONFIG_INVALID', `${place}: exec: command ${command} ${why}`, { next, cause });
}
