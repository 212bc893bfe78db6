/** What the user asked for, parsed: the values that the commands run on. */
import type { ReadFrom } from '../contracts/payload.ts';
import type { OldDefaults } from '../deploy-rules/old-words.ts';
import type { ClusterChoice } from './options/cluster-options.ts';
import type { OutputFormat } from './output/output-format.ts';

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
  readonly memory?: string | undefined;
  readonly cpu?: string | undefined;
  readonly image?: string | undefined;
  readonly startupTimeout?: string | undefined;
  readonly drain?: string | undefined;
  readonly advertise?: string | undefined;
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
