/**
 * Calls of a pod through the API server, for whoever cannot reach the pod's network. Needs the permission to get
 * pods/proxy. The API server passes a pod's answer on as it is, and what it says itself is an object of the kind Status.
 */
import { Readable } from 'node:stream';
import { hasCode } from '../../contracts/errors.ts';
import { bytesUpTo } from '../http/body.ts';
import { HttpFailure } from '../http/failure.ts';
import { type Ask, rawPath } from '../http/model-call.ts';
import { field, jsonOrText } from '../json-field.ts';
import { refusalOf, statusOf } from './api-status.ts';
import type { KubeClient } from './client.ts';
import { objectPath, pods } from './resource-kind.ts';

export interface ProxiedPod {
  readonly namespace: string;
  readonly name: string;
}

/** What it says of a connection that a pod had accepted. */
const brokenOff = /^error trying to reach service: .*(?:EOF|connection reset by peer)$/;
/** Its own Status is shorter. */
const maxStatusBytes = 16_384;

/** Where the caller may not call pods, nobody asked the model: then it throws MaasError CLUSTER_FORBIDDEN, CLUSTER_UNAUTHENTICATED. */
export function throughApiServer({ transport }: KubeClient, { namespace, name }: ProxiedPod): Ask {
  return async (url, signal) => {
    const { protocol, port } = new URL(url);
    const secure = protocol === 'https:';
    const pod = `${secure ? 'https:' : ''}${name}:${port || (secure ? 443 : 80)}`;
    const prefix = `${objectPath(pods, { namespace, name: pod })}/proxy`;
    // The limit of time is the caller's, over the whole call.
    const answer = await transport.open({ method: 'GET', path: `${prefix}${rawPath(url)}`, signal, deadlineMs: 0 });
    const headers = { ...answer.headers, location: withoutPrefix(answer.headers.location, prefix) };
    if (answer.status < 400) return { ...answer, headers };
    const body = await bytesUpTo(answer, maxStatusBytes, signal);
    const said = jsonOrText(body.toString('utf8'));
    if (field(said, 'kind') === 'Status' && field(said, 'apiVersion') === 'v1') {
      const status = statusOf(said, answer.status);
      const refusal = refusalOf({ verb: 'get', kind: pods, namespace, name, subresource: 'proxy' }, status);
      if (hasCode(refusal, 'CLUSTER_FORBIDDEN', 'CLUSTER_UNAUTHENTICATED')) throw refusal;
      throw new HttpFailure(status.message, brokenOff.test(status.message));
    }
    return { ...answer, headers, body: Object.assign(Readable.from([body]), { complete: true }) };
  };
}

/** The API server sends whoever is redirected within a pod through itself again. */
function withoutPrefix(location: string | undefined, prefix: string): string | undefined {
  if (location === undefined) return undefined;
  const at = location.indexOf(decodeURIComponent(prefix));
  return at < 0 ? location : location.slice(at + decodeURIComponent(prefix).length) || '/';
}
