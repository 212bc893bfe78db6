/**
 * Calls of a pod through the API server, for whoever cannot reach the pod's network. Needs the permission to get
 * pods/proxy. The API server passes a pod's answer on as it is, and what it says itself is an object of the kind Status.
 */
import { Readable } from 'node:stream';
import { bytesUpTo } from '../http/body.ts';
import { HttpFailure } from '../http/failure.ts';
import { type Ask, rawPath } from '../http/model-call.ts';
import { field, jsonOrText } from '../json-field.ts';
import type { KubeClient } from './client.ts';
import { objectPath, pods } from './resource-kind.ts';

export interface ProxiedPod {
  readonly namespace: string;
  readonly name: string;
}

/** Its own Status is shorter. */
const maxStatusBytes = 16_384;

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
      const message = field(said, 'message');
      throw new HttpFailure(typeof message === 'string' ? message : `status ${answer.status}`, false);
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
