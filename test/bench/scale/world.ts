/** The resources of the bench, and the operators that it starts for them: what is asked of them, and what is seen. */
import { type ModelDeploymentObject, modelDeployments } from '../../../src/adapters/kube/model-cluster.ts';
import { deployments, type Stored } from '../../../src/adapters/kube/resource-kind.ts';
import { startWatch } from '../../../src/adapters/kube/watch.ts';
import type { HdfsSettings } from '../../../src/contracts/hadoop-side.ts';
import { resourceEntry } from '../../../src/contracts/resource-entry.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { systemClock } from '../../../src/kernel/system-clock.ts';
import type { ControlPlane } from './control-plane.ts';
import { MeasuredOperator } from './measured-operator.ts';

/** Of all resources. */
export const namespace = 'models';
export const clusterId = 'bench';
export const operatorRoot = '/maas/operator';
/** How long anything may take, milliseconds. */
export const patienceMs = 600_000;

export interface Setting {
  readonly size: number;
  readonly instances: number;
  readonly restMs: number;
  /** How many resources are created in a second. */
  readonly aSecond: number;
  readonly directory: string;
  readonly quorum: string;
  readonly hdfs: HdfsSettings;
  readonly payload: string;
  readonly crd: object;
  readonly tell: (text: string) => void;
}

/** The operator's. */
export function settingsOf({ quorum, hdfs }: Setting) {
  return {
    clusterId,
    zookeeper: { quorum, operatorRoot },
    hdfs,
    agent: { image: 'maas-operator' },
    model: { image: 'maas-runtime' },
  };
}

/** What is followed of a resource. */
interface Seen {
  readonly name: string;
  readonly settledWith: number | undefined;
}

export class World implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly setting: Setting;
  readonly #operators: MeasuredOperator[] = [];
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #settled = new Map<string, number>();
  readonly #replicas = new Map<string, number>();
  #port = 20_000 + (process.pid % 20_000);
  lastSettledAt = 0;

  constructor(plane: ControlPlane, setting: Setting) {
    this.plane = plane;
    this.setting = setting;
  }

  async watch(): Promise<void> {
    const common = { client: this.plane.client, clock: systemClock, log: silentLog };
    const resources = startWatch({
      ...common,
      kind: modelDeployments,
      project: seen,
      onChange: ({ object: { name, settledWith } }) => {
        if (settledWith === undefined) this.#settled.delete(name);
        else if (this.#settled.get(name) !== settledWith) {
          this.#settled.set(name, settledWith);
          this.lastSettledAt = performance.now();
        }
      },
    });
    const children = startWatch({
      ...common,
      kind: deployments,
      project: ({ metadata, spec }) => ({ name: metadata.name, replicas: spec?.replicas ?? 0 }),
      onChange: ({ object: { name, replicas } }) => this.#replicas.set(name.slice(0, name.lastIndexOf('-')), replicas),
    });
    this.#stops.push(
      () => resources.stop(),
      () => children.stop(),
    );
    await Promise.all([resources.synced, children.synced]);
  }

  start(): MeasuredOperator {
    const { directory } = this.setting;
    this.#port += 1;
    const operator = new MeasuredOperator({
      directory,
      kubeconfig: this.plane.kubeconfig('operator'),
      settings: settingsOf(this.setting),
      port: this.#port,
    });
    this.#operators.push(operator);
    return operator;
  }

  settledWith(instances: number): number {
    let count = 0;
    for (const each of this.#settled.values()) if (each === instances) count += 1;
    return count;
  }

  async create(index: number): Promise<number> {
    const name = nameOf(index);
    await this.plane.client.create(modelDeployments, {
      metadata: { namespace, name },
      spec: { name, version: '1.0', instances: 0, memory: '64Mi', payload: { path: this.setting.payload } },
    });
    return 0;
  }

  async scale(index: number, instances: number): Promise<number> {
    await this.plane.client.mergePatch(modelDeployments, { namespace, name: nameOf(index) }, { spec: { instances } });
    return instances;
  }

  /** Until its Deployment has so many replicas, milliseconds. */
  async change(index: number, instances: number): Promise<number> {
    const began = performance.now();
    await this.scale(index, instances);
    while (this.#replicas.get(nameOf(index)) !== instances) {
      if (performance.now() - began > patienceMs) throw new Error(`${nameOf(index)} is not changed`);
      await systemClock.sleep(5);
    }
    return performance.now() - began;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const operator of this.#operators) await operator[Symbol.asyncDispose]();
    for (const stop of this.#stops) await stop();
  }
}

function nameOf(index: number): string {
  return `model-${String(index).padStart(5, '0')}`;
}

function seen(object: Stored<ModelDeploymentObject>): Seen {
  const { metadata, spec, status } = resourceEntry(object).resource;
  const reconciling = status.conditions?.find(({ type }) => type === 'Reconciling');
  const settled =
    status.observedGeneration === metadata.generation &&
    reconciling?.status === 'False' &&
    status.registered === spec.instances;
  return { name: metadata.name, settledWith: settled ? spec.instances : undefined };
}
