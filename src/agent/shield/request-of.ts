/** What a client asks, as it is passed on to the model. */
import type { IncomingMessage } from 'node:http';
import { endToEnd, headerOf } from './headers.ts';
import type { Asked } from './upstream.ts';

export interface Call extends Asked {
  readonly host: string | undefined;
  readonly hasBody: boolean;
}

/** Undefined for a target that a server has no answer to, such as another server. */
export function callOf(request: IncomingMessage): Call | undefined {
  const { rawHeaders, method = 'GET', url = '' } = request;
  const path = pathOf(url, method);
  if (path === undefined) return undefined;
  const length = headerOf(rawHeaders, 'content-length');
  const chunked = headerOf(rawHeaders, 'transfer-encoding') !== undefined;
  const host = headerOf(rawHeaders, 'host');
  const hasBody = chunked || (length !== undefined && length !== '0');
  return {
    method,
    path,
    host,
    hasBody,
    headers: [
      ...endToEnd(rawHeaders, 'expect', 'x-forwarded-for', ...(chunked ? ['content-length'] : [])),
      // HTTP/1.0 has none, and what is passed on is HTTP/1.1.
      ...(host === undefined ? ['Host', 'localhost'] : []),
      // Said again, because it would not be assumed for a GET, and the body would be taken for the next request.
      ...(chunked ? ['Transfer-Encoding', 'chunked'] : []),
      ...['X-Forwarded-For', forwardedFor(request)],
    ],
    ...(hasBody ? { body: request } : {}),
  };
}

/** As an absolute URL, which every server has to take, it is what follows the authority. */
function pathOf(url: string, method: string): string | undefined {
  if (url.startsWith('/')) return url;
  if (url === '*' && method === 'OPTIONS') return url;
  const path = /^http:\/\/[^/?#]*(.*)$/i.exec(url)?.[1];
  if (path === undefined) return undefined;
  return path.startsWith('/') ? path : `/${path}`;
}

function forwardedFor({ rawHeaders, socket }: IncomingMessage): string {
  const before = headerOf(rawHeaders, 'x-forwarded-for');
  const from = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
  return before === undefined ? from : `${before}, ${from}`;
}
