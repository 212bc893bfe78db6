/** Clients by what a command line says about the cluster: one for each choice, so that nobody logs in twice. */
import type { Clock } from '../../kernel/clock.ts';
import { KubeClient } from './client.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import { createTransport, type Transport } from './transport.ts';

type Flags = Omit<Parameters<typeof loadKubeconfig>[0], 'env' | 'path'>;

interface Chosen {
  readonly client: KubeClient;
  /** That of the kubeconfig's context. */
  readonly namespace: string;
}

export class ChosenClients {
  readonly #env: NodeJS.ProcessEnv;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #opened = new Map<object, Chosen & { readonly transport: Transport }>();

  constructor(env: NodeJS.ProcessEnv, clock: Clock, userAgent: string) {
    this.#env = env;
    this.#clock = clock;
    this.#userAgent = userAgent;
  }

  /** Makes no call yet. @throws MaasError KUBECONFIG_INVALID */
  open(choice: Flags & { readonly kubeconfig?: string | undefined }): Chosen {
    const known = this.#opened.get(choice);
    if (known !== undefined) return known;
    const { kubeconfig: path, ...flags } = choice;
    const load = () => loadKubeconfig({ ...flags, env: this.#env, path });
    const { namespace } = load();
    const transport = createTransport(load, this.#clock, this.#userAgent, this.#env);
    const fresh = { client: new KubeClient(transport, this.#clock), namespace, transport };
    this.#opened.set(choice, fresh);
    return fresh;
  }

  close(): void {
    for (const { transport } of this.#opened.values()) transport.close();
  }
}
