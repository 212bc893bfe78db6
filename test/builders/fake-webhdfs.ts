/**
 * An HDFS in memory behind real HTTP servers: name nodes that redirect, data nodes that carry bytes. A test may answer
 * any request in its own way first, which is how the lies of the real thing are told.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HdfsSettings, hdfsSettings } from '../../src/contracts/hadoop-side.ts';

export interface FakeRequest {
  /** `nn1`, `nn2`, `dn1`, ... */
  readonly node: string;
  readonly method: string;
  readonly op: string;
  /** Decoded. */
  readonly path: string;
  /** As they came: `?op=OPEN&...`. */
  readonly query: string;
  readonly parameters: URLSearchParams;
}

/** Answers the request itself, or returns false to leave it to the file system. */
export type Interceptor = (
  request: FakeRequest,
  response: http.ServerResponse,
  incoming: http.IncomingMessage,
) => boolean | Promise<boolean>;

interface FakeFile {
  bytes: Buffer;
  fileId: number;
  modificationTime: number;
  blockSize: number;
  /** Where it is not cut evenly. */
  blocks?: Buffer[];
}

export const fakeBlockSize = 128 * 1024 * 1024;

export class FakeWebHdfs {
  readonly files = new Map<string, FakeFile>();
  /** Paths, and when they were made. */
  readonly directories = new Map<string, number>([['/', 0]]);
  /** Every request, in the order of arrival. */
  readonly requests: FakeRequest[] = [];
  /** Asked before the file system; set it to lie. */
  intercept: Interceptor = () => false;
  /** Which of the data nodes that are not excluded a name node offers. */
  offers: (parameters: URLSearchParams) => number = () => 0;
  /** Entries in a page of a listing. */
  pageSize = 1000;
  /** The clock of this HDFS, milliseconds. */
  now = 1_795_000_000_000;
  readonly #servers: http.Server[] = [];
  readonly #nameNodes: string[] = [];
  readonly #dataNodes: { readonly host: string; readonly port: number }[] = [];
  #nextId = 16_386;

  /** Data nodes get loopback addresses of their own, because they are told apart by address. */
  static async start(count: { nameNodes?: number; dataNodes?: number } = {}): Promise<FakeWebHdfs> {
    const fake = new FakeWebHdfs();
    for (let n = 1; n <= (count.nameNodes ?? 1); n++) {
      fake.#nameNodes.push(`http://127.0.0.1:${await fake.#serve(`nn${n}`, '127.0.0.1')}`);
    }
    for (let n = 1; n <= (count.dataNodes ?? 2); n++) {
      const host = `127.0.1.${n}`;
      fake.#dataNodes.push({ host, port: await fake.#serve(`dn${n}`, host) });
    }
    return fake;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  /** Stops one node: its port then refuses connections. */
  async kill(node: string): Promise<void> {
    const names = [...this.#nameNodes.map((_, i) => `nn${i + 1}`), ...this.#dataNodes.map((_, i) => `dn${i + 1}`)];
    const server = this.#servers[names.indexOf(node)];
    if (server === undefined) throw new Error(`no ${node}`);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }

  get addresses(): readonly string[] {
    return this.#nameNodes;
  }

  get settings(): HdfsSettings {
    return hdfsSettings.parse({ nameservices: { fake: { webhdfs: this.#nameNodes } }, user: 'tester' });
  }

  put(path: string, content: string | Buffer, options: { blockSize?: number } = {}): FakeFile {
    this.makeDirectories(path.slice(0, path.lastIndexOf('/')) || '/');
    const file: FakeFile = {
      bytes: Buffer.from(content),
      fileId: this.#nextId++,
      modificationTime: this.now,
      blockSize: options.blockSize ?? fakeBlockSize,
    };
    this.files.set(path, file);
    return file;
  }

  /** What a CREATE does, whenever it comes; false where it must not make the directory. */
  create(path: string, parameters: URLSearchParams, content: Buffer): boolean {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    if (parameters.get('createparent') === 'false' && !this.directories.has(parent)) return false;
    const blockSize = parameters.get('blocksize');
    this.put(path, content, blockSize === null ? {} : { blockSize: Number(blockSize) });
    return true;
  }

  makeDirectories(path: string): void {
    for (let at = path; at !== '' && at !== '/'; at = at.slice(0, at.lastIndexOf('/'))) {
      if (!this.directories.has(at)) this.directories.set(at, this.now);
    }
  }

  /** Paths of all files below a directory. */
  below(directory: string): string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(`${directory}/`)).sort();
  }

  /** How often an operation was asked for, at the nodes whose names begin so. */
  count(op: string, node = ''): number {
    return this.requests.filter((request) => request.op === op && request.node.startsWith(node)).length;
  }

  async #serve(node: string, host: string): Promise<number> {
    const server = http.createServer((incoming, response) => {
      const url = new URL(incoming.url ?? '/', 'http://fake');
      const parameters = url.searchParams;
      const path = decodeURIComponent(url.pathname.replace(/^\/webhdfs\/v1/, '')).replace(/(.)\/$/, '$1') || '/';
      const op = (parameters.get('op') ?? '').toUpperCase();
      const request = { node, method: incoming.method ?? '', op, path, query: url.search, parameters };
      this.requests.push(request);
      Promise.resolve(this.intercept(request, response, incoming))
        .then(async (handled) => {
          if (!handled) await this.#answer(request, response, incoming);
        })
        .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    });
    this.#servers.push(server);
    await new Promise<void>((done) => server.listen(0, host, done));
    const address: AddressInfo | string | null = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  async #answer(request: FakeRequest, response: http.ServerResponse, incoming: http.IncomingMessage): Promise<void> {
    const { node, op, path, parameters } = request;
    if (node.startsWith('dn')) {
      await this.#dataNode(request, response, incoming);
      return;
    }
    const file = this.files.get(path);
    const exists = file !== undefined || this.directories.has(path);
    switch (op) {
      case 'GETHOMEDIRECTORY':
        json(response, 200, { Path: `/user/${parameters.get('user.name')}` });
        return;
      case 'GETFILESTATUS':
        if (exists) json(response, 200, { FileStatus: this.#status(path, '') });
        else remote(response, 404, 'FileNotFoundException', `File does not exist: ${path}`);
        return;
      case 'LISTSTATUS_BATCH':
      case 'LISTSTATUS':
        this.#list(request, response);
        return;
      case 'MKDIRS':
        this.makeDirectories(path);
        json(response, 200, { boolean: true });
        return;
      case 'DELETE':
        this.#delete(request, response);
        return;
      case 'RENAME':
        this.#rename(request, response);
        return;
      case 'GETFILEBLOCKLOCATIONS':
        if (file === undefined) remote(response, 404, 'FileNotFoundException', `File ${path} not found.`);
        else
          json(response, 200, { BlockLocations: { BlockLocation: blocksOf(file).map(({ length }) => ({ length })) } });
        return;
      case 'CHECKACCESS':
        if (exists) response.writeHead(200).end();
        else remote(response, 404, 'FileNotFoundException', `Path does not exist: ${path}`);
        return;
      case 'OPEN':
      case 'GETFILECHECKSUM':
        if (file === undefined) remote(response, 404, 'FileNotFoundException', `File ${path} not found.`);
        else this.#redirect(request, response);
        return;
      case 'CREATE':
        this.#redirect(request, response);
        return;
      default:
        remote(response, 400, 'IllegalArgumentException', `Invalid value for webhdfs parameter "op": ${op}`);
    }
  }

  #redirect({ path, query, parameters }: FakeRequest, response: http.ServerResponse): void {
    const excluded = (parameters.get('excludedatanodes') ?? '').split(',');
    const left = this.#dataNodes.filter(({ host }) => !excluded.includes(host));
    const node = left[this.offers(parameters) % Math.max(1, left.length)];
    if (node === undefined) {
      remote(response, 403, 'IOException', 'No active nodes contain this block');
      return;
    }
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    response.writeHead(307, { location: `http://${node.host}:${node.port}/webhdfs/v1${encoded}${query}` }).end();
  }

  async #dataNode(request: FakeRequest, response: http.ServerResponse, incoming: http.IncomingMessage): Promise<void> {
    const { op, path, parameters } = request;
    if (op === 'CREATE') {
      // The real one does so whether it was asked to or not.
      response.writeContinue();
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      if (this.files.has(path) && parameters.get('overwrite') !== 'true') {
        remote(response, 403, 'FileAlreadyExistsException', `${path} for client 127.0.0.1 already exists`);
        return;
      }
      if (!this.create(path, parameters, Buffer.concat(chunks))) {
        remote(response, 404, 'FileNotFoundException', `Parent directory of ${path} doesn't exist`);
        return;
      }
      response.writeHead(201, { location: `hdfs://fake${encodeURI(path)}` }).end();
      return;
    }
    const file = this.files.get(path);
    if (file === undefined) {
      remote(response, 404, 'FileNotFoundException', `File does not exist: ${path}`);
      return;
    }
    if (op === 'GETFILECHECKSUM') {
      json(response, 200, { FileChecksum: plainHdfsChecksum(blocksOf(file)) });
      return;
    }
    const offset = Number(parameters.get('offset') ?? 0);
    const wanted = parameters.get('length');
    const bytes = file.bytes.subarray(offset, wanted === null ? undefined : offset + Number(wanted));
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length });
    response.end(bytes);
  }

  #status(path: string, pathSuffix: string): object {
    const file = this.files.get(path);
    return {
      pathSuffix,
      type: file === undefined ? 'DIRECTORY' : 'FILE',
      length: file?.bytes.length ?? 0,
      fileId: file?.fileId ?? 1,
      modificationTime: file?.modificationTime ?? this.directories.get(path) ?? 0,
      accessTime: 0,
      blockSize: file?.blockSize ?? 0,
      owner: 'tester',
      group: 'testers',
      permission: file === undefined ? '755' : '644',
      replication: file === undefined ? 0 : 2,
      storagePolicy: 0,
      childrenNum: 0,
    };
  }

  #children(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.files.keys(), ...this.directories.keys()]
      .filter((other) => other !== path && other.startsWith(prefix) && !other.slice(prefix.length).includes('/'))
      .map((other) => other.slice(prefix.length))
      .filter((name) => name !== '')
      .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  }

  #list({ op, path, parameters }: FakeRequest, response: http.ServerResponse): void {
    const of = (names: string[]) => ({
      FileStatuses: {
        FileStatus: names.map((name) => this.#status(path === '/' ? `/${name}` : `${path}/${name}`, name)),
      },
    });
    if (this.files.has(path)) {
      const own = { FileStatuses: { FileStatus: [this.#status(path, '')] } };
      json(
        response,
        200,
        op === 'LISTSTATUS' ? own : { DirectoryListing: { partialListing: own, remainingEntries: 0 } },
      );
      return;
    }
    if (!this.directories.has(path)) {
      remote(response, 404, 'FileNotFoundException', `File ${path} does not exist.`);
      return;
    }
    const names = this.#children(path);
    if (op === 'LISTSTATUS') {
      json(response, 200, of(names));
      return;
    }
    const after = parameters.get('startafter');
    const left = after === null ? names : names.slice(names.indexOf(after) + 1);
    const page = left.slice(0, this.pageSize);
    json(response, 200, {
      DirectoryListing: { partialListing: of(page), remainingEntries: left.length - page.length },
    });
  }

  #delete({ path, parameters }: FakeRequest, response: http.ServerResponse): void {
    const existed = this.files.has(path) || this.directories.has(path);
    if (parameters.get('recursive') !== 'true' && this.directories.has(path) && this.#children(path).length > 0) {
      remote(response, 403, 'PathIsNotEmptyDirectoryException', `\`${path} is non empty': Directory is not empty`);
      return;
    }
    for (const other of [...this.files.keys()]) if (isAtOrBelow(other, path)) this.files.delete(other);
    for (const other of [...this.directories.keys()]) if (isAtOrBelow(other, path)) this.directories.delete(other);
    json(response, 200, { boolean: existed });
  }

  #rename({ path, parameters }: FakeRequest, response: http.ServerResponse): void {
    const to = parameters.get('destination') ?? '';
    const exists = (at: string) => this.files.has(at) || this.directories.has(at);
    if (parameters.get('renameoptions') === null) {
      // Moves into what is there, or says false.
      json(response, 200, { boolean: exists(path) });
      return;
    }
    if (!exists(path)) {
      remote(response, 404, 'FileNotFoundException', `rename source ${path} is not found.`);
    } else if (parameters.get('renameoptions') === 'OVERWRITE' && this.directories.has(to)) {
      remote(response, 403, 'IOException', `Source ${path} and destination ${to} must both be directories`);
    } else if (exists(to) && parameters.get('renameoptions') !== 'OVERWRITE') {
      remote(response, 403, 'FileAlreadyExistsException', `rename destination ${to} already exists`);
    } else {
      for (const [at, file] of [...this.files]) {
        if (!isAtOrBelow(at, path)) continue;
        this.files.delete(at);
        this.files.set(to + at.slice(path.length), file);
      }
      for (const at of [...this.directories.keys()]) {
        if (!isAtOrBelow(at, path)) continue;
        this.directories.delete(at);
        this.makeDirectories(to + at.slice(path.length));
      }
      response.writeHead(200).end();
    }
  }
}

function isAtOrBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

export function json(response: http.ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

export function remote(response: http.ServerResponse, status: number, exception: string, message: string): void {
  json(response, status, { RemoteException: { exception, javaClassName: `org.apache.hadoop.${exception}`, message } });
}

function blocksOf(file: FakeFile): Buffer[] {
  return file.blocks ?? cutIntoBlocks(file.bytes, file.blockSize);
}

export function cutIntoBlocks(bytes: Buffer, blockSize: number): Buffer[] {
  const count = Math.ceil(bytes.length / blockSize);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * blockSize, (index + 1) * blockSize));
}

/** HDFS's checksum, made plainly from its definition: slow, and sharing no code with what is tested. */
export function plainHdfsChecksum(blocks: readonly Buffer[]): { algorithm: string; bytes: string; length: number } {
  const md5s: Buffer[] = [];
  for (const block of blocks) {
    const crcs: Buffer[] = [];
    for (let at = 0; at < block.length; at += 512) {
      const crc = Buffer.alloc(4);
      crc.writeUInt32BE(plainCrc32c(block.subarray(at, at + 512)));
      crcs.push(crc);
    }
    md5s.push(createHash('md5').update(Buffer.concat(crcs)).digest());
  }
  const joined = Buffer.concat(md5s);
  const size = Math.max(32, 2 ** Math.ceil(Math.log2(Math.max(1, joined.length))));
  const md5 = createHash('md5')
    .update(Buffer.concat([joined, Buffer.alloc(size - joined.length)]))
    .digest();
  const crcPerBlock = blocks.length > 1 ? Math.ceil((blocks[0]?.length ?? 0) / 512) : 0;
  const head = Buffer.alloc(12);
  head.writeUInt32BE(512);
  head.writeBigUInt64BE(BigInt(crcPerBlock), 4);
  return {
    algorithm: `MD5-of-${crcPerBlock}MD5-of-512CRC32C`,
    // The real one shows four more bytes of its buffer.
    bytes: Buffer.concat([head, md5, Buffer.alloc(4)]).toString('hex'),
    length: 28,
  };
}

function plainCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
