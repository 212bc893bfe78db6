/**
 * Reading from HDFS over node:http alone: what an agent needs, with nothing loaded that it does not.
 */

import { MaasError } from '../../contracts/errors.ts';
import type { HdfsSettings } from '../../contracts/settings.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { field } from '../json-field.ts';
import { fileBlockLengths } from './file-blocks.ts';
import { fileChecksum, type HdfsFileChecksum } from './file-checksum.ts';
import { type HdfsFileStatus, parseFileStatus } from './file-status.ts';
import { type Deadlines, defaultDeadlines, openConnections } from './http.ts';
import { callForJson, RefusedError } from './name-node-call.ts';
import { NameNodes } from './name-nodes.ts';
import { openFile, type ReadOptions } from './open-file.ts';
import type { Session } from './session.ts';

export interface HdfsReader {
  /** Undefined when there is nothing at the path. */
  status(path: string, signal?: AbortSignal): Promise<HdfsFileStatus | undefined>;
  /** HDFS's own checksum of a file. */
  checksum(path: string, signal?: AbortSignal): Promise<HdfsFileChecksum>;
  /** Bytes in each block of a file, in their order; undefined where HDFS is too old to tell. */
  blockLengths(path: string, signal?: AbortSignal): Promise<number[] | undefined>;
  /** The bytes of a file; see openFile. */
  read(path: string, options?: ReadOptions): Promise<AsyncIterable<Buffer>>;
}

export interface HdfsOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Sent as user.name; the settings' user unless told. */
  readonly user?: string;
  /** The current delegation token, read before each request. */
  readonly token?: () => Promise<string | undefined>;
  readonly log?: Pick<Log, 'debug'>;
  readonly deadlines?: Partial<Deadlines>;
  /** How often all addresses are tried before a call fails; 3 unless told. */
  readonly rounds?: number;
  /** From 0 to 1; for jitter. */
  readonly random?: () => number;
}

/** @throws HDFS_NAMESERVICE_UNKNOWN */
export function openHdfsReader(settings: HdfsSettings, nameservice: string, options: HdfsOptions): HdfsReader {
  return readerOf(openSession(settings, nameservice, options));
}

export function readerOf(session: Session): HdfsReader {
  return {
    status: (path, signal) => fileStatus(session, callForJson, path, signal),
    checksum: (path, signal) => fileChecksum(session, path, signal),
    blockLengths: (path, signal) => fileBlockLengths(session, path, signal),
    read: (path, readOptions) => openFile(session, path, readOptions),
  };
}

/** @throws HDFS_NAMESERVICE_UNKNOWN */
export function openSession(settings: HdfsSettings, nameservice: string, options: HdfsOptions): Session {
  const { clock, log, token, random = Math.random, rounds = 3 } = options;
  const found = Object.hasOwn(settings.nameservices, nameservice) ? settings.nameservices[nameservice] : undefined;
  if (found === undefined) {
    const configured = Object.keys(settings.nameservices).join(', ');
    throw new MaasError(
      'HDFS_NAMESERVICE_UNKNOWN',
      `Nameservice ${nameservice} is not configured; configured: ${configured}`,
    );
  }
  const onFailover = (from: string, to: string) => log?.debug({ nameservice, from, to }, 'name node changed');
  return {
    nameNodes: new NameNodes(nameservice, found.webhdfs, { clock, random, rounds, onFailover }),
    credentials: async () => ({ user: options.user ?? settings.user, token: await token?.() }),
    connections: openConnections(),
    deadlines: { ...defaultDeadlines, ...options.deadlines },
    clock,
    random,
    log,
  };
}

/** @param call sends a small operation and gives its JSON */
export async function fileStatus(
  session: Session,
  call: typeof callForJson,
  path: string,
  signal?: AbortSignal,
): Promise<HdfsFileStatus | undefined> {
  const credentials = await session.credentials();
  try {
    return await session.nameNodes.ask(async (attempt) => {
      const answer = await call(session, attempt, { method: 'GET', op: 'GETFILESTATUS', path }, credentials, signal);
      return parseFileStatus(field(answer, 'FileStatus'));
    }, signal);
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'HDFS_PATH_MISSING') return undefined;
    throw error;
  }
}
