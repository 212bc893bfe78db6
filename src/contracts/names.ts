/** Names, labels and annotations of everything that the operator makes. */
import { createHash } from 'node:crypto';
import { group } from './api-group.ts';
import type { ReadFrom } from './payload.ts';

export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  name: 'app.kubernetes.io/name',
  /** UID of the ModelDeployment: a successor of the same name never takes over its predecessor's children. */
  owner: `${group}/owner-uid`,
  /** Key of version and payload path; see versionKey. */
  version: `${group}/version-key`,
  /** Model name where it is a valid label value, else its hash. */
  model: `${group}/model`,
} as const;

export const annotations = {
  model: `${group}/model`,
  version: `${group}/version`,
  payloadPath: `${group}/payload-path`,
  payloadDigest: `${group}/payload-digest`,
  /** On pods: hash of the template that they were made from, so that pods of the present spec can be told from others. */
  revision: `${group}/revision`,
  /** Hash of what the user decides about the pod; see docs/adr/0008. */
  inputs: `${group}/inputs`,
  /** The Deployment's spec as it was last applied, JSON. */
  applied: `${group}/applied`,
  /** When pods that were refused were asked for again; see plan/retry-refused.ts. */
  retried: `${group}/retried`,
  /** Changed by hand, to any other text, to move a model to the operator's present agent; see docs/adr/0008. */
  refresh: `${group}/refresh`,
  /**
   * RFC 3339: what was written to the payload's path until then is whole, and need not be waited for; see docs/adr/0027.
   */
  payloadComplete: `${group}/payload-complete`,
  /** Ids of the requests of the old queue that were done to this resource, JSON, newest last; see docs/adr/0020. */
  queueRequests: `${group}/queue-requests`,
  /** Id of the request that took the last instances away, after which the resource is to go. */
  queueRemoval: `${group}/queue-removal`,
} as const;

export const managedBy = 'maas-operator';
export const fieldManager = 'maas-operator';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** A short, stable, lower-case name for a text: base32 of its SHA-256, cut to `length` letters (5 bits each). */
export function shortHash(text: string, length = 8): string {
  const bytes = createHash('sha256').update(text).digest();
  let out = '';
  for (let bit = 0; out.length < length; bit += 5) {
    const pair = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    out += alphabet[(pair >> (11 - (bit & 7))) & 31];
  }
  return out;
}

/** Two specs with the same key are one version: the same version text, and the same payload read from the same place. */
export function versionKey(
  version: string,
  payload: { readonly path: string; readonly readFrom?: ReadFrom | undefined },
): string {
  return shortHash(JSON.stringify([version, payload.path, ...(payload.readFrom === 'Store' ? ['Store'] : [])]));
}

/** What tells a resource from another one of its name that was there before it, or comes after it. */
interface ResourceIdentity {
  readonly name: string;
  readonly uid: string;
}

/**
 * Name of a version's Deployment. Never that of a predecessor of the same name, which may not be gone yet when its
 * successor is made. At most 61 characters.
 */
export function deploymentName({ name, uid }: ResourceIdentity, key: string): string {
  return `${name}-${shortHash(JSON.stringify([uid, key]))}`;
}

/**
 * Name of the ConfigMap that pins a version's payload. It follows from the content: a kubelet goes on giving pods what
 * it knows under a name while any pod refers to it, so other content has to have another name; see docs/adr/0034.
 */
export function pinName({ name, uid }: ResourceIdentity, key: string, content: string): string {
  return `${name}-${shortHash(JSON.stringify([uid, key, content]), 16)}`;
}

/** A text as a label value: itself where it is valid, else a hash that starts with `h-`. */
export function labelValue(text: string): string {
  return /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text) ? text : `h-${shortHash(text, 20)}`;
}

/**
 * A resource name for a model name and version, as the command line and the old queue make them: readable, and
 * unique because a hash follows wherever letters had to be changed or cut.
 */
export function resourceNameFor(model: string, version: string): string {
  const exact = `${model}-${version}`;
  const readable = exact
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/[.-]*\.[.-]*/g, (run) => (run === '.' ? '.' : '-'))
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  // A dash in both parts could make two pairs meet in one name: a-b @ 1 and a @ b-1.
  if (readable === exact && readable.length <= 52 && !version.includes('-')) return readable;
  const hash = shortHash(JSON.stringify([model, version]));
  const head = readable.slice(0, 52 - hash.length - 1).replace(/[^a-z0-9]+$/, '');
  return head === '' ? `m-${hash}` : `${head}-${hash}`;
}

/** Id of an instance's registration: readable, unique over clusters because it ends in the pod's UID. */
export function instanceId(podName: string, podUid: string): string {
  return `${podName}-${podUid}`;
}

/** The pod UID that an instance id ends in, or undefined where the id is not one of ours. */
export function podUidOf(id: string): string | undefined {
  return /-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/.exec(id)?.[1];
}

/** Where the agents of a cluster keep their markers. The cluster id is the UID of its kube-system namespace. */
export function markersPath(operatorRoot: string, clusterId: string): string {
  return `${operatorRoot === '/' ? '' : operatorRoot}/${clusterId}/instances`;
}
