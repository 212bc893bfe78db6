/**
 * From what ZooKeeper holds to drafts of manifests. A registration knows model, version and how many; a request that
 * still waits knows memory and payload too. What neither tells stays open, for a person to fill in. Pure.
 */

import { modelDeploymentSpec } from '../../contracts/resource.ts';
import { compareAsClients } from '../../contracts/version-order.ts';
import { type QueueRequest, readQueueRequest } from '../../wire/queue-request.ts';
import { counted } from '../output/counted.ts';
import type { MarkerNode } from '../zookeeper/owner.ts';
import { registrationsIn } from '../zookeeper/registrations.ts';
import type { ZooKeeperSide } from '../zookeeper/zookeeper-side.ts';

export interface Draft {
  readonly model: string;
  readonly version: string;
  /** 0 for what is only asked for. */
  readonly registered: number;
  /** Addresses of those, each once. */
  readonly urls: readonly string[];
  /** Instances that waiting requests ask for, on top. */
  readonly asked: number;
  /** Names of those requests. */
  readonly requests: readonly string[];
  /** Megabytes an instance, of the last request that says it. */
  readonly memoryMb: number | undefined;
  /** In HDFS, of the last request that says it. */
  readonly payloadPath: string | undefined;
}

export interface Drafts {
  readonly drafts: readonly Draft[];
  /** What was passed over, in sentences. */
  readonly notes: readonly string[];
}

export interface Wanted {
  readonly model: string | undefined;
  readonly version: string | undefined;
}

/** What our own agents registered is no business of an import: it comes from a resource. */
export function draftsOf(side: ZooKeeperSide, wanted: Wanted): Drafts {
  const drafts = new Map<string, Draft>();
  const take = (model: string, version: string, change: (draft: Draft) => Draft) => {
    if (wanted.model !== undefined && wanted.model !== model) return;
    if (wanted.version !== undefined && wanted.version !== version) return;
    const key = JSON.stringify([model, version]);
    drafts.set(key, change(drafts.get(key) ?? emptyDraft(model, version)));
  };
  const notes = [...takeRegistrations(side, take), ...takeRequests(side, take)];
  const valid: Draft[] = [];
  for (const draft of drafts.values()) {
    // REMOVE of what is not there, or of all that was asked for before.
    if (draft.registered === 0 && draft.asked <= 0) continue;
    const problem = nameProblem(draft);
    const who = `model ${JSON.stringify(draft.model)}, version ${JSON.stringify(draft.version)},`;
    if (problem === undefined) valid.push(draft);
    else notes.push(`${who} was passed over: ${problem}`);
  }
  return {
    drafts: valid.sort((a, b) => compareAsClients(a.model, b.model) || compareAsClients(a.version, b.version)),
    notes,
  };
}

type Take = (model: string, version: string, change: (draft: Draft) => Draft) => void;

/** Returns what was passed over, in sentences. */
function takeRegistrations(side: ZooKeeperSide, take: Take): string[] {
  const notes: string[] = [];
  let ours = 0;
  for (const found of registrationsIn(side, anyCluster)) {
    if (found.problem !== undefined) notes.push(`${found.path} was passed over: ${found.problem}`);
    else if (found.owner !== 'foreign') ours += 1;
    else {
      const { model, version, url } = found;
      take(model, version, (draft) => ({
        ...draft,
        registered: draft.registered + 1,
        urls: url === undefined || draft.urls.includes(url) ? draft.urls : [...draft.urls, url],
      }));
    }
  }
  if (ours > 0) notes.push(`${counted(ours, 'registration')} of agents passed over: resources stand behind them`);
  return notes;
}

/** Returns what was passed over, in sentences. */
function takeRequests({ queue: { requests } }: ZooKeeperSide, take: Take): string[] {
  const notes: string[] = [];
  for (const { name, data } of requests.state === 'listed' ? requests.value : []) {
    const reading = readQueueRequest(data);
    if (reading.kind === 'unreadable') notes.push(`the request ${name} was passed over: it ${reading.why}`);
    if (reading.kind !== 'request') continue;
    const { request } = reading;
    if (request.name === null || request.version === null || request.action === null || request.instances < 1) {
      notes.push(`the request ${name} was passed over: it asks for nothing that can be done`);
    } else take(request.name, request.version, (draft) => withRequest(draft, name, request));
  }
  return notes;
}

function emptyDraft(model: string, version: string): Draft {
  return {
    model,
    version,
    registered: 0,
    urls: [],
    asked: 0,
    requests: [],
    memoryMb: undefined,
    payloadPath: undefined,
  };
}

function withRequest(draft: Draft, name: string, request: QueueRequest): Draft {
  const requests = [...draft.requests, name];
  if (request.action === 'REMOVE') return { ...draft, requests, asked: draft.asked - request.instances };
  return {
    ...draft,
    requests,
    asked: draft.asked + request.instances,
    memoryMb: request.memoryMb > 0 ? request.memoryMb : draft.memoryMb,
    payloadPath: request.path === null || request.path === '' ? draft.payloadPath : request.path,
  };
}

/** Whosever an agent is: it is not the original. */
const anyCluster = (_: MarkerNode) => true;

function nameProblem({ model, version }: Draft): string | undefined {
  const { name, version: versionShape } = modelDeploymentSpec.shape;
  if (!name.safeParse(model).success) return 'no resource can have this model name';
  return versionShape.safeParse(version).success ? undefined : 'no resource can have this version';
}
