/** A part of the local ZooKeeper for one test file, removed when it is done. */
import { randomUUID } from 'node:crypto';
import { encodeRegistration, type Registration } from '../../src/wire/service-instance.ts';
import { Nodes } from './java.ts';
import { zookeeper } from './world.ts';

export class Chroot implements AsyncDisposable {
  /** Absolute path of the node that everything is below. */
  readonly path: string;
  /** Writes below the whole tree: its paths start with `path`. */
  readonly nodes: Nodes;
  private readonly quorum: string;

  private constructor(quorum: string, path: string, nodes: Nodes) {
    this.quorum = quorum;
    this.path = path;
    this.nodes = nodes;
  }

  static async make(): Promise<Chroot> {
    const { quorum } = zookeeper();
    const path = `/maas-test-${randomUUID()}`;
    const nodes = await Nodes.connect(quorum);
    await nodes.create(path);
    return new Chroot(quorum, path, nodes);
  }

  /** What a client is given to see only what is below `path` (or below one of its children). */
  connect(child = ''): string {
    return `${this.quorum}${this.path}${child === '' ? '' : `/${child}`}`;
  }

  /** Puts a registration where clients with the default configuration look for it, below a child of this chroot. */
  async register(registration: Registration, child = ''): Promise<void> {
    const { model, id } = registration;
    await this.nodes.create(`${this.serviceRoot(child)}/${model}/${id}`, encodeRegistration(registration));
  }

  /** The default service root, below a child of this chroot. */
  serviceRoot(child = ''): string {
    return `${this.path}${child === '' ? '' : `/${child}`}/maas/service`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nodes.delete(this.path);
    await this.nodes[Symbol.asyncDispose]();
  }
}
