/** Requests and limits of the two containers: what the resource asks, and below it what the operator's settings say. */
import type { PinnedPayload } from '../contracts/payload.ts';
import { exceedsQuantity, parseQuantity } from '../contracts/quantity.ts';
import type { ModelDeployment } from '../contracts/resource.ts';
import type { ContainerResources, OperatorSettings } from '../contracts/settings.ts';

const mebibyte = 2 ** 20;
/** The kubelet rotates a container's log at 10 MiB and keeps five by default. */
const agentLogBytes = 64 * mebibyte;
/** What a model requests of the disk that it may write to: a limit alone would count as the request, too. */
export const writtenRequest = '16Mi';

export interface Storage {
  /** What the payload needs: the agent requests it, before anything is copied. */
  readonly requested: string;
  /** What the model may write beside it; undefined for no limit, and then nothing below is limited. */
  readonly written: string | undefined;
  readonly agentLimit: string | undefined;
  /** Of the directory that holds the payload and what the script writes there. */
  readonly directoryLimit: string | undefined;
}

/**
 * The kubelet holds a pod as a whole to the sum of its containers' limits, and takes a container without one for a
 * container with none to add. So the agent, whose disk is the payload, has a limit where the model has one.
 */
export function storageOf(
  { spec }: Pick<ModelDeployment, 'spec'>,
  payload: PinnedPayload,
  settings: OperatorSettings,
): Storage {
  // A tenth more, for file systems that round each file up.
  const payloadBytes = (Math.ceil((payload.bytes * 1.1) / mebibyte) + 16) * mebibyte;
  const written = spec.disk ?? settings.model.disk ?? undefined;
  const writtenBytes = written === undefined ? undefined : parseQuantity(written);
  const limit = (extra: number | undefined) => (extra === undefined ? undefined : mebibytes(payloadBytes + extra));
  return {
    requested: mebibytes(payloadBytes),
    written,
    agentLimit: writtenBytes === undefined ? undefined : limit(agentLogBytes),
    directoryLimit: limit(writtenBytes),
  };
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / mebibyte)}Mi`;
}

/** Resources with room on disk, where they say nothing of it themselves. */
export function withStorage(
  { requests, limits }: ContainerResources,
  requested: string | undefined,
  limit: string | undefined,
): ContainerResources {
  const entry = (amount: string | undefined): Record<string, string> =>
    amount === undefined ? {} : { 'ephemeral-storage': amount };
  return { requests: { ...entry(requested), ...requests }, limits: { ...entry(limit), ...limits } };
}

interface Asked {
  readonly requests?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Readonly<Record<string, string>> | undefined;
}

/**
 * What is asked goes before what is the default, entry by entry, and a default gives way: a default request is no more
 * than the limit that was asked for, a default limit no less than the request. A Pod with more requested than its limit
 * would be refused.
 */
export function fitted(defaults: ContainerResources, asked: Asked | undefined): ContainerResources {
  const requests: Record<string, string> = { ...defaults.requests, ...asked?.requests };
  const limits: Record<string, string> = { ...defaults.limits, ...asked?.limits };
  for (const [name, limit] of Object.entries(limits)) {
    const request = requests[name];
    if (request === undefined || !exceedsQuantity(request, limit)) continue;
    const askedBoth = asked?.requests?.[name] !== undefined && asked.limits?.[name] !== undefined;
    if (askedBoth) continue;
    if (asked?.requests?.[name] !== undefined) limits[name] = request;
    else requests[name] = limit;
  }
  return { requests, limits };
}
