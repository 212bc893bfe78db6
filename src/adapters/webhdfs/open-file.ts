/**
 * OPEN as one stream of bytes. Where a data node is dead, cuts the body short or falls silent, the stream goes on from
 * where it was at another one; the reader sees either every byte that was promised or an error.
 */
import { MaasError } from '../../contracts/errors.ts';
import { bodyBytes } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { HttpFailure } from '../http/failure.ts';
import { askDataNode, type DataNodeAnswer, DataNodeFailed, Failures } from './data-node-call.ts';
import type { Nameservice } from './nameservice.ts';
import { printable } from './redact.ts';

export interface ReadOptions {
  /** Where to begin, bytes; 0 unless told. Has to be below the file's length. */
  readonly offset?: number;
  /** Bytes wanted; to the end of the file unless told. A file that has fewer is an error. */
  readonly length?: number;
  /**
   * Chunks may be lent: each is good until the next one is asked for, and its buffer is used again then. Takes a fraction
   * of the time and memory of chunks that can be kept.
   */
  readonly lent?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Data nodes not to read from, as `onDataNode` named them. */
  readonly exclude?: readonly string[];
  /** Told which data node the bytes that follow come from. */
  readonly onDataNode?: ((name: string) => void) | undefined;
}

/** Failures in a row, without a single byte between them, before the reader hears of it. */
const maxFailures = 5;
const leastToLend = 256 * 1024;

/**
 * Opens a file; errors of opening reject the promise, later ones are thrown while iterating. What was opened has to be
 * iterated.
 *
 * @throws HDFS_PATH_MISSING, HDFS_FORBIDDEN and so on; HDFS_DATA_CORRUPT when fewer bytes come than were promised
 */
export async function openFile(
  nameservice: Nameservice,
  path: string,
  options: ReadOptions = {},
): Promise<AsyncIterable<Buffer>> {
  if (options.length === 0) return nothing();
  const failures = new Failures(nameservice, maxFailures, options.exclude);
  const first = await openAt(nameservice, path, options.offset ?? 0, options, failures);
  return bytesOf(nameservice, path, options, failures, first);
}

async function* nothing(): AsyncGenerator<Buffer, void> {}

async function* bytesOf(
  nameservice: Nameservice,
  path: string,
  options: ReadOptions,
  failures: Failures,
  first: DataNodeAnswer,
): AsyncGenerator<Buffer, void> {
  const { offset = 0, length, signal } = options;
  let position = offset;
  let end = length === undefined ? undefined : offset + length;
  let opened = first;
  for (;;) {
    end = promisedEnd(path, opened.answer, position, end);
    try {
      for await (const chunk of bodyBytes(opened.answer, signal)) {
        position += chunk.length;
        if (isBeyond(position, end)) throw cutShort(path, position, end, 'more came than was asked for');
        failures.inARow = 0;
        yield chunk;
      }
      if (position === (end ?? position)) return;
      throw new HttpFailure('the answer ended too early', true);
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      await failures.add(
        new DataNodeFailed(cutShort(path, position, end, error.message, error), opened.dataNode),
        signal,
      );
    }
    opened = await openAt(nameservice, path, position, options, failures);
  }
}

function isBeyond(position: number, end: number | undefined): boolean {
  return end !== undefined && position > end;
}

/** Where the file ends by what an answer promises, which must be what another one has promised before. */
function promisedEnd(
  path: string,
  answer: HttpAnswer,
  position: number,
  before: number | undefined,
): number | undefined {
  const promised = contentLength(answer);
  if (promised === undefined) return before;
  const end = position + promised;
  if (before === undefined || before === end) return end;
  answer.body.destroy();
  throw cutShort(path, end, before, 'the file has another length now');
}

async function openAt(
  nameservice: Nameservice,
  path: string,
  position: number,
  options: ReadOptions,
  failures: Failures,
): Promise<DataNodeAnswer> {
  const { offset = 0, length, signal, onDataNode } = options;
  const parameters = {
    offset: position === 0 ? undefined : String(position),
    length: length === undefined ? undefined : String(offset + length - position),
  };
  // For little the buffers that are lent would cost more than they save.
  const lend = options.lent === true && (length ?? leastToLend) >= leastToLend;
  const operation = { method: 'GET', op: 'OPEN', path, parameters, lend } as const;
  const opened = await askDataNode(nameservice, operation, failures, signal);
  if (length === undefined && contentLength(opened.answer) === undefined && !isChunked(opened.answer)) {
    opened.answer.body.destroy();
    throw new MaasError('HDFS_ERROR', `Could not ${opened.what}: the answer does not say how long it is`);
  }
  if (opened.dataNode !== undefined) onDataNode?.(opened.dataNode);
  return opened;
}

function cutShort(path: string, position: number, end: number | undefined, why: string, cause?: unknown): MaasError {
  const wanted = end === undefined ? '' : ` of ${end}`;
  return new MaasError(
    'HDFS_DATA_CORRUPT',
    `${printable(path)} came as ${position}${wanted} bytes: ${printable(why)}`,
    { cause },
  );
}

function contentLength(answer: HttpAnswer): number | undefined {
  const value = answer.headers['content-length'];
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

function isChunked(answer: HttpAnswer): boolean {
  return answer.headers['transfer-encoding'] !== undefined;
}
