/**
 * The original Model as a Service, as far as ZooKeeper and its callers can tell: when it starts it takes the path of its
 * queue from the configuration node and wipes the service root; then it takes one request after the other, and its
 * instances answer and are registered by persistent nodes. See the ApplicationMaster and MaaSHandler of Apache Metron
 * (metron-analytics/metron-maas-service), which make the queue once and never look at the configuration again.
 */
import { createServer, type Server } from 'node:http';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { readQueueRequest } from '../../src/wire/queue-request.ts';
import { parseServiceConfig } from '../../src/wire/service-config.ts';
import { encodeRegistration } from '../../src/wire/service-instance.ts';
import type { Chroot } from './chroot.ts';

const lastCallsMs = 1_000;

interface Instance {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly server: Server;
}

export class Original implements AsyncDisposable {
  readonly #chroot: Chroot;
  /** Its own address, which clients on this machine reach. */
  readonly #host: string;
  readonly #queue: string;
  readonly #instances: Instance[] = [];
  readonly #stop = new AbortController();
  readonly #working: Promise<void>;
  #failure: unknown;
  #ids = 2;

  private constructor(chroot: Chroot, host: string, queue: string) {
    this.#chroot = chroot;
    this.#host = host;
    this.#queue = queue;
    this.#working = this.#work();
  }

  /** @param configPath of its configuration node, as `-zr` of the service starter */
  static async start(chroot: Chroot, host: string, configPath: string): Promise<Original> {
    const node = await chroot.nodes.get(`${chroot.path}${configPath}`);
    const { queuePath } = parseServiceConfig(node?.data, configPath);
    const queue = `${chroot.path}${queuePath}`;
    if ((await chroot.nodes.get(queue)) === undefined) await chroot.nodes.create(queue);
    for (const model of await children(chroot, chroot.serviceRoot())) {
      await chroot.nodes.delete(`${chroot.serviceRoot()}/${model}`);
    }
    return new Original(chroot, host, queue);
  }

  /** Its containers end with it; what they registered stays, as when a node manager kills them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#working;
    for (const { server } of this.#instances.splice(0)) await closed(server);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #work(): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        const [next] = await children(this.#chroot, this.#queue);
        if (next === undefined) await systemClock.sleep(50, this.#stop.signal).catch(() => {});
        else await this.#take(`${this.#queue}/${next}`);
      }
    } catch (error) {
      this.#failure = error;
    }
  }

  async #take(path: string): Promise<void> {
    const reading = readQueueRequest((await this.#chroot.nodes.get(path))?.data ?? Buffer.alloc(0));
    await this.#chroot.nodes.delete(path);
    if (reading.kind !== 'request') return;
    const { action, name, version, instances } = reading.request;
    for (let at = 0; at < instances; at++) {
      if (action === 'ADD') await this.#add(name ?? '', version ?? '');
      if (action === 'REMOVE') await this.#remove(name ?? '', version ?? '');
    }
  }

  async #add(model: string, version: string): Promise<void> {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ version, by: 'yarn' }));
    });
    await new Promise<void>((resolve) => server.listen(0, this.#host, resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const id = String(this.#ids++);
    const url = `http://${this.#host}:${port}`;
    const registration = { model, version, id, url, functions: { apply: 'apply' }, registeredAt: systemClock.now() };
    await this.#chroot.nodes.create(`${this.#chroot.serviceRoot()}/${model}/${id}`, encodeRegistration(registration));
    this.#instances.push({ model, version, id, server });
  }

  async #remove(model: string, version: string): Promise<void> {
    const at = this.#instances.findIndex((each) => each.model === model && each.version === version);
    const [instance] = at < 0 ? [] : this.#instances.splice(at, 1);
    if (instance === undefined) return;
    await this.#chroot.nodes.delete(`${this.#chroot.serviceRoot()}/${model}/${instance.id}`);
    // More patient than the real one, so that a call that fails is none of its.
    await systemClock.sleep(lastCallsMs, this.#stop.signal).catch(() => {});
    await closed(instance.server);
  }
}

async function children(chroot: Chroot, path: string): Promise<string[]> {
  return (await chroot.nodes.get(path)) === undefined ? [] : await chroot.nodes.children(path);
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
