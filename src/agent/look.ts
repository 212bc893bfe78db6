/** Looking at the model once: has its shell started, what does endpoint.dat say, does anything answer there. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { type EndpointFile, portOf } from '../api/endpoint-file.ts';
import { endpointFile, startedFile } from '../api/pod-contract.ts';
import { readEndpoint, readStartMark } from './endpoint-reading.ts';
import { isHealthy } from './health-check.ts';
import type { Answer, Look } from './lifecycle.ts';
import { judgeSockets, socketsOnPort, type Whose } from './listening-sockets.ts';

export interface LookOptions {
  readonly payloadDirectory: string;
  /** Where /proc is mounted. */
  readonly proc: string;
  readonly reachable: Whose['reachable'];
  readonly modelUid?: number;
  /** The address that health checks go to. */
  readonly host: string;
  readonly healthPath?: string;
}

const healthTimeoutMs = 2_000;

/**
 * @param known the endpoint that is known so far and its start's mark: asked where endpoint.dat says nothing usable,
 *   because the original read the file only once
 */
export async function lookAtModel(
  options: LookOptions,
  known: { readonly mark: string | undefined; readonly endpoint: EndpointFile | undefined },
): Promise<Look> {
  const mark = readStartMark(join(options.payloadDirectory, startedFile));
  if (mark === undefined) return { mark, reading: { kind: 'absent' } };
  const reading = await readEndpoint(join(options.payloadDirectory, endpointFile));
  const last = mark === known.mark ? known.endpoint : undefined;
  const endpoint = reading.kind === 'valid' ? reading.endpoint : last;
  if (endpoint === undefined) return { mark, reading };
  return { mark, reading, asked: { endpoint, answer: await ask(options, endpoint) } };
}

async function ask(options: LookOptions, endpoint: EndpointFile): Promise<Answer> {
  const port = portOf(endpoint);
  const listener = await listenerOn(options, port);
  if (listener !== 'listening' && listener !== 'busy') return listener;
  if (options.healthPath === undefined) return 'answers';
  const { scheme } = endpoint;
  const { host, healthPath: path } = options;
  return (await isHealthy({ scheme, host, port, path, timeoutMs: healthTimeoutMs })) ? 'answers' : 'unhealthy';
}

async function listenerOn(options: LookOptions, port: number): Promise<ReturnType<typeof judgeSockets>> {
  const littleEndian = endianness() === 'LE';
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(join(options.proc, 'net', name), 'latin1').catch(noSuchFamily)),
  );
  const sockets = tables.flatMap((table) => socketsOnPort(table, port, littleEndian));
  if (sockets.length === 0) return 'none';
  return judgeSockets(sockets, {
    reachable: options.reachable,
    ...(options.modelUid === undefined ? {} : { uid: options.modelUid }),
    ignore: await ownSockets(options.proc),
  });
}

/** A kernel without IPv6 has no such table. */
function noSuchFamily(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/** Inodes of the agent's own sockets: neither its server nor its calls are the model. */
async function ownSockets(proc: string): Promise<Set<string>> {
  const directory = join(proc, 'self', 'fd');
  const links = await Promise.all(
    (await readdir(directory)).map((name) => readlink(join(directory, name)).catch(() => '')),
  );
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}
