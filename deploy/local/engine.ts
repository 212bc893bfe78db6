/**
 * The Docker engine that everything runs on: the one that answers, or, where none does and we are root on Debian, a
 * private one that shares nothing with the rest of the machine (no docker0 bridge, own data, own socket).
 */

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cacheRoot, keyOf, localState } from './cache.ts';
import { canInstall, needPrograms } from './debian-packages.ts';
import { identityOf } from './lock.ts';
import { run, succeeds } from './run.ts';

export interface Engine {
  /** For DOCKER_HOST; undefined where docker finds its engine by itself. */
  readonly host: string | undefined;
  /** Did we start it, so that we stop it? */
  readonly private: boolean;
}

// Sockets have short path names only, so what runs is kept in /run and only data in the cache.
const runDirectory = `/run/maas-operator/${keyOf(cacheRoot)}`;
const socket = join(runDirectory, 'docker.sock');
const privateHost = `unix://${socket}`;
const pidFile = join(runDirectory, 'docker.pid');
const containerdPidFile = join(runDirectory, 'exec', 'containerd', 'containerd.pid');
/** Images, containers and volumes of the private engine. */
const engineData = join(localState, 'engine');

const startDeadlineMs = 60_000;
const stopDeadlineMs = 60_000;

/** Finds or starts the engine, and points this program and all that it runs at it. */
export async function ensureEngine(): Promise<Engine> {
  const engine = await findEngine();
  if (engine) return engine;
  if (!canInstall()) {
    throw new Error(
      'no Docker engine answers. Start one (or set DOCKER_HOST); as root on Debian a private one would be started.',
    );
  }
  await needPrograms({ dockerd: 'docker.io', iptables: 'iptables', runc: 'runc', ip: 'iproute2' });
  // Up to Debian 12 the command comes with the engine.
  await needPrograms({ docker: 'docker-cli' });
  // Where an init system runs, it has started the engine by now.
  const installed = await findEngine();
  if (installed) return installed;
  await startPrivate();
  return use({ host: privateHost, private: true });
}

/** The engine that answers, if any: the private one when it runs, otherwise the user's. */
export async function findEngine(): Promise<Engine | undefined> {
  if (existsSync(socket) && (await answers(privateHost))) return use({ host: privateHost, private: true });
  if (await answers(process.env['DOCKER_HOST'])) return use({ host: process.env['DOCKER_HOST'], private: false });
  return undefined;
}

/** Stops the private engine if it runs. Containers that still run on it stop too. */
export async function stopPrivateEngine(): Promise<void> {
  if (!existsSync(runDirectory)) return;
  const pid = readPid(pidFile);
  if (pid !== undefined && isProgram(pid, 'dockerd')) {
    process.kill(pid, 'SIGTERM');
    await gone(pid, 'dockerd');
  }
  await unmountBelow(runDirectory);
  rmSync(runDirectory, { recursive: true, force: true });
}

/** Removes everything that the private engine, which must not run, has kept. */
export async function removeEngineData(): Promise<void> {
  if (!existsSync(engineData)) return;
  await unmountBelow(engineData);
  rmSync(engineData, { recursive: true, force: true });
}

/** An engine leaves mounts behind (network namespaces, layers of containers that it did not stop itself). */
async function unmountBelow(directory: string): Promise<void> {
  for (const point of mountPointsBelow(directory, readFileSync('/proc/self/mounts', 'utf8'))) {
    await run('umount', ['--lazy', point]);
  }
}

/** The mount points below a directory, the innermost first. @param table the text of /proc/self/mounts */
export function mountPointsBelow(directory: string, table: string): string[] {
  return table
    .split('\n')
    .map((line) =>
      (line.split(' ')[1] ?? '').replaceAll(/\\([0-7]{3})/g, (_, code: string) =>
        String.fromCharCode(Number.parseInt(code, 8)),
      ),
    )
    .filter((point) => point.startsWith(`${directory}/`))
    .reverse();
}

function use(engine: Engine): Engine {
  if (engine.host !== undefined) process.env['DOCKER_HOST'] = engine.host;
  return engine;
}

async function answers(host: string | undefined): Promise<boolean> {
  const env: Record<string, string> = host === undefined ? {} : { DOCKER_HOST: host };
  return await succeeds('docker', ['version', '--format', '{{.Server.Version}}'], { env, timeoutMs: 10_000 });
}

async function startPrivate(): Promise<void> {
  mkdirSync(runDirectory, { recursive: true });
  mkdirSync(engineData, { recursive: true });
  await forget(pidFile, 'dockerd');
  await forget(containerdPidFile, 'containerd');
  rmSync(socket, { force: true });

  // The machine's own /etc/docker/daemon.json is not for this engine.
  const configFile = join(runDirectory, 'daemon.json');
  writeFileSync(configFile, '{}');
  const logFile = join(localState, 'log', 'dockerd.log');
  const log = openSync(logFile, 'a');
  const daemon = spawn(
    'dockerd',
    [
      ...['--host', privateHost, '--pidfile', pidFile],
      ...['--data-root', engineData, '--exec-root', join(runDirectory, 'exec')],
      ...['--config-file', configFile],
      ...['--bridge', 'none', '--log-level', 'warn'],
      ...runtimeOptions(),
    ],
    { detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  let ended: string | undefined;
  daemon.on('error', (error) => {
    ended = error.message;
  });
  daemon.on('exit', (code, signal) => {
    ended = `it ended (${signal ?? code})`;
  });
  daemon.unref();

  const deadline = performance.now() + startDeadlineMs;
  while (!(existsSync(socket) && (await answers(privateHost)))) {
    if (ended !== undefined) throw new Error(`dockerd does not start: ${ended}\n${endOf(logFile)}`);
    if (performance.now() > deadline)
      throw new Error(`dockerd did not answer within ${startDeadlineMs / 1_000} s, see ${logFile}`);
    await sleep(100);
  }
}

/**
 * Where root itself lacks CAP_SYS_RESOURCE, a privileged container cannot have it, and the engine refuses to start
 * one; a runtime that asks for one capability less can.
 */
function runtimeOptions(): string[] {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const capSysResource = 1n << 24n;
  if ((BigInt(`0x${effective}`) & capSysResource) !== 0n) return [];
  const wrapper = fileURLToPath(new URL('runc-without-sys-resource', import.meta.url));
  return ['--add-runtime', `without-sys-resource=${wrapper}`, '--default-runtime', 'without-sys-resource'];
}

/** A pid file of a process that is gone would keep dockerd from starting; one that hangs is stopped first. */
async function forget(file: string, name: string): Promise<void> {
  const pid = readPid(file);
  if (pid !== undefined && isProgram(pid, name)) {
    process.kill(pid, 'SIGTERM');
    await gone(pid, name);
  }
  rmSync(file, { force: true });
}

async function gone(pid: number, name: string): Promise<void> {
  const deadline = performance.now() + stopDeadlineMs;
  while (identityOf(pid) !== undefined) {
    if (performance.now() > deadline) throw new Error(`${name} (process ${pid}) does not stop`);
    await sleep(100);
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Is this process ours: a program of that name that was given our run directory? */
function isProgram(pid: number, name: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return basename(words[0] ?? '') === name && words.some((word) => word.includes(runDirectory));
  } catch {
    return false;
  }
}

function endOf(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}

/** Can this engine pull images? Asked once, with the smallest image there is, and within ten seconds. */
export async function canPull(): Promise<boolean> {
  const wish = process.env['PULL'];
  if (wish === 'always') return true;
  if (wish === 'never') return false;
  const probe = 'registry.k8s.io/pause:3.10';
  if (await succeeds('docker', ['image', 'inspect', probe])) return true;
  return await succeeds('docker', ['pull', '--quiet', probe], { timeoutMs: 10_000 });
}

/** Is there an image of this name on the engine? */
export async function hasImage(name: string): Promise<boolean> {
  return (await run('docker', ['images', '--quiet', name])).trim() !== '';
}
