/** Looking at the model once: has its shell started, what does endpoint.dat say, does anything answer there. */
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import type { MaasError } from '../../contracts/errors.ts';
import { endpointFile, startedFile } from '../../contracts/pod-contract.ts';
import { type EndpointFile, portOf } from '../../wire/endpoint-file.ts';
import type { Answer, Look } from '../lifecycle/events.ts';
import { type EndpointReading, readEndpoint, readStartMark } from './endpoint-reading.ts';
import { isHealthy } from './health-check.ts';
import type { SocketLookout } from './socket-lookout.ts';
import type { Sought } from './socket-tables.ts';
import { bindAdvice, type Told } from './told-address.ts';

export interface LookOptions {
  readonly payloadDirectory: string;
  readonly sockets: Pick<SocketLookout, 'listenerOn' | 'addressesOn'>;
  /** What clients are told. */
  readonly told: Told;
  readonly modelUid?: number;
  /** The address that health checks go to, and how it is looked up where it is none. */
  readonly host: string;
  readonly lookup?: LookupFunction;
  /** Why an endpoint that can be read cannot be used all the same. */
  readonly refused?: (endpoint: EndpointFile) => MaasError | undefined;
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
  const reading = judged(await readEndpoint(join(options.payloadDirectory, endpointFile)), options);
  const last = mark === known.mark ? known.endpoint : undefined;
  const endpoint = reading.kind === 'valid' ? reading.endpoint : last;
  if (endpoint === undefined) return { mark, reading };
  return { mark, reading, asked: { endpoint, ...(await ask(options, endpoint)) } };
}

function judged(reading: EndpointReading, { refused }: LookOptions): EndpointReading {
  const problem = reading.kind === 'valid' ? refused?.(reading.endpoint) : undefined;
  return problem === undefined ? reading : { kind: 'unusable', problem };
}

async function ask(
  options: LookOptions,
  endpoint: EndpointFile,
): Promise<Omit<NonNullable<Look['asked']>, 'endpoint'>> {
  const port = portOf(endpoint);
  const { told, modelUid, sockets } = options;
  const sought: Sought = { reachable: told.reachable, ...(modelUid === undefined ? {} : { uid: modelUid }) };
  const listener = await sockets.listenerOn(port, sought);
  if (listener === 'elsewhere' || listener === 'loopback-only') {
    const binding = { found: await sockets.addressesOn(port, sought), told: told.host, advice: bindAdvice(told) };
    return { answer: listener, binding };
  }
  return { answer: listener === 'none' ? listener : await healthOf(options, endpoint, port) };
}

async function healthOf(options: LookOptions, endpoint: EndpointFile, port: number): Promise<Answer> {
  if (options.healthPath === undefined) return 'answers';
  const { scheme } = endpoint;
  const { host, healthPath: path, lookup } = options;
  const looked = lookup === undefined ? {} : { lookup };
  return (await isHealthy({ scheme, host, port, path, ...looked, timeoutMs: healthTimeoutMs }))
    ? 'answers'
    : 'unhealthy';
}
