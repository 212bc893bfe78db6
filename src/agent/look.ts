/** Looking at the model once: has its shell started, what does endpoint.dat say, does anything answer there. */
import { join } from 'node:path';
import { type EndpointFile, portOf } from '../api/endpoint-file.ts';
import { endpointFile, startedFile } from '../api/pod-contract.ts';
import { readEndpoint, readStartMark } from './endpoint-reading.ts';
import { isHealthy } from './health-check.ts';
import type { Answer, Look } from './lifecycle.ts';
import type { Whose } from './listening-sockets.ts';
import type { SocketTables } from './socket-tables.ts';

export interface LookOptions {
  readonly payloadDirectory: string;
  readonly sockets: SocketTables;
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
  const { reachable, modelUid } = options;
  const listener = await options.sockets.listenerOn(port, {
    reachable,
    ...(modelUid === undefined ? {} : { uid: modelUid }),
  });
  if (listener !== 'listening' && listener !== 'busy') return listener;
  if (options.healthPath === undefined) return 'answers';
  const { scheme } = endpoint;
  const { host, healthPath: path } = options;
  return (await isHealthy({ scheme, host, port, path, timeoutMs: healthTimeoutMs })) ? 'answers' : 'unhealthy';
}
