/**
 * An API server in the test's process that stores what it is given, as the real one does, and misbehaves on demand.
 * It knows no kinds: every path of the right form is a collection.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ClusterAccess } from '../../src/adapters/kube/kubeconfig/choose.ts';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';

export interface FakeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** What to do with a request instead of serving it. */
export type Fault =
  | { readonly do: 'reset' }
  | { readonly do: 'hang' }
  | {
      readonly do: 'answer';
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Record<string, string>;
    }
  /** Serves it, then cuts the connection instead of answering. */
  | { readonly do: 'serve-and-reset' };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

interface Target {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly namespaced: boolean;
}

interface Watcher {
  readonly target: Target;
  readonly selector: string | null;
  readonly response: ServerResponse;
}

interface HistoryEntry {
  readonly version: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: FakeObject;
}

export class FakeKubeApi {
  /** Everything that was asked, in order. */
  readonly requests: SeenRequest[] = [];
  /** Decides for each request, before it is served; undefined serves it. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  /** While true, watches stay open and hear nothing, not even their end. */
  silent = false;
  /** How an expired resourceVersion of a watch is told. */
  expiredAtStart = true;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #collections = new Map<string, Map<string, FakeObject>>();
  readonly #watchers = new Set<Watcher>();
  #history: HistoryEntry[] = [];
  #version = 100;
  #oldest = 0;
  #uids = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  kubeconfig(): ClusterAccess {
    return loadKubeconfig({ env: { KUBECONFIG: '/dev/null' }, server: this.url });
  }

  /** The open watches and connections. */
  get watchers(): number {
    return this.#watchers.size;
  }
  get connections(): number {
    return this.#sockets.size;
  }

  /** Stores an object as another client would; answers with what is stored. `collection` as `v1/pods`. */
  put(collection: string, object: FakeObject): FakeObject {
    const objects = this.#objects(collection);
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const known = objects.get(key);
    const uid = known?.metadata.uid ?? object.metadata.uid ?? `uid-${++this.#uids}`;
    const version = ++this.#version;
    const [, plural] = splitCollection(collection);
    const stored: FakeObject = {
      apiVersion: collection.slice(0, -plural.length - 1),
      kind: plural,
      ...structuredClone(object),
      metadata: { ...structuredClone(object.metadata), uid, resourceVersion: String(version) },
    };
    objects.set(key, stored);
    this.#happen({ version, collection, type: known === undefined ? 'ADDED' : 'MODIFIED', object: stored });
    return stored;
  }

  remove(collection: string, namespace: string | undefined, name: string): void {
    const objects = this.#objects(collection);
    const key = keyOf(namespace, name);
    const known = objects.get(key);
    if (known === undefined) return;
    objects.delete(key);
    const version = ++this.#version;
    const last = { ...known, metadata: { ...known.metadata, resourceVersion: String(version) } };
    this.#happen({ version, collection, type: 'DELETED', object: last });
  }

  find(collection: string, namespace: string | undefined, name: string): FakeObject | undefined {
    return this.#objects(collection).get(keyOf(namespace, name));
  }

  all(collection: string): FakeObject[] {
    return [...this.#objects(collection).values()];
  }

  /** Forgets the history: watches from before answer 410. */
  compact(): void {
    this.#oldest = this.#version;
    this.#history = [];
  }

  /** Cuts every watch off without an end. */
  cutWatches(): void {
    for (const { response } of this.#watchers) response.socket?.destroy();
  }

  /** Ends every watch in order, after what was written. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
  }

  /** Writes raw text into every watch, whole lines or parts of one. */
  say(text: string): void {
    for (const { response } of this.#watchers) response.write(text);
  }

  /** One that overtook changes would say that they had been told. */
  bookmark(): void {
    const metadata = { resourceVersion: String(++this.#version) };
    if (!this.silent) this.say(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
  }

  #objects(collection: string): Map<string, FakeObject> {
    const known = this.#collections.get(collection);
    if (known !== undefined) return known;
    const fresh = new Map<string, FakeObject>();
    this.#collections.set(collection, fresh);
    return fresh;
  }

  #happen(entry: HistoryEntry): void {
    this.#history.push(entry);
    if (this.silent) return;
    for (const watcher of this.#watchers) this.#tell(watcher, entry);
  }

  #tell(watcher: Watcher, entry: HistoryEntry): void {
    if (entry.collection !== watcher.target.collection) return;
    if (!selected(entry.object, watcher.target.namespace, watcher.selector)) return;
    watcher.response.write(`${JSON.stringify({ type: entry.type, object: entry.object })}\n`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.requests.push(seen);
    const fault = this.fault(seen);
    if (fault?.do === 'reset') {
      request.socket.destroy();
      return;
    }
    if (fault?.do === 'hang') return;
    if (fault?.do === 'answer') {
      answer(response, fault.status, fault.body ?? {}, fault.headers);
      return;
    }

    const target = parsePath(url.pathname);
    if (target === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      return;
    }
    if (seen.query.get('watch') === 'true') {
      this.#watch(seen, target, response);
      return;
    }
    const [status, body] = this.#handle(seen, target);
    if (fault?.do === 'serve-and-reset') {
      request.socket.destroy();
      return;
    }
    answer(response, status, body);
  }

  #watch(request: SeenRequest, target: Target, response: ServerResponse): void {
    const from = Number(request.query.get('resourceVersion') ?? 0);
    const expired = refusal(410, 'Expired', `too old resource version: ${from} (${this.#oldest})`);
    if (from < this.#oldest && this.expiredAtStart) {
      answer(response, 410, expired);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.#oldest) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: expired })}\n`);
      return;
    }
    const watcher: Watcher = { target, selector: request.query.get('labelSelector'), response };
    for (const entry of this.#history) if (entry.version > from) this.#tell(watcher, entry);
    this.#watchers.add(watcher);
    const seconds = Number(request.query.get('timeoutSeconds') ?? 60);
    const end = setTimeout(() => {
      if (!this.silent) response.end();
    }, seconds * 1_000);
    response.on('close', () => {
      clearTimeout(end);
      this.#watchers.delete(watcher);
    });
  }

  #handle(request: SeenRequest, target: Target): [number, unknown] {
    const { collection, namespace, name } = target;
    const objects = this.#objects(collection);
    if (name === undefined) {
      return request.method === 'POST' ? this.#create(request, target) : this.#list(request, target);
    }
    const known = objects.get(keyOf(namespace, name));
    const absent = refusal(404, 'NotFound', `${collection} "${name}" not found`, name);
    if (request.method === 'GET') return known === undefined ? [404, absent] : [200, known];
    const body = request.body as Record<string, unknown>;
    if (request.method === 'DELETE') {
      if (known === undefined) return [404, absent];
      const wanted = (body['preconditions'] ?? {}) as Record<string, string>;
      if (!holds(known, wanted)) return [409, refusal(409, 'Conflict', 'the precondition does not hold', name)];
      this.remove(collection, namespace, name);
      return [200, { kind: 'Status', status: 'Success' }];
    }
    const applied = request.headers['content-type'] === 'application/apply-patch+yaml';
    const metadata = (body['metadata'] ?? {}) as Record<string, string>;
    if (known === undefined) {
      if (!applied) return [404, absent];
      if (target.subresource !== undefined) return [404, absent];
      if (metadata['uid'] !== undefined) return [409, refusal(409, 'Conflict', 'uid mismatch', name)];
      return [201, this.put(collection, body as FakeObject)];
    }
    if (metadata['uid'] !== undefined && metadata['uid'] !== known.metadata.uid) {
      return [422, immutableUid(name)];
    }
    if (!holds(known, metadata)) return [409, refusal(409, 'Conflict', 'the object has been modified', name)];
    const merged = merge(known, body) as FakeObject;
    const { resourceVersion: _old, ...kept } = merged.metadata;
    const { resourceVersion: _known, ...before } = known.metadata;
    if (JSON.stringify({ ...merged, metadata: kept }) === JSON.stringify({ ...known, metadata: before })) {
      return [200, known];
    }
    return [200, this.put(collection, { ...merged, metadata: { ...kept, name } })];
  }

  #create(request: SeenRequest, target: Target): [number, unknown] {
    const object = request.body as FakeObject;
    if (this.find(target.collection, target.namespace, object.metadata.name) !== undefined) {
      return [409, refusal(409, 'AlreadyExists', `"${object.metadata.name}" already exists`, object.metadata.name)];
    }
    return [201, this.put(target.collection, object)];
  }

  #list(request: SeenRequest, target: Target): [number, unknown] {
    const found = this.all(target.collection)
      .filter((object) => selected(object, target.namespace, request.query.get('labelSelector')))
      .map(({ apiVersion: _version, kind: _kind, ...item }) => item);
    const limit = Number(request.query.get('limit') ?? 0) || found.length;
    const from = Number(request.query.get('continue') ?? 0);
    const metadata = {
      resourceVersion: String(this.#version),
      ...(from + limit < found.length ? { continue: String(from + limit) } : {}),
    };
    return [200, { kind: 'List', apiVersion: 'v1', metadata, items: found.slice(from, from + limit) }];
  }
}

/** The Status that the API server sends with a refusal. */
export function refusal(code: number, reason: string, message: string, name?: string): Record<string, unknown> {
  const details = name === undefined ? {} : { details: { name, kind: 'things' } };
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, ...details };
}

/** How the API server answers a write that names another UID than the object has. */
function immutableUid(name: string): Record<string, unknown> {
  const message = 'Invalid value: field is immutable';
  return {
    ...refusal(422, 'Invalid', `"${name}" is invalid: metadata.uid: ${message}`),
    details: { name, causes: [{ reason: 'FieldValueInvalid', field: 'metadata.uid', message }] },
  };
}

function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function parsePath(path: string): Target | undefined {
  const pattern =
    /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))(?:\/namespaces\/([^/]+)(?=\/))?\/([a-z]+)(?:\/([^/]+))?(?:\/(status|scale))?$/;
  const found = pattern.exec(path);
  if (found === null) return undefined;
  const [, core, group, namespace, plural, name, subresource] = found;
  return {
    collection: `${core ?? group}/${plural}`,
    namespace,
    name: name === undefined ? undefined : decodeURIComponent(name),
    subresource,
    namespaced: namespace !== undefined,
  };
}

function splitCollection(collection: string): [string, string] {
  const at = collection.lastIndexOf('/');
  return [collection.slice(0, at), collection.slice(at + 1)];
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function holds(known: FakeObject, wanted: Record<string, unknown>): boolean {
  return (['uid', 'resourceVersion'] as const).every(
    (field) => wanted[field] === undefined || wanted[field] === known.metadata[field],
  );
}

function selected(object: FakeObject, namespace: string | undefined, selector: string | null): boolean {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  return (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [label = '', value = ''] = term.split('=');
      return object.metadata.labels?.[label] === value;
    });
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
