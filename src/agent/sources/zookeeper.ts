/** What an agent has with ZooKeeper: its session, its registration in there, and the word on its mode. */
import { asMaasError, MaasError } from '../../contracts/errors.ts';
import { holdsPath } from '../../contracts/holds.ts';
import { encodeMarker } from '../../contracts/marker.ts';
import { modesPath } from '../../contracts/modes.ts';
import { instanceId, markersPath } from '../../contracts/names.ts';
import type { AgentInstructions } from '../../contracts/pod-contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { pause } from '../../kernel/pause.ts';
import type { Pod } from '../assignment.ts';
import type { LastingWrites } from '../lasting-writes.ts';
import type { SessionState } from '../lifecycle/events.ts';
import { Registrar, type Registry } from '../registrar.ts';
import type { RunningLifecycle } from '../running-lifecycle.ts';
import type { SessionCredentials, SessionStore } from '../session-store.ts';
import { followHold } from './follow-hold.ts';
import { followMode } from './follow-mode.ts';

/** A ZooKeeper session that lasts as long as the agent: a new one is begun when it has expired. */
export interface AgentSession extends Registry {
  state(): SessionState;
  /** `expired`: the session is over for certain, and its nodes are gone. Every event follows a change of the state. */
  onEvent(listener: (event: { readonly type: string }) => void): void;
  session(): SessionCredentials | undefined;
  /** As watchNode, for the names of a node's children. */
  watchChildren(path: string, changed: (names: string[] | undefined) => void): { close(): void };
  /** Ends the session on the server, if one can be reached in a bounded time. */
  close(): Promise<void>;
}

export interface ZooKeeperOptions {
  readonly instructions: AgentInstructions;
  readonly pod: Pod;
  readonly pinned: { readonly digest: string };
  readonly lifecycle: Pick<RunningLifecycle, 'dispatch' | 'ended'>;
  readonly store: SessionStore;
  readonly writes: Pick<LastingWrites, 'inTurn'>;
  /** Sessions of this pod's earlier agents. */
  readonly earlier: ReadonlySet<string>;
  /** An earlier agent of this pod has registered it: then its version was released once. */
  readonly wasRegistered: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ZooKeeperSide {
  readonly registrar: Registrar;
  /** Tells the lifecycle of the session, of the mode and of holds, until the agent ends. */
  follow(): void;
  close(): Promise<void>;
}

const inspectEveryMs = 30_000;

export function zooKeeperSide(session: AgentSession, options: ZooKeeperOptions): ZooKeeperSide {
  const { instructions, pod, pinned, lifecycle, store, writes, earlier, wasRegistered, clock, log } = options;
  const { model, clusterId, zookeeper, hold } = instructions;
  const keepSession = async () => {
    const credentials = session.session();
    if (credentials === undefined) throw new MaasError('ZOOKEEPER_UNREACHABLE', 'There is no ZooKeeper session');
    await store.save(credentials);
  };
  const registrar = new Registrar(session, {
    configPath: zookeeper.configPath,
    markersPath: markersPath(zookeeper.operatorRoot, clusterId),
    model,
    instance: instanceId(pod.name, pod.uid),
    marker: encodeMarker({ namespace: pod.namespace, pod: pod.name, model, digest: pinned.digest }),
    earlier,
    keepSession,
    disturbed: () => {
      log.warn({}, 'the registration is not as it was made');
      lifecycle.dispatch({ type: 'disturbed' });
    },
    revoked: () => {
      writes.inTurn('write revoked', () => store.setRevoked());
      lifecycle.dispatch({ type: 'revoked' });
    },
    log,
  });
  const connected = async () => {
    // It is tried again before anything is registered, and told then.
    await keepSession().catch((error) => log.warn({ err: asMaasError(error) }, 'could not note the session'));
    await registrar.inspect();
  };
  /** A watch that was lost somewhere must not leave a wrong registration for good. */
  const inspectNowAndThen = async () => {
    while (!lifecycle.ended.aborted) {
      await pause(clock, inspectEveryMs, lifecycle.ended);
      if (!lifecycle.ended.aborted) await registrar.inspect();
    }
  };
  const following: { close(): void }[] = [];
  return {
    registrar,
    follow() {
      session.onEvent(({ type }) => {
        if (type === 'expired') lifecycle.dispatch({ type });
        lifecycle.dispatch({ type: 'zookeeper', session: session.state() });
        if (type === 'connected') void connected();
      });
      following.push(
        followMode(lifecycle, session, { path: modesPath(zookeeper.operatorRoot, clusterId), model, log }),
      );
      if (hold !== undefined) {
        const path = `${holdsPath(zookeeper.operatorRoot, clusterId)}/${hold.resource}`;
        const untilReleased = hold.untilReleased && !wasRegistered;
        following.push(followHold(lifecycle, session, { path, version: hold.version, untilReleased, log }));
      }
      void inspectNowAndThen();
    },
    async close() {
      for (const each of following) each.close();
      registrar.close();
      await session.close().catch((error: unknown) => {
        log.warn({ err: asMaasError(error) }, 'could not close the ZooKeeper session');
      });
    },
  };
}
