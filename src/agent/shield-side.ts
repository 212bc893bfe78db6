/** What an agent has of its shield. Where none is wanted, nothing of one is loaded. */
import { MaasError } from '../contracts/errors.ts';
import {
  type AgentInstructions,
  hostNetworkShieldPorts,
  type ShieldInstructions,
  type ShieldStatus,
  shieldPort,
} from '../contracts/pod-contract.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { type EndpointFile, portOf } from '../wire/endpoint-file.ts';
import type { Pod } from './assignment.ts';
import { isKeptBack, type State } from './lifecycle/state.ts';
import { askedAt } from './model/local-addresses.ts';
import type { LookOptions } from './model/look.ts';
import type { SessionStore } from './session-store.ts';
import type { MirrorTargets } from './shield/mirror-targets.ts';
import type { Shield } from './shield/shield.ts';
import type { Timer } from './shield/timer.ts';
import type { AgentSession } from './sources/zookeeper.ts';

export interface ShieldSide {
  /** What clients call of an endpoint. @throws MaasError SHIELD_NOT_LISTENING */
  called(endpoint: EndpointFile): EndpointFile;
  follow(state: State): void;
  status(): ShieldStatus | undefined;
  /** In Prometheus' text format; empty where there is no shield. */
  metrics(): string;
  close(): Promise<void>;
}

export const noShield: ShieldSide = {
  called: (endpoint) => endpoint,
  follow: () => undefined,
  status: () => undefined,
  metrics: () => '',
  close: async () => undefined,
};

export interface ShieldSideOptions {
  readonly instructions: AgentInstructions;
  readonly pod: Pod;
  /** Ports to listen on, in order of preference; those of the contract where absent. */
  readonly shieldPorts?: readonly number[] | undefined;
  readonly store: Pick<SessionStore, 'shieldPort' | 'setShieldPort'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Raises the shield; `session` tells of the instances that calls are mirrored to. */
type Raise = (session: Pick<AgentSession, 'watchNode' | 'watchChildren'>) => ShieldSide;

/** Loads what is needed. @throws Error where the pod's volumes cannot be read */
export async function shieldSide(options: ShieldSideOptions): Promise<Raise> {
  const { instructions, store } = options;
  const { shield: asked } = instructions;
  if (asked === undefined) return () => noShield;
  const [parts, timers, mirrors, earlier] = await Promise.all([
    import('./shield/shield.ts'),
    import('./shield/timer.ts'),
    import('./shield/mirror-targets.ts'),
    store.shieldPort(),
  ]);
  return (session) => raise({ ...parts, ...timers, ...mirrors }, { ...options, asked, earlier, session });
}

interface Parts {
  readonly Shield: typeof Shield;
  readonly MirrorTargets: typeof MirrorTargets;
  readonly systemTimer: Timer;
}

interface Raising extends ShieldSideOptions {
  readonly asked: ShieldInstructions;
  /** The port that an agent before this one had. */
  readonly earlier: number | undefined;
  readonly session: Parameters<Raise>[0];
}

function raise(parts: Parts, { asked, earlier, session, ...options }: Raising): ShieldSide {
  const { instructions, pod, store, clock, log } = options;
  const { model: name, version, zookeeper } = instructions;
  const mirrored =
    asked.mirror === undefined
      ? undefined
      : new parts.MirrorTargets(
          session,
          { configPath: zookeeper.configPath, model: name, version: asked.mirror.version },
          log,
        );
  const ports = portsOf(options);
  const shield = new parts.Shield({
    ...{ instructions: asked, model: { name, version }, podIp: pod.ip },
    // Clients may know it still.
    ports: [...new Set([...(earlier === undefined ? [] : [earlier]), ...ports])],
    listening: (port) => store.setShieldPort(port),
    targets: () => mirrored?.all ?? [],
    ...{ clock, timer: parts.systemTimer, random: Math.random, log },
  });
  return {
    called(endpoint) {
      const { port } = shield.status();
      if (port !== undefined) return { ...endpoint, scheme: 'http', port };
      throw new MaasError(
        'SHIELD_NOT_LISTENING',
        `The shield does not listen yet; it may have port ${ports.join(', ')}`,
      );
    },
    follow(state) {
      const { start, endpoint, stop } = state;
      shield.follow({ mark: start?.mark, endpoint, leaving: stop !== undefined || isKeptBack(state) });
    },
    status: () => shield.status(),
    metrics: () => shield.metrics(),
    async close() {
      mirrored?.close();
      await shield.close();
    },
  };
}

/** How a model is looked at that only the shield calls: it may listen on any address, and there it is asked. */
export function lookBehindShield(
  options: Pick<ShieldSideOptions, 'instructions' | 'pod' | 'shieldPorts'>,
): Pick<LookOptions, 'host' | 'lookup' | 'refused'> & { readonly reachable: 'here' } {
  const ports = portsOf(options);
  return {
    reachable: 'here',
    ...askedAt(true, options.pod.ip),
    refused: (endpoint) => refusal(endpoint, ports),
  };
}

function refusal(endpoint: EndpointFile, ports: readonly number[]): MaasError | undefined {
  const port = portOf(endpoint);
  if (endpoint.scheme === 'https') {
    return new MaasError(
      'ENDPOINT_URL_INVALID',
      'endpoint.dat has an https url, and the shield before it speaks http',
      {
        next: 'Let the model serve http: on 127.0.0.1 only the shield reaches it. Or take spec.shield away.',
      },
    );
  }
  if (!ports.includes(port)) return undefined;
  return new MaasError('ENDPOINT_URL_INVALID', `endpoint.dat names port ${port}, which is the shield's own`, {
    next: 'Let the model listen on another port.',
  });
}

function portsOf({ instructions, pod, shieldPorts }: Pick<ShieldSideOptions, 'instructions' | 'pod' | 'shieldPorts'>) {
  return shieldPorts ?? (instructions.hostNetwork ? hostNetworkShieldPorts(pod.uid) : [shieldPort]);
}
