/** What the user asked for, parsed: the values that the commands run on. */
import type { Mode } from '../contracts/modes.ts';
import type { ReadFrom } from '../contracts/payload.ts';
import type { OldDefaults } from '../deploy-rules/old-words.ts';
import type { ClusterChoice } from './ports.ts';

export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof outputFormats)[number];

interface Everywhere {
  readonly cluster: ClusterChoice;
  /** As given; the default is for each command to say. */
  readonly output: OutputFormat | undefined;
}

interface OneModel extends Everywhere {
  readonly namespace: string | undefined;
  readonly model: string;
  readonly version: string;
  readonly wait: boolean;
  readonly timeoutMs: number;
  readonly dryRun: boolean;
}

/** `NAME=value` sets, `NAME-` takes away. */
export type EnvChange =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly value: undefined };

/** Fields of the spec that the user named. */
export interface SpecOptions {
  /** A Kubernetes quantity. */
  readonly memory?: string;
  readonly cpu?: string;
  readonly image?: string;
  readonly startupTimeout?: string;
  readonly drain?: string;
  readonly advertise?: string;
  readonly env: readonly EnvChange[];
}

export interface AddCommand extends OneModel {
  readonly kind: 'add';
  /** How many more. */
  readonly instances: number;
  readonly options: SpecOptions;
  readonly localPath: string | undefined;
  /** What of it is not uploaded: patterns as in a .gitignore. */
  readonly exclude: readonly string[];
  readonly hdfsPath: string | undefined;
  /** RFC 3339: what was at the payload's path by then is whole; undefined where nobody knows. */
  readonly payloadComplete?: string | undefined;
  /** Where instances read it; undefined leaves it as it is, or to the resource's default. */
  readonly readFrom: ReadFrom | undefined;
  /**
   * What a new resource gets beside, where it is asked for in the old client's words; then the memory is the least that
   * one that is there is to have. Absent for `kubectl maas`.
   */
  readonly oldDefaults?: OldDefaults;
  readonly operatorNamespace: string;
}

export interface RemoveCommand extends OneModel {
  readonly kind: 'remove';
  /** How many fewer; undefined means all. */
  readonly instances: number | undefined;
  readonly operatorNamespace: string;
}

export interface ListCommand extends Everywhere {
  readonly kind: 'list';
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly operatorNamespace: string;
}

export interface ModeCommand extends Everywhere {
  readonly kind: 'mode';
  /** Whose mode; undefined means that of all models that have none of their own. */
  readonly model: string | undefined;
  /** To be set; undefined only prints. `default` takes a model's own mode away. */
  readonly mode: Mode | 'default' | undefined;
  readonly operatorNamespace: string;
}

export interface VersionCommand extends Everywhere {
  readonly kind: 'version';
  /** Ask nobody. */
  readonly clientOnly: boolean;
  readonly operatorNamespace: string;
}

/** Of the commands that look into ZooKeeper. */
interface AboutZooKeeper extends Everywhere {
  /** Narrows it. */
  readonly namespace: string | undefined;
  /** The quorum to look at in place of the published one. */
  readonly zookeeper: string | undefined;
  readonly operatorNamespace: string;
}

export interface StatusCommand extends AboutZooKeeper {
  readonly kind: 'status';
  readonly model: string | undefined;
  readonly version: string | undefined;
}

export interface ImportCommand extends AboutZooKeeper {
  readonly kind: 'import';
  readonly model: string | undefined;
  readonly version: string | undefined;
  /** A quantity, for models whose memory nobody tells. */
  readonly memory: string | undefined;
  /** `{name}` and `{version}` in it stand for the model's; for models whose payload nobody tells. */
  readonly payloadPath: string | undefined;
  readonly apply: boolean;
  readonly dryRun: boolean;
}

export interface DoctorCommand extends AboutZooKeeper {
  readonly kind: 'doctor';
  /** Connect to what is registered? */
  readonly connect: boolean;
  readonly connectTimeoutMs: number;
  /** Manifests to check in place of all else; `-` is standard input. */
  readonly files: readonly string[];
  /** Warnings fail as well. */
  readonly strict: boolean;
}

export type Command =
  | AddCommand
  | RemoveCommand
  | ListCommand
  | VersionCommand
  | ModeCommand
  | StatusCommand
  | ImportCommand
  | DoctorCommand;
