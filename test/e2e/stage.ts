/**
 * A stage for one end-to-end test file: a namespace that enforces restricted Pod Security, an operator of its own
 * installed with the chart, a chroot of its own in ZooKeeper and a directory of its own in HDFS. Everything is removed
 * at the end, except what all share: the CRD.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { projectRoot } from '../../deploy/local/cache.ts';
import { run } from '../../deploy/local/run.ts';
import type { WorldImages } from '../../deploy/local/world.ts';
import { type Hdfs, openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { Chroot } from '../integration/chroot.ts';
import { present } from '../integration/world.ts';
import { cleanUp } from './clean-up.ts';

const shownModel = z.object({
  metadata: z.object({ name: z.string(), uid: z.string(), generation: z.number() }),
  spec: z.record(z.string(), z.unknown()),
  status: z
    .object({
      observedGeneration: z.number().optional(),
      replicas: z.number().optional(),
      ready: z.number().optional(),
      registered: z.number().optional(),
      updated: z.number().optional(),
      rollout: z.record(z.string(), z.unknown()).optional(),
      history: z.array(z.record(z.string(), z.unknown())).optional(),
      serving: z.string().optional(),
      payload: z
        .object({
          path: z.string(),
          copy: z.string().optional(),
          digest: z.string().optional(),
          verified: z.number().optional(),
        })
        .optional(),
      endpointsTotal: z.number().optional(),
      endpoints: z
        .array(
          z.object({
            pod: z.string(),
            version: z.string(),
            url: z.string().optional(),
            digest: z.string().optional(),
            state: z.string(),
            message: z.string().optional(),
          }),
        )
        .default([]),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: z.string(), message: z.string() }))
        .default([]),
    })
    .default({ endpoints: [], conditions: [] }),
});
export type ShownModel = z.infer<typeof shownModel>;

export interface ModelOptions {
  readonly model?: string;
  readonly version?: string;
  readonly path?: string;
  readonly instances?: number;
  readonly memory?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** Another cluster, and how the parts of the local world are reached from there. */
export interface Site {
  readonly kubeconfig?: string;
  /** A quorum without a path. */
  readonly zookeeper?: string;
  readonly webhdfs?: readonly string[];
  /** Those that its nodes have. */
  readonly images?: WorldImages;
}

/** `imageOf` splits at the last colon that is not a port. */
function imageValues(image: string): { repository: string; tag: string } {
  const colon = image.lastIndexOf(':');
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
}

export class Stage implements AsyncDisposable {
  readonly namespace: string;
  readonly operatorNamespace: string;
  readonly release: string;
  readonly chroot: Chroot;
  readonly hdfs: Hdfs;
  /** Directory of this stage's payloads in HDFS. */
  readonly payloads: string;
  /** And of the copies of payloads that its operator keeps. */
  readonly store: string;
  /** HDFS as its superuser: a test may have taken a directory away from everybody else. */
  readonly #superuser: Hdfs;
  readonly #env: Record<string, string>;
  readonly #values: Record<string, unknown>;
  readonly #beside: { readonly release: string; readonly operatorNamespace: string }[] = [];

  private constructor(name: string, chroot: Chroot, values: Record<string, unknown>, site: Site) {
    const id = `${name}-${randomBytes(3).toString('hex')}`;
    this.namespace = `e2e-${id}`;
    this.operatorNamespace = `e2e-${id}-operator`;
    this.release = `e2e-${id}`;
    this.chroot = chroot;
    this.payloads = `/user/maas/e2e/${id}`;
    this.store = `${this.payloads}/store`;
    const hdfs = present('hdfs');
    const settings = {
      nameservices: {
        [hdfs.nameservice]: {
          webhdfs: hdfs.namenodes.map((node) => node.webhdfs),
          authorities: hdfs.namenodes.map((node) => node.rpc),
        },
      },
      user: hdfs.user,
    };
    this.hdfs = openHdfs(settings, hdfs.nameservice, { clock: systemClock });
    this.#superuser = openHdfs(settings, hdfs.nameservice, { clock: systemClock, user: hdfs.superuser });
    this.#env = { KUBECONFIG: site.kubeconfig ?? present('cluster').kubeconfig };
    const images = site.images ?? present('images');
    if (images.operator === null) throw new Error('there is no operator image; run `make images`');
    this.#values = {
      image: imageValues(images.operator),
      model: { image: imageValues(images.runtime) },
      zookeeper: { quorum: site.zookeeper === undefined ? chroot.connect() : `${site.zookeeper}${chroot.path}` },
      hdfs:
        site.webhdfs === undefined
          ? settings
          : { ...settings, nameservices: { [hdfs.nameservice]: { webhdfs: site.webhdfs } } },
      namespaces: [this.namespace],
      crds: { install: false },
      payloadCheckMs: 2_000,
      payloadStore: { root: this.store },
      ...values,
    };
  }

  /**
   * @param name short, for people who look at the cluster meanwhile
   * @param values more values for the chart
   * @param site where it is, if not in the cluster of the local world
   */
  static async open(name: string, values: Record<string, unknown> = {}, site: Site = {}): Promise<Stage> {
    const stage = new Stage(name, await Chroot.make(), values, site);
    try {
      await stage.kubectl('apply', '--server-side', '--force-conflicts', '-f', join(projectRoot, 'crds'));
      await stage.kubectl('wait', '--for=condition=Established', 'crd/modeldeployments.maas.dev', '--timeout=30s');
      for (const namespace of [stage.namespace, stage.operatorNamespace]) {
        await stage.makeNamespace(namespace);
      }
      await stage.install();
    } catch (error) {
      // What went wrong is told, not what then could not be cleaned up.
      await stage[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
    return stage;
  }

  async makeNamespace(namespace: string, level = 'restricted'): Promise<void> {
    await this.kubectl('create', 'namespace', namespace);
    await this.kubectl('label', 'namespace', namespace, `pod-security.kubernetes.io/enforce=${level}`);
  }

  /** Installs the operator, or upgrades it with other values. */
  async install(values: Record<string, unknown> = {}): Promise<void> {
    const { helm } = present('tools');
    const args = ['upgrade', '--install', this.release, join(projectRoot, 'charts/maas-operator')];
    await run(helm, [...args, '--namespace', this.operatorNamespace, '--values', '-', '--wait', '--timeout', '90s'], {
      env: this.#env,
      input: JSON.stringify({ ...this.#values, ...values }),
    });
  }

  /** As `helm uninstall` does it: nobody waits for what goes. */
  async uninstall(): Promise<void> {
    const { helm } = present('tools');
    await run(helm, ['uninstall', this.release, '--namespace', this.operatorNamespace], { env: this.#env });
  }

  /** Installs another release beside this one, for the same ZooKeeper and HDFS; it goes with the stage. */
  async installBeside(suffix: string, values: Record<string, unknown>): Promise<{ operatorNamespace: string }> {
    const { helm } = present('tools');
    const operatorNamespace = `${this.operatorNamespace}-${suffix}`;
    const release = `${this.release}-${suffix}`;
    this.#beside.push({ release, operatorNamespace });
    await this.makeNamespace(operatorNamespace);
    const args = ['install', release, join(projectRoot, 'charts/maas-operator'), '--namespace', operatorNamespace];
    await run(helm, [...args, '--values', '-', '--wait', '--timeout', '90s'], {
      env: this.#env,
      input: JSON.stringify({ ...this.#values, ...values }),
    });
    return { operatorNamespace };
  }

  /** What `helm test` prints; throws unless it succeeds. */
  helmTest(): Promise<string> {
    const { helm } = present('tools');
    return run(helm, ['test', this.release, '--namespace', this.operatorNamespace, '--logs'], { env: this.#env });
  }

  kubectl(...args: string[]): Promise<string> {
    return run(present('tools').kubectl, args, { env: this.#env });
  }

  kubectlIn(input: string, ...args: string[]): Promise<string> {
    return run(present('tools').kubectl, args, { env: this.#env, input });
  }

  /** `kubectl` in the models' namespace. */
  k(...args: string[]): Promise<string> {
    return this.kubectl('--namespace', this.namespace, ...args);
  }

  /** What `kubectl maas` prints, from the sources, in the models' namespace. */
  maas(...args: string[]): Promise<string> {
    return run(process.execPath, this.#maasArgs(args), { env: this.#maasEnv() });
  }

  /** The same of what goes on until it is interrupted. */
  startMaas(...args: string[]): ChildProcess {
    const env = { ...process.env, ...this.#maasEnv() };
    return spawn(process.execPath, this.#maasArgs(args), { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  #maasArgs(args: readonly string[]): string[] {
    return [join(projectRoot, 'src/bin/kubectl-maas.ts'), ...args, '--namespace', this.namespace];
  }

  #maasEnv(): Record<string, string> {
    return { ...this.#env, MAAS_OPERATOR_NAMESPACE: this.operatorNamespace, NO_COLOR: '1' };
  }

  async json(...args: string[]): Promise<unknown> {
    return JSON.parse(await this.k('get', ...args, '--output', 'json'));
  }

  /** Puts a payload below this stage's directory and gives its path. Each file is its text. */
  async payload(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const directory = `${this.payloads}/${name}`;
    for (const [path, text] of Object.entries(files)) {
      await this.hdfs.write(`${directory}/${path}`, () => Readable.from([Buffer.from(text)]), {
        length: Buffer.byteLength(text),
        overwrite: true,
      });
    }
    return directory;
  }

  /** Takes a directory away from everybody but HDFS's superuser. */
  async makePrivate(directory: string): Promise<void> {
    const { namenodes } = present('hdfs');
    const { host } = present('engine');
    const [first] = namenodes;
    if (first === undefined) throw new Error('there is no name node');
    const role = (...args: string[]) =>
      run(
        'docker',
        ['exec', first.container, 'role', 'dfs', ...args],
        host === null ? {} : { env: { DOCKER_HOST: host } },
      );
    await role('-chown', '-R', 'hdfs', directory);
    await role('-chmod', '-R', '700', directory);
  }

  async apply(name: string, options: ModelOptions, namespace = this.namespace): Promise<void> {
    const manifest = {
      apiVersion: 'maas.dev/v1',
      kind: 'ModelDeployment',
      metadata: { name, namespace },
      spec: {
        name: options.model ?? name,
        version: options.version ?? '1.0',
        instances: options.instances ?? 1,
        memory: options.memory ?? '96Mi',
        cpu: '20m',
        payload: { path: options.path ?? `${this.payloads}/${name}` },
        ...options.spec,
      },
    };
    await this.kubectlIn(JSON.stringify(manifest), 'apply', '-f', '-');
  }

  async show(name: string): Promise<ShownModel> {
    return shownModel.parse(await this.json('mdl', name));
  }

  /** The column REASON of `kubectl get mdl`, as a person reads it. */
  async reason(name: string): Promise<string> {
    const [head = '', line = ''] = (await this.k('get', 'mdl', name)).split('\n');
    const at = head.indexOf('REASON');
    return line.slice(at).split(/\s/)[0] ?? '';
  }

  /** Waits for a reason and gives the message that goes with it. */
  async reasonIs(name: string, reason: string, withinMs = 60_000): Promise<string> {
    await eventually(`the reason of ${name} is ${reason}`, async () => (await this.reason(name)) === reason, {
      withinMs,
      account: async () => JSON.stringify((await this.show(name)).status.conditions, null, 1),
    });
    const ready = (await this.show(name)).status.conditions.find((condition) => condition.type === 'Ready');
    return ready?.message ?? '';
  }

  /** Waits until all instances are registered and the resource has settled. */
  async serves(name: string, instances: number, withinMs = 90_000): Promise<ShownModel> {
    await eventually(
      `${name} serves with ${instances}`,
      async () => {
        const { metadata, status } = await this.show(name);
        const settled = status.conditions.some((c) => c.type === 'Reconciling' && c.status === 'False');
        return status.observedGeneration === metadata.generation && status.registered === instances && settled;
      },
      { withinMs, account: async () => JSON.stringify((await this.show(name)).status, null, 1) },
    );
    return this.show(name);
  }

  /** Names of a model's pods that are not on their way out. */
  async pods(
    selector = 'app.kubernetes.io/name=maas-model',
  ): Promise<{ name: string; uid: string; restarts: number; ready: boolean }[]> {
    const list = z
      .object({
        items: z.array(
          z.object({
            metadata: z.object({ name: z.string(), uid: z.string(), deletionTimestamp: z.string().optional() }),
            status: z.object({
              conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
              containerStatuses: z.array(z.object({ restartCount: z.number() })).default([]),
              initContainerStatuses: z.array(z.object({ restartCount: z.number() })).default([]),
            }),
          }),
        ),
      })
      .parse(await this.json('pods', '--selector', selector));
    return list.items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, status }) => ({
        name: metadata.name,
        uid: metadata.uid,
        restarts: [...status.containerStatuses, ...status.initContainerStatuses].reduce(
          (sum, c) => sum + c.restartCount,
          0,
        ),
        ready: status.conditions.some((c) => c.type === 'Ready' && c.status === 'True'),
      }));
  }

  /** Registered instance ids of a model. */
  async registered(model: string): Promise<string[]> {
    return (await this.chroot.nodes.children(`${this.chroot.serviceRoot()}/${model}`)) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { helm } = present('tools');
    // The models first, in good order, while their operator is there.
    await this.kubectl('delete', 'mdl', '--all', '--namespace', this.namespace, '--timeout=60s').catch(() => {});
    await run(helm, ['uninstall', this.release, '--namespace', this.operatorNamespace, '--ignore-not-found'], {
      env: this.#env,
    }).catch(() => {});
    for (const { release, operatorNamespace } of this.#beside) {
      await run(helm, ['uninstall', release, '--namespace', operatorNamespace, '--ignore-not-found'], {
        env: this.#env,
      }).catch(() => {});
    }
    const namespaces = [this.namespace, this.operatorNamespace, ...this.#beside.map((one) => one.operatorNamespace)];
    await cleanUp(
      () => this.kubectl('delete', 'namespace', ...namespaces, '--ignore-not-found', '--wait=false'),
      () => this.#superuser.delete(this.payloads, { recursive: true }),
      () => this.chroot[Symbol.asyncDispose](),
    );
  }
}

/** Waits until something is so; fails with an account of how it was instead. */
export async function eventually(
  what: string,
  check: () => Promise<boolean>,
  options: { withinMs?: number; account?: () => Promise<string> } = {},
): Promise<void> {
  const end = performance.now() + (options.withinMs ?? 60_000);
  for (;;) {
    if (await check()) return;
    if (performance.now() > end) {
      const account = options.account === undefined ? '' : `\n${await options.account()}`;
      throw new Error(`not within ${options.withinMs ?? 60_000} ms: ${what}${account}`);
    }
    await systemClock.sleep(100);
  }
}
