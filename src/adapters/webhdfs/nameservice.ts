/** One nameservice: its name nodes, who asks, and the connections that all requests to it share. */
import { MaasError } from '../../contracts/errors.ts';
import type { HdfsSettings } from '../../contracts/hadoop-side.ts';
import { backOffMs } from '../../kernel/back-off.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { type Deadlines, exchange, type HttpAnswer, type HttpRequest } from '../http/exchange.ts';
import { DirectConnections } from '../http/route.ts';
import { NameNodes } from './name-nodes.ts';
import type { Credentials } from './web-address.ts';

export interface HdfsOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Sent as user.name; the settings' user unless told. */
  readonly user?: string;
  /** The current delegation token, read before each request. */
  readonly token?: () => Promise<string | undefined>;
  readonly log?: Pick<Log, 'debug'>;
  readonly deadlines?: Deadlines;
  /** How often all addresses are tried before a call fails; 3 unless told. */
  readonly rounds?: number;
  /** From 0 to 1; for jitter. */
  readonly random?: () => number;
}

/** After the last byte of an upload the data nodes finish the file, which takes the longest. */
const defaultDeadlines = { connectMs: 5_000, firstByteMs: 20_000, stallMs: 30_000, finishMs: 120_000 };

export class Nameservice {
  readonly nameNodes: NameNodes;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Pick<Log, 'debug'> | undefined;
  readonly deadlines: Required<Deadlines>;
  readonly connections = new DirectConnections();
  readonly #random: () => number;
  readonly #user: string;
  readonly #token: () => Promise<string | undefined>;

  /** @throws HDFS_NAMESERVICE_UNKNOWN */
  constructor(settings: HdfsSettings, name: string, options: HdfsOptions) {
    const { clock, log, random = Math.random, rounds = 3 } = options;
    const found = Object.hasOwn(settings.nameservices, name) ? settings.nameservices[name] : undefined;
    if (found === undefined) {
      const configured = Object.keys(settings.nameservices).join(', ');
      throw new MaasError(
        'HDFS_NAMESERVICE_UNKNOWN',
        `Nameservice ${name} is not configured; configured: ${configured}`,
      );
    }
    const onFailover = (from: string, to: string) => log?.debug({ nameservice: name, from, to }, 'name node changed');
    this.nameNodes = new NameNodes(name, found.webhdfs, { clock, random, rounds, onFailover });
    this.clock = clock;
    this.log = log;
    this.deadlines = { ...defaultDeadlines, ...options.deadlines };
    this.#random = random;
    this.#user = options.user ?? settings.user;
    this.#token = options.token ?? (async () => undefined);
  }

  /** Read anew for each request: a mounted token is replaced while we run. */
  async credentials(): Promise<Credentials> {
    return { user: this.#user, token: await this.#token() };
  }

  /** @throws HttpFailure; the signal's reason when aborted; what the upload's source throws */
  exchange({
    url,
    upload,
    lend = false,
    ...request
  }: Pick<HttpRequest, 'method' | 'upload' | 'signal'> & {
    readonly url: URL;
    readonly lend?: boolean;
  }): Promise<HttpAnswer> {
    return exchange({
      ...request,
      ...this.connections.to(url),
      lending: lend ? this.connections.lendingTo(url) : undefined,
      headers: { accept: '*/*', ...(upload === undefined ? {} : { 'content-type': 'application/octet-stream' }) },
      upload,
      deadlines: this.deadlines,
    });
  }

  /** Waits before the attempt after `failures` failed ones in a row: 0.15 s at the most, doubling up to 7.5 s. */
  async pause(failures: number, signal: AbortSignal | undefined): Promise<void> {
    await this.clock.sleep(backOffMs({ firstMs: 150, longestMs: 7_500 }, failures, this.#random), signal);
  }
}
