/** What happens to an agent, and what it then does: the words of its lifecycle. */
import type { AgentMode } from '../../contracts/modes.ts';
import type { DownloadProgress } from '../../contracts/payload.ts';
import type { AgentStatus, TerminationMessage } from '../../contracts/pod-contract.ts';
import type { EndpointFile } from '../../wire/endpoint-file.ts';
import type { EndpointReading } from '../model/endpoint-reading.ts';

export type Problem = TerminationMessage;
export type SessionState = AgentStatus['zookeeper'];
export type Stage = AgentStatus['stage'];

/** What came of asking whether the model answers at its endpoint. */
export type Answer = 'answers' | 'none' | 'loopback-only' | 'elsewhere' | 'unhealthy';

/** Everything that was seen of the model at one moment. */
export interface Look {
  /** Changes with each start of the model; undefined before the first. */
  readonly mark: string | undefined;
  readonly reading: EndpointReading;
  /** The endpoint that was asked, if any: the one just read, or the last one known. */
  readonly asked?: { readonly endpoint: EndpointFile; readonly answer: Answer; readonly binding?: Binding };
}

/** How a model listens that clients cannot reach. */
export interface Binding {
  /** The addresses that it listens on. */
  readonly found: readonly string[];
  /** The host that clients are told. */
  readonly told: string;
  /** What it should bind to. */
  readonly advice: string;
}

export type Event =
  | { readonly type: 'payload-progress'; readonly progress: DownloadProgress }
  | { readonly type: 'payload-trouble'; readonly problem: Problem }
  | { readonly type: 'payload-verified' }
  | { readonly type: 'payload-lost'; readonly problem: Problem }
  | { readonly type: 'gate-opened' }
  | { readonly type: 'look'; readonly look: Look }
  | { readonly type: 'zookeeper'; readonly session: SessionState }
  /** The session ended, and everything it held is gone. */
  | { readonly type: 'expired' }
  /** The registration stands. `written`: it had to be made. */
  | { readonly type: 'registered'; readonly url: string; readonly written: boolean }
  | { readonly type: 'register-failed'; readonly problem: Problem }
  /** Somebody else changed or removed what was registered. */
  | { readonly type: 'disturbed' }
  | { readonly type: 'unregistered' }
  | { readonly type: 'unregister-failed'; readonly problem: Problem }
  /** The operator forbids this instance to be registered. */
  | { readonly type: 'revoked' }
  | { readonly type: 'mode'; readonly mode: AgentMode }
  /** The operator holds this version back, or releases it. */
  | { readonly type: 'hold'; readonly held: boolean }
  /** The call that was to succeed before all else did, in the model's start of this mark. */
  | { readonly type: 'warmed-up'; readonly mark: string }
  | { readonly type: 'warm-up-failed'; readonly mark: string; readonly problem: Problem }
  | { readonly type: 'stop' }
  /** Stop, and end the process after that. */
  | { readonly type: 'terminate' }
  | { readonly type: 'tick' };

export type Action =
  | { readonly do: 'open-gate' }
  | { readonly do: 'warm-up'; readonly endpoint: EndpointFile; readonly mark: string }
  | { readonly do: 'register'; readonly endpoint: EndpointFile }
  | { readonly do: 'unregister' }
  /** `mark`: the start of the model that is ready. */
  | { readonly do: 'set-ready'; readonly ready: true; readonly mark: string }
  | { readonly do: 'set-ready'; readonly ready: false }
  /** Only while the model's start is still the one of this mark. */
  | { readonly do: 'ask-restart'; readonly mark: string; readonly why: Problem }
  | { readonly do: 'say-stopped'; readonly neverRegistered: boolean }
  | { readonly do: 'give-up'; readonly problem: Problem }
  | { readonly do: 'leave' };
