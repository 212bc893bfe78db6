/**
 * Which ModelDeployment a model name and version mean. Those that the commands and the old queue made have a name that
 * follows from both; one that a manifest made under any other name is the same model to Stellar, so it is the one that
 * is meant.
 */
import type { ObjectState } from '../contracts/object-state.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { Autoscaler } from './autoscaler.ts';

/** A ModelDeployment, as far as ADD and REMOVE are concerned. */
export interface DeployedModel {
  readonly state: ObjectState;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly deleting: boolean;
  readonly stalled: boolean;
  readonly model: string;
  readonly version: string;
  readonly instances: number;
  /** A quantity. */
  readonly memory: string;
  /** The payload's directory in HDFS. */
  readonly path: string;
  readonly readFrom: string;
  /** Who follows its load; undefined where nobody does. */
  readonly autoscaler?: Autoscaler | undefined;
}

/**
 * @param models of one namespace
 * @returns the owner first, where several claim the same name and version; those being deleted come last
 */
export function modelsMeant<M extends DeployedModel>(models: readonly M[], model: string, version: string): M[] {
  return models
    .filter((each) => each.model === model && each.version === version)
    .sort(
      (a, b) =>
        Number(a.deleting) - Number(b.deleting) ||
        Number(a.stalled) - Number(b.stalled) ||
        compareTexts(a.createdAt, b.createdAt) ||
        compareTexts(a.state.uid, b.state.uid),
    );
}
