/** All that the story of a model is made from: what was read, and what could not be. */
import { z } from 'zod';
import { agentStatus } from '../../contracts/pod-contract.ts';
import type { Asked } from '../cluster/asked.ts';
import type { Unattended } from '../cluster/attendance.ts';
import type { Model } from '../cluster/model.ts';
import type { EventFacts, PodFacts } from './pod-facts.ts';

/** An agent may be of a later release, with stages that this program does not know. */
export const saidStatus = agentStatus.extend({ stage: z.string() });
export type SaidStatus = z.infer<typeof saidStatus>;

export interface WhyFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly model: Model;
  readonly instances: Asked<readonly InstanceFacts[]>;
  /** The user of HDFS that the operator and the agents have by the operator's settings. */
  readonly hdfsUser: string | undefined;
  /** Why nobody looks after the model, as far as that is certain. */
  readonly unattended: Unattended | undefined;
}

export interface InstanceFacts {
  readonly pod: PodFacts;
  /** Undefined where it was not asked: there is no agent yet, or nothing is wrong. */
  readonly agent: Asked<SaidStatus> | undefined;
  /** About the pod; undefined where nobody asked. */
  readonly events: Asked<readonly EventFacts[]> | undefined;
  /** Last lines; undefined where nobody asked. */
  readonly scriptLog: Asked<LogTail> | undefined;
  readonly agentLog: Asked<LogTail> | undefined;
}

export interface LogTail {
  readonly lines: readonly string[];
  /** Of the container that ran before. */
  readonly previous: boolean;
}
