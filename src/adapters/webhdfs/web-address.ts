/** The URLs of WebHDFS: base address, encoded path, operation and parameters. */
import { encodeHdfsPath } from '../../contracts/hdfs-path.ts';

/**
 * Who asks. With a delegation token HDFS takes the user from it and ignores any name.
 */
export interface Credentials {
  readonly user: string;
  readonly token: string | undefined;
}

/** Names in lower case: name nodes ignore what is written otherwise, without a word. */
export type Parameters = Readonly<Record<Lowercase<string>, string | undefined>>;

const prefix = '/webhdfs/v1';

/** The address without a trailing slash and with the API's prefix; a gateway's own path before it is kept. */
export function webhdfsBase(address: string): URL {
  const url = new URL(address);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith(prefix) ? path : `${path}${prefix}`;
  url.search = '';
  url.hash = '';
  return url;
}

/** How an address is named in messages. */
export function shownAddress(base: URL): string {
  return `${base.protocol}//${base.host}`;
}

/**
 * The URL of one operation.
 *
 * @param path absolute in HDFS, not encoded
 * @param parameters those that are undefined are left out
 */
export function operationUrl(
  base: URL,
  op: string,
  path: string,
  parameters: Parameters,
  credentials: Credentials,
): URL {
  const pairs: [string, string | undefined][] = [
    ['op', op],
    ...(credentials.token === undefined
      ? ([['user.name', credentials.user]] as const)
      : ([['delegation', credentials.token]] as const)),
    ...Object.entries(parameters),
  ].map(([name, value]) => [name ?? '', value]);
  // Not URLSearchParams, which writes a space as "+".
  const query = pairs.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]));
  const root = base.href.replace(/\/+$/, '');
  return new URL(`${root}${path === '/' ? '/' : encodeHdfsPath(path)}?${query.join('&')}`);
}
