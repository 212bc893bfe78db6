/** Carries out what the lifecycle decided, and tells it what came of that. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asMaasError, hasCode } from '../contracts/errors.ts';
import { instanceId } from '../contracts/names.ts';
import {
  type AgentInstructions,
  endpointFile,
  startedFile,
  type TerminationMessage,
} from '../contracts/pod-contract.ts';
import { restartLine, scriptFile } from '../contracts/shell-words.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { EndpointFile } from '../wire/endpoint-file.ts';
import type { Pod } from './assignment.ts';
import type { ControlVolume } from './control-volume.ts';
import type { LastingWrites } from './lasting-writes.ts';
import type { Action } from './lifecycle/events.ts';
import { problemOf } from './lifecycle/problems.ts';
import { mayStayRegistered } from './lifecycle/state.ts';
import { advertisedEndpoint } from './model/advertised-endpoint.ts';
import { readStartMark } from './model/endpoint-reading.ts';
import { askedAt } from './model/local-addresses.ts';
import { readScript } from './model/read-script.ts';
import type { SocketLookout } from './model/socket-lookout.ts';
import type { Registrar } from './registrar.ts';
import type { RunningLifecycle } from './running-lifecycle.ts';
import type { SessionStore } from './session-store.ts';

/** How an agent ended. */
export interface Outcome {
  readonly exitCode: number;
  /** Why it gave up. */
  readonly termination?: TerminationMessage;
}

export interface DeedOptions {
  readonly instructions: AgentInstructions;
  readonly pod: Pod;
  /** The payload's. */
  readonly directory: string;
  readonly pinned: { readonly digest: string; readonly script: string };
  readonly lifecycle: RunningLifecycle;
  readonly control: ControlVolume;
  readonly store: SessionStore;
  readonly writes: LastingWrites;
  readonly registrar: Registrar;
  readonly sockets: Pick<SocketLookout, 'beforeModel'>;
  /** What clients call of an endpoint: itself, unless a shield stands before it. */
  readonly called: (endpoint: EndpointFile) => EndpointFile | Promise<EndpointFile>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

export class Deeds {
  /** Settles when the agent is to end: it gave up, or has been told to leave. */
  readonly outcome: Promise<Outcome>;
  readonly #with: DeedOptions;
  readonly #end: (outcome: Outcome) => void;
  /** The start in which the model is ready, and whether an agent that is started now would know it. */
  #readyMark: string | undefined;
  #readyKept: boolean;
  readonly #firstReady = new AbortController();

  /** @param wasReady an earlier agent has left the instance ready */
  constructor(options: DeedOptions, wasReady: boolean) {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.outcome = promise;
    this.#end = resolve;
    this.#with = options;
    this.#readyKept = wasReady;
    if (wasReady) this.#firstReady.abort();
  }

  /** The instance is ready, and a restart would find it ready. */
  get readyKept(): boolean {
    return this.#readyKept;
  }

  /** Fires when it is so for the first time. */
  get firstReady(): AbortSignal {
    return this.#firstReady.signal;
  }

  /** Never fails; what takes time ends as an event. */
  do(action: Action): void {
    const { control, writes, log } = this.#with;
    switch (action.do) {
      case 'open-gate':
        void this.#openGate();
        break;
      case 'warm-up':
        void this.#warmUp(action);
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
        writes.inTurn('write stopped', () => control.sayStopped(action.neverRegistered));
        break;
      case 'ask-restart':
        this.#askRestart(action);
        break;
      case 'give-up':
        log.error({ problem: action.problem }, 'giving up');
        this.#end({ exitCode: 1, termination: action.problem });
        break;
      case 'leave':
        this.#end({ exitCode: 0 });
        break;
    }
  }

  /** What is not ready any more is so at once; ready is only what a restart would find ready. */
  #setReady(mark: string | undefined): void {
    const { control, writes } = this.#with;
    this.#readyMark = mark;
    if (mark === undefined) this.#readyKept = false;
    const keep = () => {
      control.setReady(this.#readyMark);
      this.#readyKept = this.#readyMark !== undefined;
      if (this.#readyKept) this.#firstReady.abort();
    };
    try {
      keep();
    } catch {
      // Tried again, and told, until it succeeds.
      writes.inTurn('write ready', async () => keep());
    }
  }

  async #openGate(): Promise<void> {
    const { directory, pinned, lifecycle, control, store, sockets, writes } = this.#with;
    await writes.now('open the gate', async () => {
      // Verified means that an earlier agent has opened it, and the model runs.
      if ((await store.verifiedDigest()) !== pinned.digest || !(await control.isOpen())) {
        // Whatever the payload holds under these names, it is not the word of a model that runs.
        await rm(join(directory, endpointFile), { recursive: true, force: true });
        await rm(join(directory, startedFile), { recursive: true, force: true });
        await control.describeScript(scriptFile(await readScript(directory, pinned.script)));
        await store.setVerified(pinned.digest);
        await sockets.beforeModel();
      }
      await control.openGate();
    });
    lifecycle.dispatch({ type: 'gate-opened' });
  }

  async #warmUp({ endpoint, mark }: Extract<Action, { do: 'warm-up' }>): Promise<void> {
    const { instructions, pod, lifecycle, log } = this.#with;
    if (instructions.warmUp === undefined) return;
    try {
      // Most agents never need it.
      const { callWarmUp } = await import('./model/warm-up.ts');
      // Not through the shield: a first call may take longer than that gives it.
      await callWarmUp(instructions.warmUp, endpoint, askedAt(instructions.shield !== undefined, pod.ip));
      log.info({}, 'warmed up');
      lifecycle.dispatch({ type: 'warmed-up', mark });
    } catch (error) {
      const problem = asMaasError(error);
      log.warn({ err: problem }, 'the warm-up failed and is repeated');
      lifecycle.dispatch({ type: 'warm-up-failed', mark, problem: problemOf(problem) });
    }
  }

  async #register({ endpoint }: Extract<Action, { do: 'register' }>): Promise<void> {
    const { instructions, pod, lifecycle, store, registrar, called, clock, log } = this.#with;
    const { model, version, advertise } = instructions;
    try {
      const url = advertisedEndpoint(advertise, await called(endpoint), pod, { name: model, version });
      const mark = lifecycle.state.start?.mark;
      if (mark !== undefined) await store.setRegistered(mark, endpoint);
      const id = instanceId(pod.name, pod.uid);
      const written = await registrar.register(
        { model, version, id, url, functions: endpoint.functions, registeredAt: clock.now() },
        () => mayStayRegistered(lifecycle.state),
      );
      log.info({ url, written }, 'registered');
      lifecycle.dispatch({ type: 'registered', url, written });
    } catch (error) {
      const problem = asMaasError(error);
      if (!hasCode(error, 'INTERRUPTED')) log.warn({ err: problem }, 'could not register');
      lifecycle.dispatch({ type: 'register-failed', problem: problemOf(problem) });
    }
  }

  async #unregister(): Promise<void> {
    const { lifecycle, registrar, log } = this.#with;
    try {
      await registrar.unregister();
      log.info({}, 'unregistered');
      lifecycle.dispatch({ type: 'unregistered' });
    } catch (error) {
      const problem = asMaasError(error);
      log.warn({ err: problem }, 'could not unregister');
      lifecycle.dispatch({ type: 'unregister-failed', problem: problemOf(problem) });
    }
  }

  #askRestart({ mark, why }: Extract<Action, { do: 'ask-restart' }>): void {
    const { directory, control, log } = this.#with;
    const stillMeant = () => readStartMark(join(directory, startedFile)) === mark;
    try {
      const heard = control.askRestart(restartLine(why), stillMeant);
      log.warn({ problem: why, heard }, 'the model is to be restarted');
    } catch (error) {
      log.warn({ err: asMaasError(error) }, 'could not ask for a restart of the model');
    }
  }
}
