/**
 * Runs the Java programs of test/stellar: the stand-in for Stellar and the old deploy client, with the libraries of the
 * clients in the field. Its README says what each command does.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { built, keyOfFiles, projectRoot } from '../../deploy/local/cache.ts';
import { run } from '../../deploy/local/run.ts';
import type { Registration } from '../../src/wire/service-instance.ts';

const sources = join(projectRoot, 'test/stellar');
/** Small programs that live for seconds: a quick start counts for more than speed. */
const javaOptions = ['-Xshare:auto', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m'];

/** The jar, built once for each content of test/stellar. */
export async function standInJar(): Promise<string> {
  const files = [
    join(sources, 'pom.xml'),
    ...readdirSync(join(sources, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort(),
  ];
  const directory = await built('stellar-standin', keyOfFiles(files), async (into) => {
    cpSync(join(sources, 'pom.xml'), join(into, 'pom.xml'));
    cpSync(join(sources, 'src'), join(into, 'src'), { recursive: true });
    await run('mvn', ['--batch-mode', '--quiet', '--file', join(into, 'pom.xml'), 'package']);
  });
  return join(directory, 'target/stellar-standin.jar');
}

const endpoint = z.object({
  model: z.string().nullable(),
  version: z.string(),
  id: z.string().nullable(),
  url: z.string().nullable(),
  // Not z.record, which leaves out "__proto__".
  functions: z.custom<Readonly<Record<string, string | null>> | null>((value) => typeof value === 'object'),
});
/** An endpoint as a client sees it. */
export type SeenEndpoint = z.infer<typeof endpoint>;

/** `at` is milliseconds since 1970, `client` the ZooKeeper that the client was given. */
const stamp = { at: z.number() };
const client = { ...stamp, client: z.string() };

const broken = z.object({
  event: z.literal('broken'),
  at: z.number(),
  client: z.string().optional(),
  error: z.string(),
});
const list = z.object({
  event: z.literal('list'),
  ...client,
  endpoints: z.array(endpoint),
  error: z.string().nullish(),
});
const followed = z.discriminatedUnion('event', [
  z.object({ event: z.literal('started'), ...client }),
  z.object({ event: z.enum(['appeared', 'vanished']), ...client, endpoint }),
  z.object({ event: z.literal('read'), ...client, count: z.number() }),
  z.object({ event: z.literal('unreadable'), ...client, error: z.string() }),
  list,
  broken,
]);
export type FollowedLine = z.infer<typeof followed>;

const failedCall = z.object({
  event: z.literal('failed'),
  ...stamp,
  kind: z.enum(['refused', 'dropped', 'status', 'answer', 'no-endpoint', 'broken-thread', 'other']),
  error: z.string(),
});
const answered = z.object({
  event: z.literal('answer'),
  ...stamp,
  endpoint: z.record(z.string(), z.string().nullable()).nullable(),
  answer: z.record(z.string(), z.unknown()).nullable(),
  millis: z.number(),
});
const applied = z.discriminatedUnion('event', [answered, failedCall, broken]);
export type AppliedLine = z.infer<typeof applied>;

const sum = z.object({
  event: z.literal('sum'),
  ...stamp,
  answered: z.number(),
  failed: z.number(),
  kinds: z.record(z.string(), z.number()),
  urls: z.record(z.string(), z.number()),
  /** By the second since 1970, and by the value of the field that is tallied and the URL. */
  seconds: z.record(z.string(), z.record(z.string(), z.number())),
  unfinished: z.number(),
});
const loaded = z.discriminatedUnion('event', [
  z.object({ event: z.literal('started'), ...stamp }),
  failedCall.extend({ url: z.string().nullable() }),
  sum,
  broken,
]);
export type LoadedLine = z.infer<typeof loaded>;
export type LoadSum = z.infer<typeof sum>;

const done = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('done'),
    ...stamp,
    data: z.base64().nullish(),
    owner: z.string().optional(),
    version: z.number().optional(),
    children: z.array(z.string()).optional(),
  }),
  z.object({ event: z.literal('failed'), ...stamp, code: z.string() }),
]);

const coded = z.discriminatedUnion('event', [
  z.object({ event: z.literal('decoded'), ...stamp, endpoint, registeredAt: z.number() }),
  z.object({ event: z.literal('fatal'), ...stamp, error: z.string() }),
  z.object({ event: z.literal('encoded'), ...stamp, base64: z.base64() }),
]);
export type DecodedLine = Exclude<z.infer<typeof coded>, { event: 'encoded' }>;

/** A program that runs, its lines so far, and whoever waits for the next. */
class Running<Line extends { event: string }> {
  readonly lines: Line[] = [];
  /** Settles when the program has ended and its last line was read. */
  readonly ended: Promise<void>;
  private over = false;
  private readonly waiting = new Set<() => void>();
  private readonly child: ChildProcessWithoutNullStreams;
  private errors = '';

  private constructor(child: ChildProcessWithoutNullStreams, schema: z.ZodType<Line>) {
    this.child = child;
    let wrong: unknown;
    child.stderr.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-10_000);
    });
    child.stdin.on('error', () => undefined); // it may end before it has read everything
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (text) => {
      try {
        this.lines.push(schema.parse(JSON.parse(text)));
      } catch (error) {
        wrong ??= error;
      }
      this.wake();
    });
    this.ended = new Promise((resolve, reject) => {
      const finish = (error?: unknown) => {
        this.over = true;
        if (error === undefined) resolve();
        else reject(error);
        this.wake();
      };
      child.on('error', finish);
      child.on('close', () => finish(wrong));
    });
    this.ended.catch(() => undefined); // whoever waits for the end or for a line is told
  }

  static async start<Line extends { event: string }>(
    schema: z.ZodType<Line>,
    ...args: readonly string[]
  ): Promise<Running<Line>> {
    const jar = await standInJar();
    return new Running(spawn('java', [...javaOptions, '-jar', jar, ...args]), schema);
  }

  send(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  /**
   * The first line from `from` on (default: from the beginning) that `wanted` accepts.
   *
   * @throws after `withinMs`, or when the program ends without such a line; with the latest lines and errors
   */
  async line<Wanted extends Line = Line>(
    wanted: ((line: Line) => line is Wanted) | ((line: Line) => boolean),
    { withinMs = 20_000, from = 0 } = {},
  ): Promise<Wanted> {
    const accepts = (line: Line): line is Wanted => wanted(line);
    const deadline = performance.now() + withinMs;
    for (let next = from; ; ) {
      for (; next < this.lines.length; next++) {
        const line = this.lines[next];
        if (line !== undefined && accepts(line)) return line;
      }
      if (this.over) {
        await this.ended;
        throw new Error(`It ended without the line that was waited for.\n${this.account()}`);
      }
      if (!(await this.next(deadline - performance.now()))) {
        throw new Error(`No such line within ${withinMs} ms.\n${this.account()}`);
      }
    }
  }

  /** Closes its standard input, which ends it, and waits until it has. */
  async close(): Promise<void> {
    this.child.stdin.end();
    const kill = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    try {
      await this.ended;
    } finally {
      clearTimeout(kill);
    }
  }

  private account(): string {
    return [...this.lines.slice(-15).map((line) => JSON.stringify(line)), this.errors].join('\n');
  }

  /** True when something happened, false when it took too long. */
  private async next(withinMs: number): Promise<boolean> {
    return await new Promise((resolve) => {
      const finish = (happened: boolean) => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve(happened);
      };
      const wake = () => finish(true);
      const timer = setTimeout(() => finish(false), Math.max(0, withinMs));
      this.waiting.add(wake);
    });
  }

  private wake(): void {
    for (const wake of [...this.waiting]) wake();
  }
}

/** Clients that run and say what they see. `await using` closes them. */
export class Followers implements AsyncDisposable {
  private readonly running: Running<FollowedLine>;

  private constructor(running: Running<FollowedLine>) {
    this.running = running;
  }

  /** Starts a client for each of these ZooKeepers and waits until each works or is broken. */
  static async start(...connects: readonly string[]): Promise<Followers> {
    const followers = new Followers(await Running.start(followed, 'follow', ...connects));
    for (const connect of connects) {
      await followers.line((line) => line.client === connect && (line.event === 'started' || line.event === 'broken'), {
        withinMs: 60_000,
      });
    }
    return followers;
  }

  /** Everything said so far; its length is where to look on from. */
  get lines(): readonly FollowedLine[] {
    return this.running.lines;
  }

  /** See Running.line. */
  async line(
    wanted: (line: FollowedLine) => boolean,
    options: { withinMs?: number; from?: number } = {},
  ): Promise<FollowedLine> {
    return await this.running.line(wanted, options);
  }

  /** When a client saw an endpoint with this id come (or go); milliseconds since 1970. */
  async sees(
    event: 'appeared' | 'vanished',
    id: string,
    options: { connect?: string; withinMs?: number; from?: number } = {},
  ): Promise<FollowedLine & { event: 'appeared' | 'vanished' }> {
    return await this.running.line(
      (line): line is FollowedLine & { event: 'appeared' | 'vanished' } =>
        line.event === event &&
        line.endpoint.id === id &&
        (options.connect === undefined || line.client === options.connect),
      options,
    );
  }

  /** What a client knows now. */
  async knows(connect: string): Promise<SeenEndpoint[]> {
    const from = this.running.lines.length;
    this.running.send('list');
    const answer = await this.running.line(
      (line): line is z.infer<typeof list> => line.event === 'list' && line.client === connect,
      { from },
    );
    return answer.endpoints;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.close();
  }
}

/** What a new client of each of these ZooKeepers sees, or why it is broken. In their order. */
export async function newClients(
  ...connects: readonly string[]
): Promise<(z.infer<typeof list> | z.infer<typeof broken>)[]> {
  const running = await Running.start(z.discriminatedUnion('event', [list, broken]), 'list', ...connects);
  await running.ended;
  return running.lines;
}

export interface ModelArguments {
  readonly model: string;
  readonly version?: string;
  readonly function?: string;
  readonly args?: Readonly<Record<string, string>>;
}

function modelArguments({ model, version, function: name, args = {} }: ModelArguments): string[] {
  return [
    ...['--model', model],
    ...(version === undefined ? [] : ['--version', version]),
    ...(name === undefined ? [] : ['--function', name]),
    ...Object.entries(args).map(([key, value]) => `${key}=${value}`),
  ];
}

/** Calls a model once, as a new client. */
export async function applyModel(connect: string, call: ModelArguments): Promise<AppliedLine> {
  const running = await Running.start(applied, 'apply', connect, ...modelArguments(call));
  return await running.line(() => true);
}

/** One call, without a ZooKeeper. */
export interface MadeCall {
  readonly url: string;
  readonly functions: Readonly<Record<string, string>>;
  readonly function?: string | undefined;
  readonly args: Readonly<Record<string, string | null>>;
  /** By the thread of the call before; else by a new one. */
  readonly sameThread?: true;
}

const made = z.discriminatedUnion('event', [
  z.object({ event: z.literal('answer'), ...stamp, answer: z.record(z.string(), z.unknown()) }),
  failedCall,
]);
export type MadeLine = z.infer<typeof made>;

/** Makes calls as Stellar does. */
export class Caller implements AsyncDisposable {
  private readonly running: Running<MadeLine>;

  private constructor(running: Running<MadeLine>) {
    this.running = running;
  }

  static async start(): Promise<Caller> {
    return new Caller(await Running.start(made, 'call'));
  }

  async call(call: MadeCall): Promise<MadeLine> {
    const from = this.running.lines.length;
    this.running.send(JSON.stringify(call));
    return await this.running.line(() => true, { from });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.close();
  }
}

export interface LoadOptions extends ModelArguments {
  readonly threads?: number;
  /** No more calls than this. */
  readonly count?: number;
  /** No longer than this; a minute unless said otherwise. */
  readonly forMs?: number;
  /** Between two calls of a thread. */
  readonly pauseMs?: number;
  /** A field of the answers, by whose values they are counted for each second. */
  readonly tally?: string;
}

/** Calls of a model that go on until they are stopped or their bounds are reached. */
export class Load implements AsyncDisposable {
  private readonly running: Running<LoadedLine>;

  private constructor(running: Running<LoadedLine>) {
    this.running = running;
  }

  static async start(connect: string, options: LoadOptions): Promise<Load> {
    const bounds = Object.entries({
      threads: options.threads,
      count: options.count,
      for: options.forMs,
      pause: options.pauseMs,
      tally: options.tally,
    }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));
    const load = new Load(await Running.start(loaded, 'load', connect, ...bounds, ...modelArguments(options)));
    await load.running.line((line) => line.event === 'started');
    return load;
  }

  /** The calls that failed so far. */
  get failed(): LoadedLine[] {
    return this.running.lines.filter((line) => line.event === 'failed');
  }

  /** Waits until the bounds are reached. */
  async sum(withinMs = 120_000): Promise<LoadSum> {
    return await this.running.line((line): line is LoadSum => line.event === 'sum', { withinMs });
  }

  /** Ends it now. */
  async stop(): Promise<LoadSum> {
    await this.running.close();
    return await this.sum();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.close();
  }
}

export interface OldRequest {
  /** ADD, REMOVE, or anything else, which leaves `null` in the queue. */
  readonly mode: string;
  readonly name?: string;
  readonly version?: string;
  readonly instances?: number;
  readonly memory?: number;
  readonly path?: string;
}

/** Puts a request into the old queue. Returns the data of the node that was made. */
export async function enqueue(connect: string, request: OldRequest): Promise<string> {
  const options = Object.entries(request).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, `${value}`],
  );
  const queued = z.object({ event: z.literal('queued'), ...stamp, data: z.string() });
  const running = await Running.start(queued, 'enqueue', connect, ...options);
  return (await running.line(() => true)).data;
}

/** The text of the old LIST. */
export async function legacyList(connect: string, only: { name?: string; version?: string } = {}): Promise<string> {
  const options = Object.entries(only).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  return await run('java', [...javaOptions, '-jar', await standInJar(), 'legacy-list', connect, ...options]);
}

/** Nodes, read and written by ZooKeeper's own old client. Requests are answered in order. */
export class Nodes implements AsyncDisposable {
  private readonly running: Running<z.infer<typeof done>>;
  private sent = 0;

  private constructor(running: Running<z.infer<typeof done>>) {
    this.running = running;
  }

  static async connect(connect: string): Promise<Nodes> {
    return new Nodes(await Running.start(done, 'nodes', connect));
  }

  /** Missing parents are made, without data. */
  async create(
    path: string,
    data: string | Uint8Array = '',
    how: 'persistent' | 'ephemeral' | 'hidden' = 'persistent',
  ) {
    await this.done(how === 'persistent' ? 'create' : `create-${how}`, path, data);
  }

  async set(path: string, data: string | Uint8Array): Promise<void> {
    await this.done('set', path, data);
  }

  /** With everything below it. */
  async delete(path: string): Promise<void> {
    await this.done('delete', path);
  }

  /** Data and owner (hexadecimal, '0' for a persistent node) of a node, or undefined where there is none. */
  async get(path: string): Promise<{ data: Buffer; owner: string } | undefined> {
    const answer = await this.ask('get', path);
    if (answer.event === 'failed' && answer.code === 'NONODE') return undefined;
    if (answer.event === 'failed') throw new Error(`get ${path}: ${answer.code}`);
    return { data: Buffer.from(answer.data ?? '', 'base64'), owner: answer.owner ?? '0' };
  }

  async children(path: string): Promise<string[]> {
    const answer = await this.ask('children', path);
    if (answer.event === 'failed') throw new Error(`children ${path}: ${answer.code}`);
    return [...(answer.children ?? [])].sort();
  }

  /** Ends the session, and with it what is ephemeral. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.close();
  }

  private async done(op: string, path: string, data: string | Uint8Array = ''): Promise<void> {
    const answer = await this.ask(op, path, data);
    if (answer.event === 'failed') throw new Error(`${op} ${path}: ${answer.code}`);
  }

  private async ask(op: string, path: string, data: string | Uint8Array = ''): Promise<z.infer<typeof done>> {
    const from = this.sent++;
    this.running.send(JSON.stringify({ op, path, data: Buffer.from(data).toString('base64') }));
    return await this.running.line(() => true, { from });
  }
}

/** Curator's reading and writing of registrations, without a ZooKeeper. */
export class Codec implements AsyncDisposable {
  private readonly running: Running<z.infer<typeof coded>>;
  private sent = 0;

  private constructor(running: Running<z.infer<typeof coded>>) {
    this.running = running;
  }

  static async start(): Promise<Codec> {
    return new Codec(await Running.start(coded, 'codec'));
  }

  /** What a client makes of these bytes. */
  async decode(bytes: Uint8Array): Promise<DecodedLine> {
    const line = await this.ask(`decode ${Buffer.from(bytes).toString('base64')}`);
    if (line.event === 'encoded') throw new Error('it was asked to decode');
    return line;
  }

  /** The bytes that Curator writes. */
  async encode(registration: Registration): Promise<Buffer> {
    const line = await this.ask(`encode ${JSON.stringify(registration)}`);
    if (line.event !== 'encoded') throw new Error('it was asked to encode');
    return Buffer.from(line.base64, 'base64');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.close();
  }

  private async ask(line: string): Promise<z.infer<typeof coded>> {
    const from = this.sent++;
    this.running.send(line);
    return await this.running.line(() => true, { from });
  }
}
