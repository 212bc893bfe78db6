/** The agent: a lifecycle, the sources that tell it of the world, and the deeds that it decides on. */
import { asMaasError } from '../contracts/errors.ts';
import { instanceId } from '../contracts/names.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import type { AgentInstructions } from '../contracts/pod-contract.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { pause } from '../kernel/pause.ts';
import type { Directories, Pod } from './assignment.ts';
import { ControlVolume } from './control-volume.ts';
import { Deeds, type Outcome } from './deeds.ts';
import type { AgentServer } from './http-server.ts';
import { LastingWrites } from './lasting-writes.ts';
import { currentProblem, modelIsLive } from './lifecycle/problems.ts';
import { initialState, type Limits, type State, usualLimits } from './lifecycle/state.ts';
import { metricsText } from './metrics.ts';
import type { LookOptions } from './model/look.ts';
import { SocketLookout } from './model/socket-lookout.ts';
import { SocketTables } from './model/socket-tables.ts';
import { toldAddress } from './model/told-address.ts';
import { findRemains } from './remains.ts';
import { RunningLifecycle } from './running-lifecycle.ts';
import { type SessionCredentials, SessionStore } from './session-store.ts';
import { lookBehindShield, shieldSide } from './shield-side.ts';
import { type FetchPayload, fetchUntilVerified } from './sources/fetch-payload.ts';
import { followModel } from './sources/follow-model.ts';
import { followStop } from './sources/follow-stop.ts';
import { followTime } from './sources/follow-time.ts';
import { type AgentSession, zooKeeperSide } from './sources/zookeeper.ts';
import { statusOf } from './status.ts';

export interface AgentOptions {
  readonly instructions: AgentInstructions;
  readonly pod: Pod;
  readonly directories: Directories;
  readonly pinned: Pick<PinnedPayload, 'digest' | 'script' | 'nameservice' | 'path'>;
  /** Where /proc is mounted. */
  readonly proc: string;
  /** Closed when the agent ends. */
  readonly server: AgentServer;
  /** Ports to listen on, in order of preference. */
  readonly ports: readonly number[];
  /** The same of the shield; those of the contract where absent. */
  readonly shieldPorts?: readonly number[];
  readonly fetch: FetchPayload;
  readonly openSession: (resume: SessionCredentials | undefined) => AgentSession;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
}

export interface RunningAgent {
  /** Settles when the agent has ended. */
  readonly done: Promise<Outcome>;
  /** The port that its HTTP server listens on; settles once one is free. */
  readonly port: Promise<number>;
  /** Unregisters and ends: what SIGTERM means. */
  terminate(): void;
}

const listenAgainMs = 1_000;

/** Settles when the agent runs. @throws Error where the pod's volumes cannot be used */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { instructions, pod, directories, pinned, server, clock, log } = options;
  const startedAt = clock.monotonic();
  const control = new ControlVolume(directories.control);
  const store = new SessionStore(directories.session);
  const [remains, { last, ids }] = await Promise.all([
    findRemains(control, store, pinned.digest),
    store.load(),
    control.makePipes(),
  ]);
  const raiseShield = await shieldSide({ ...options, store });

  const asked = { mayBeHeld: instructions.hold !== undefined, warmUp: instructions.warmUp !== undefined };
  const lifecycle = new RunningLifecycle(initialState(limitsOf(options), remains, clock.monotonic(), asked), clock);
  const writes = new LastingWrites(clock, log, lifecycle.ended);
  const about = { instructions, pod, pinned, lifecycle, store, writes, clock, log };
  const session = options.openSession(last);
  const zookeeper = zooKeeperSide(session, {
    ...about,
    earlier: new Set(ids),
    wasRegistered: remains.registered !== undefined,
  });
  const wasReady = remains.readyMark !== undefined;
  const { registrar } = zookeeper;
  const sockets = new SocketLookout(new SocketTables(options.proc), options.proc, clock);
  const shield = raiseShield(session);
  const { called } = shield;
  const deeds = new Deeds({ ...about, directory: directories.payload, control, registrar, sockets, called }, wasReady);
  const instance = instanceId(pod.name, pod.uid);
  const { nameservice, path } = pinned;
  const told = { instance, digest: pinned.digest, hdfs: { nameservice, path, user: instructions.hdfs.user } };
  let timeToRegister: number | undefined;
  server.answer({
    status: () => JSON.stringify(statusOf(lifecycle.state, clock, { ...told, shield: shield.status() })),
    ready: () => deeds.readyKept,
    firstReady: deeds.firstReady,
    modelIsLive: () => modelIsLive(lifecycle.state, clock.monotonic()),
    metrics: () => `${metricsText(lifecycle.state, { timeToRegister })}${shield.metrics()}`,
  });
  const done = deeds.outcome.then(async (outcome) => {
    await writes.drain();
    lifecycle.end();
    await shield.close();
    server.close();
    await zookeeper.close();
    await control.close();
    return outcome;
  });

  lifecycle.follow(({ state, actions }, before) => {
    if (state.registration.kind === 'held') timeToRegister ??= clock.monotonic() - startedAt;
    shield.follow(state);
    if (state.stage !== before.stage) logStage(state, clock, log);
    for (const action of actions) deeds.do(action);
  });
  zookeeper.follow();
  lifecycle.dispatch({ type: 'tick' });
  if (!remains.gateOpen) void fetchUntilVerified(options.fetch, lifecycle, clock, log);
  void followModel(lifecycle, lookOptions(options, sockets), clock, log);
  void followTime(lifecycle, clock);
  void followStop(lifecycle, control, clock, log);
  const port = listen(options, lifecycle.ended);
  return { done, port, terminate: () => lifecycle.dispatch({ type: 'terminate' }) };
}

function limitsOf({ instructions, limits }: AgentOptions): Limits {
  const { startupTimeoutMs: startup, unregisterTimeoutMs: unregister } = instructions;
  return { ...usualLimits, startup, unregister, ...limits };
}

function lookOptions(options: AgentOptions, sockets: SocketLookout): LookOptions {
  const { instructions, pod, directories } = options;
  const { advertise, hostNetwork, model, modelUid, healthPath, version } = instructions;
  const told = toldAddress(advertise, pod, { name: model, version });
  const { reachable, ...behind } =
    instructions.shield === undefined ? { reachable: told.reachable } : lookBehindShield(options);
  return {
    payloadDirectory: directories.payload,
    sockets,
    told: { ...told, reachable },
    // In a network of its own every socket is the pod's, whatever user the script changes to.
    ...(hostNetwork && modelUid !== undefined ? { modelUid } : {}),
    host: pod.ip,
    ...behind,
    ...(healthPath === undefined ? {} : { healthPath }),
  };
}

function logStage(state: State, clock: Clock, log: Log): void {
  const problem = currentProblem(state, clock.monotonic());
  log.info({ stage: state.stage, ...(problem === undefined ? {} : { problem }) }, 'stage');
}

/** Never settles where the agent ends before a port is free. */
async function listen({ server, ports, clock, log }: AgentOptions, ended: AbortSignal): Promise<number> {
  while (!ended.aborted) {
    try {
      const port = await server.listen(ports);
      if (port !== undefined) return port;
      log.warn({ ports }, 'no port is free for the status');
    } catch (error) {
      log.warn({ err: asMaasError(error) }, 'could not listen for the status');
    }
    await pause(clock, listenAgainMs, ended);
  }
  return new Promise(() => {});
}
