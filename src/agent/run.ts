/** Runs an agent: brings the events of the world to the lifecycle, and carries its actions out. */

import { type FSWatcher, watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asMaasError, hasCode, MaasError } from '../contracts/errors.ts';
import { encodeMarker } from '../contracts/marker.ts';
import { modesPath } from '../contracts/modes.ts';
import { instanceId, markersPath } from '../contracts/names.ts';
import {
  type AgentInstructions,
  type AgentStatus,
  control,
  endpointFile,
  startedFile,
  type TerminationMessage,
} from '../contracts/pod-contract.ts';
import { scriptFile } from '../contracts/script-word.ts';
import { Bell } from '../kernel/bell.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { advertisedEndpoint } from './advertised-endpoint.ts';
import { ControlVolume } from './control-volume.ts';
import { readStartMark } from './endpoint-reading.ts';
import { agentServer, listenOnFirst } from './http-server.ts';
import { wakeAt } from './lifecycle/deadlines.ts';
import type { Action, Event, SessionState } from './lifecycle/events.ts';
import { step } from './lifecycle/lifecycle.ts';
import { currentProblem, modelIsLive, problemOf } from './lifecycle/problems.ts';
import { initialState, type Limits, looking, mayStayRegistered, type State, usualLimits } from './lifecycle/state.ts';
import { type LookOptions, lookAtModel } from './look.ts';
import { metricsText } from './metrics.ts';
import { watchMode } from './mode-watch.ts';
import { type FetchPayload, fetchUntilVerified } from './payload-stage.ts';
import type { Directories, Pod } from './ports.ts';
import { readScript } from './read-script.ts';
import { Registrar, type Registry } from './registrar.ts';
import { type SessionCredentials, SessionStore } from './session-store.ts';
import { SocketTables } from './socket-tables.ts';
import { toldAddress } from './told-address.ts';

/** A ZooKeeper session that lasts as long as the agent: a new one is begun when it has expired. */
export interface AgentSession extends Registry {
  state(): SessionState;
  /** `expired`: the session is over for certain, and its nodes are gone. Every event follows a change of the state. */
  onEvent(listener: (event: { readonly type: string }) => void): void;
  session(): SessionCredentials | undefined;
  /** Ends the session on the server, if one can be reached in a bounded time. */
  close(): Promise<void>;
}

export interface AgentOptions {
  readonly instructions: AgentInstructions;
  readonly pod: Pod;
  readonly directories: Directories;
  /** Where /proc is mounted. */
  readonly proc: string;
  /** Ports to listen on, in order of preference. */
  readonly ports: readonly number[];
  /** Digest of the pinned payload. */
  readonly payloadDigest: string;
  /** Name of the model's script in the payload. */
  readonly script: string;
  readonly fetch: FetchPayload;
  readonly openSession: (resume: SessionCredentials | undefined) => AgentSession;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
}

/** How an agent ended. */
export interface Outcome {
  readonly exitCode: number;
  /** Why it gave up. */
  readonly termination?: TerminationMessage;
}

export interface RunningAgent {
  /** Settles when the agent has ended. */
  readonly done: Promise<Outcome>;
  /** The port that its HTTP server listens on. */
  readonly port: Promise<number>;
  /** Unregisters and ends: what SIGTERM means. */
  terminate(): void;
}

const stopPollMs = 500;
const inspectEveryMs = 30_000;
const idlePollMs = 1_000;
const closeLookMs = 100;
const seldomLookMs = 1_000;
/** Between two looks, however often the model touches its files. */
const shortestLookMs = 20;

export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const agent = new Agent(options);
  await agent.start();
  return agent;
}

class Agent implements RunningAgent {
  readonly done: Promise<Outcome>;
  readonly port: Promise<number>;
  readonly #options: AgentOptions;
  readonly #id: string;
  readonly #control: ControlVolume;
  readonly #store: SessionStore;
  readonly #ended = new AbortController();
  readonly #lookBell: Bell;
  readonly #timerBell: Bell;
  readonly #stopBell: Bell;
  readonly #look: LookOptions;
  readonly #server = agentServer({
    status: () => JSON.stringify(this.#status()),
    ready: () => this.#readyKept,
    modelIsLive: () => modelIsLive(this.#state, this.#now()),
    metrics: () => metricsText(this.#state, { timeToRegister: this.#timeToRegister }),
  });
  #finish: (outcome: Outcome) => void = () => {};
  #listening: (port: number) => void = () => {};
  #state: State;
  #session: AgentSession | undefined;
  #registrar: Registrar | undefined;
  #modeWatch: { close(): void } | undefined;
  readonly #startedAt: number;
  /** When the lifecycle was asked last. */
  #steppedAt: number;
  #timeToRegister: number | undefined;
  #gateWasOpen = false;
  /** The start in which the model is ready, and whether an agent that is started now would know it. */
  #readyMark: string | undefined;
  #readyKept = false;
  #stopWatcher: FSWatcher | undefined;
  /** Files are written one after the other, so that the last word is the one that stays. */
  #writes: Promise<void> = Promise.resolve();

  constructor(options: AgentOptions) {
    const { instructions, pod, directories, clock } = options;
    this.#options = options;
    this.#id = instanceId(pod.name, pod.uid);
    this.#control = new ControlVolume(directories.control);
    this.#store = new SessionStore(directories.session);
    this.#lookBell = new Bell(clock);
    this.#timerBell = new Bell(clock);
    this.#stopBell = new Bell(clock);
    this.#look = lookOptions(options);
    this.#startedAt = clock.monotonic();
    this.#steppedAt = this.#startedAt;
    this.#state = initialState(
      {
        ...usualLimits,
        startup: instructions.startupTimeoutMs,
        unregister: instructions.unregisterTimeoutMs,
        ...options.limits,
      },
      { gateOpen: false, stopping: false, revoked: false },
      this.#startedAt,
    );
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.port = new Promise((resolve) => {
      this.#listening = resolve;
    });
  }

  async start(): Promise<void> {
    const { payloadDigest } = this.#options;
    void this.#serve();
    await this.#control.makePipes();
    const isVerified = (await this.#store.verifiedDigest()) === payloadDigest;
    this.#gateWasOpen = isVerified && (await this.#control.isOpen());
    if (!this.#gateWasOpen) await this.#control.shutGate();
    const readyMark = await this.#control.readyMark();
    this.#readyKept = readyMark !== undefined;
    const registered = await this.#store.registered();
    this.#state = initialState(
      this.#state.limits,
      {
        gateOpen: this.#gateWasOpen,
        ...(readyMark === undefined ? {} : { readyMark }),
        ...(registered === undefined ? {} : { registered }),
        stopping: await this.#control.isStopping(),
        revoked: await this.#store.isRevoked(),
      },
      this.#now(),
    );
    await this.#connect();
    this.#dispatch({ type: 'tick' });
    if (!this.#gateWasOpen) void this.#fetch();
    this.#stopWatcher = this.#watch(this.#options.directories.control, this.#stopBell, [control.stop]);
    void this.#lookLoop();
    void this.#timerLoop();
    void this.#stopLoop();
    void this.#inspectLoop();
  }

  terminate(): void {
    this.#dispatch({ type: 'terminate' });
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #dispatch(event: Event): void {
    if (this.#ended.signal.aborted) return;
    const before = this.#state;
    this.#steppedAt = this.#now();
    const { state, actions } = step(before, event, this.#steppedAt);
    this.#state = state;
    if (state.stage !== before.stage) this.#logStage();
    for (const action of actions) this.#perform(action);
    if (state !== before) this.#timerBell.ring();
    if (looking(state) !== looking(before)) this.#lookBell.ring();
  }

  #logStage(): void {
    const problem = currentProblem(this.#state, this.#now());
    this.#options.log.info({ stage: this.#state.stage, ...(problem === undefined ? {} : { problem }) }, 'stage');
  }

  #perform(action: Action): void {
    switch (action.do) {
      case 'open-gate':
        void this.#openGate();
        break;
      case 'register':
        void this.#register(action);
        break;
      case 'unregister':
        void this.#unregister();
        break;
      case 'set-ready':
        this.#setReady(action.ready ? action.mark : undefined);
        break;
      case 'say-stopped':
        this.#write('stopped', () => this.#control.sayStopped(action.neverRegistered));
        break;
      case 'ask-restart':
        this.#askRestart(action);
        break;
      case 'give-up':
        this.#options.log.error({ problem: action.problem }, 'giving up');
        void this.#end({ exitCode: 1, termination: action.problem });
        break;
      case 'leave':
        void this.#end({ exitCode: 0 });
        break;
    }
  }

  async #fetch(): Promise<void> {
    const { fetch, clock, log } = this.#options;
    const report = {
      progress: (progress: NonNullable<AgentStatus['payload']>) =>
        this.#dispatch({ type: 'payload-progress', progress }),
      trouble: (error: ReturnType<typeof asMaasError>) => {
        log.warn({ err: error }, 'the payload cannot be fetched yet');
        this.#dispatch({ type: 'payload-trouble', problem: problemOf(error) });
      },
      verified: () => this.#dispatch({ type: 'payload-verified' }),
      lost: (error: ReturnType<typeof asMaasError>) =>
        this.#dispatch({ type: 'payload-lost', problem: problemOf(error) }),
    };
    await fetchUntilVerified(fetch, report, clock, this.#ended.signal);
  }

  async #openGate(): Promise<void> {
    const { payload } = this.#options.directories;
    await this.#persist('open the gate', async () => {
      if (!this.#gateWasOpen) {
        // Whatever the payload holds under these names, it is not the word of a model that runs.
        await rm(join(payload, endpointFile), { recursive: true, force: true });
        await rm(join(payload, startedFile), { recursive: true, force: true });
        await this.#control.describeScript(scriptFile(await readScript(payload, this.#options.script)));
        await this.#store.setVerified(this.#options.payloadDigest);
      }
      await this.#control.openGate();
    });
    this.#dispatch({ type: 'gate-opened' });
  }

  async #connect(): Promise<void> {
    const { openSession, instructions, pod, log } = this.#options;
    const { last, ids } = await this.#store.load();
    const { operatorRoot, configPath } = instructions.zookeeper;
    const session = openSession(last);
    session.onEvent(({ type }) => {
      if (type === 'expired') this.#dispatch({ type });
      this.#dispatch({ type: 'zookeeper', session: session.state() });
      if (type === 'connected') void this.#connected();
    });
    this.#session = session;
    this.#registrar = new Registrar(session, {
      configPath,
      markersPath: markersPath(operatorRoot, instructions.clusterId),
      model: instructions.model,
      instance: this.#id,
      marker: encodeMarker({
        namespace: pod.namespace,
        pod: pod.name,
        model: instructions.model,
        digest: this.#options.payloadDigest,
      }),
      earlier: new Set(ids),
      keepSession: () => this.#keepSession(),
      disturbed: () => {
        log.warn({}, 'the registration is not as it was made');
        this.#dispatch({ type: 'disturbed' });
      },
      revoked: () => {
        this.#write('revoked', () => this.#store.setRevoked());
        this.#dispatch({ type: 'revoked' });
      },
      log,
    });
    this.#modeWatch = watchMode(session, {
      path: modesPath(operatorRoot, instructions.clusterId),
      model: instructions.model,
      changed: (mode) => {
        log.info({ mode }, 'mode');
        this.#dispatch({ type: 'mode', mode });
      },
      log,
    });
  }

  async #connected(): Promise<void> {
    try {
      await this.#keepSession();
    } catch (error) {
      // It is tried again before anything is registered, and told then.
      this.#options.log.warn({ err: asMaasError(error) }, 'could not note the session');
    }
    await this.#registrar?.inspect();
  }

  async #keepSession(): Promise<void> {
    const credentials = this.#session?.session();
    if (credentials === undefined) throw new MaasError('ZOOKEEPER_UNREACHABLE', 'There is no ZooKeeper session');
    await this.#store.save(credentials);
  }

  /** What is not ready any more is so at once; ready is only what a restart would find ready. */
  #setReady(mark: string | undefined): void {
    this.#readyMark = mark;
    if (mark === undefined) this.#readyKept = false;
    const keep = () => {
      this.#control.setReady(this.#readyMark);
      this.#readyKept = this.#readyMark !== undefined;
    };
    try {
      keep();
    } catch {
      // Tried again, and told, until it succeeds.
      this.#write('ready', async () => keep());
    }
  }

  async #register({ endpoint }: Extract<Action, { do: 'register' }>): Promise<void> {
    const { instructions, pod, clock, log } = this.#options;
    const { model, version, advertise } = instructions;
    try {
      const url = advertisedEndpoint(advertise, endpoint, pod, { name: model, version });
      const mark = this.#state.start?.mark;
      if (mark !== undefined) await this.#store.setRegistered(mark, endpoint);
      const written = await this.#registrar?.register(
        { model, version, id: this.#id, url, functions: endpoint.functions, registeredAt: clock.now() },
        () => mayStayRegistered(this.#state),
      );
      this.#timeToRegister ??= this.#now() - this.#startedAt;
      log.info({ url, written }, 'registered');
      this.#dispatch({ type: 'registered', url, written: written === true });
    } catch (error) {
      const problem = asMaasError(error);
      if (!hasCode(error, 'INTERRUPTED')) log.warn({ err: problem }, 'could not register');
      this.#dispatch({ type: 'register-failed', problem: problemOf(problem) });
    }
  }

  async #unregister(): Promise<void> {
    try {
      await this.#registrar?.unregister();
      this.#options.log.info({}, 'unregistered');
      this.#dispatch({ type: 'unregistered' });
    } catch (error) {
      const problem = asMaasError(error);
      this.#options.log.warn({ err: problem }, 'could not unregister');
      this.#dispatch({ type: 'unregister-failed', problem: problemOf(problem) });
    }
  }

  #askRestart({ mark, why }: Extract<Action, { do: 'ask-restart' }>): void {
    const { directories, log } = this.#options;
    const stillMeant = () => readStartMark(join(directories.payload, startedFile)) === mark;
    try {
      const heard = this.#control.askRestart(`${why.code}: ${why.message}`, stillMeant);
      log.warn({ problem: why, heard }, 'the model is to be restarted');
    } catch (error) {
      log.warn({ err: asMaasError(error) }, 'could not ask for a restart of the model');
    }
  }

  /** After the writes before it; tried until it succeeds, for the volume may be full for a while. */
  #write(what: string, write: () => Promise<void>): void {
    this.#writes = this.#writes.then(() => this.#persist(`write ${what}`, write));
  }

  async #persist(what: string, write: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#ended.signal.aborted) {
      try {
        return await write();
      } catch (error) {
        log.error({ err: asMaasError(error) }, `could not ${what}`);
        await clock.sleep(idlePollMs, this.#ended.signal).catch(() => undefined);
      }
    }
  }

  async #serve(): Promise<void> {
    const { ports, clock, log } = this.#options;
    while (!this.#ended.signal.aborted) {
      try {
        const port = await listenOnFirst(this.#server, ports);
        if (port !== undefined) return this.#listening(port);
        log.warn({ ports }, 'no port is free for the status');
      } catch (error) {
        log.warn({ err: asMaasError(error) }, 'could not listen for the status');
      }
      await clock.sleep(idlePollMs, this.#ended.signal).catch(() => undefined);
    }
  }

  async #lookLoop(): Promise<void> {
    const { clock, directories, log } = this.#options;
    let watcher: FSWatcher | undefined;
    while (!this.#ended.signal.aborted) {
      const how = looking(this.#state);
      if (how === 'closely') {
        watcher ??= this.#watch(directories.payload, this.#lookBell, [endpointFile, startedFile]);
        await clock.sleep(shortestLookMs, this.#ended.signal).catch(() => undefined);
        await this.#lookBell.wait(closeLookMs - shortestLookMs);
      } else {
        // A model that serves may write much into its directory, of which nobody wants to hear.
        watcher?.close();
        watcher = undefined;
        await this.#lookBell.wait(how === 'seldom' ? seldomLookMs : undefined);
      }
      if (how === 'never' || this.#ended.signal.aborted) continue;
      try {
        const look = await lookAtModel(this.#look, { mark: this.#state.start?.mark, endpoint: this.#state.endpoint });
        this.#dispatch({ type: 'look', look });
      } catch (error) {
        log.warn({ err: asMaasError(error) }, 'could not look at the model');
        await clock.sleep(idlePollMs, this.#ended.signal).catch(() => undefined);
      }
    }
    watcher?.close();
  }

  async #timerLoop(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      // Counted from the last step, so that what became due since is not passed over.
      const due = wakeAt(this.#state, this.#steppedAt);
      await this.#timerBell.wait(due === undefined ? undefined : Math.max(0, due - this.#now()));
      if (due !== undefined && this.#now() >= due) this.#dispatch({ type: 'tick' });
    }
  }

  async #stopLoop(): Promise<void> {
    while (!this.#ended.signal.aborted && this.#state.stop === undefined) {
      const stopping = await this.#control.isStopping().catch(() => false);
      if (stopping) this.#dispatch({ type: 'stop' });
      else await this.#stopBell.wait(stopPollMs);
    }
  }

  /** A watch that was lost somewhere must not leave a wrong registration for good. */
  async #inspectLoop(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#options.clock.sleep(inspectEveryMs, this.#ended.signal).catch(() => undefined);
      if (!this.#ended.signal.aborted) await this.#registrar?.inspect();
    }
  }

  /** Makes the polls quicker where the node allows it; without it they are all there is. */
  #watch(directory: string, bell: Bell, names: readonly string[]): FSWatcher | undefined {
    try {
      const watcher = watch(directory, { persistent: false }, (_, name) => {
        if (name !== null && names.includes(name)) bell.ring();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch (error) {
      this.#options.log.debug({ err: asMaasError(error), directory }, 'cannot watch a directory');
      return undefined;
    }
  }

  async #end(outcome: Outcome): Promise<void> {
    // A volume that cannot be written must not hold the process back.
    await Promise.race([this.#writes, this.#options.clock.sleep(idlePollMs)]);
    this.#ended.abort();
    for (const bell of [this.#lookBell, this.#timerBell, this.#stopBell]) bell.ring();
    this.#stopWatcher?.close();
    this.#modeWatch?.close();
    this.#registrar?.close();
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#session?.close().catch((error: unknown) => {
      this.#options.log.warn({ err: asMaasError(error) }, 'could not close the ZooKeeper session');
    });
    await this.#control.close();
    this.#finish(outcome);
  }

  #status(): AgentStatus {
    const at = this.#now();
    const state = this.#state;
    const problem = currentProblem(state, at);
    return {
      instance: this.#id,
      stage: state.stage,
      since: new Date(this.#options.clock.now() - (at - state.stageAt)).toISOString(),
      ...(problem === undefined ? {} : { problem }),
      ...(state.progress === undefined ? {} : { payload: state.progress }),
      ...(state.gate === 'open' ? { verifiedDigest: this.#options.payloadDigest } : {}),
      ...(state.registration.kind === 'held' ? { url: state.registration.url } : {}),
      zookeeper: state.session,
    };
  }
}

function lookOptions({ instructions, pod, directories, proc }: AgentOptions): LookOptions {
  const { advertise, hostNetwork, model, modelUid, healthPath, version } = instructions;
  return {
    payloadDirectory: directories.payload,
    sockets: new SocketTables(proc),
    told: toldAddress(advertise, pod, { name: model, version }),
    // In a network of its own every socket is the pod's, whatever user the script changes to.
    ...(hostNetwork && modelUid !== undefined ? { modelUid } : {}),
    host: pod.ip,
    ...(healthPath === undefined ? {} : { healthPath }),
  };
}
