/**
 * Paths in HDFS as people write them: absolute, relative to the HDFS user's home directory, or a URI whose authority
 * is a nameservice, a name node's RPC address or a WebHDFS address. Every authority is mapped to one of the configured
 * nameservices: nobody can make the operator (and its credentials) talk to an address that its settings do not name.
 */

import { quoted } from '../kernel/shown-text.ts';
import { MaasError } from './errors.ts';
import type { HdfsSettings } from './hadoop-side.ts';

/** Where a path points: below the root of a nameservice, or below the HDFS user's home directory there. */
export interface HdfsLocation {
  /** Key of the settings' nameservices. */
  readonly nameservice: string;
  /** Absolute and normalised; or, when `relative`, without a leading slash. */
  readonly path: string;
  readonly relative: boolean;
}

/** The default port of a name node's RPC address, for `hdfs://nn1/...`. */
const defaultRpcPort = '8020';
/** Characters; HDFS itself takes 8000, a pinned file's path has to fit into 4096. */
const maxPathLength = 4096;
/** Bytes of one segment, in HDFS by default and in the file systems of the nodes. */
const maxSegmentBytes = 255;
/** Control characters, line and paragraph separators, and the marks that make a terminal show text in another order. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Why this cannot be the name of a file or directory of a payload; undefined when it can. Same rule in HDFS and locally. */
export function segmentProblem(segment: string): string | undefined {
  if (segment === '') return 'an empty name';
  if (segment === '.' || segment === '..') return `"${segment}"`;
  if (!segment.isWellFormed()) return 'a name that is not valid Unicode';
  if (unprintable.test(segment)) return 'a control character';
  if (segment.includes('/')) return 'a slash in a name';
  if (segment.includes(':')) return 'a colon, which HDFS does not allow';
  if (new TextEncoder().encode(segment.normalize('NFC')).length > maxSegmentBytes)
    return `a name of more than ${maxSegmentBytes} bytes`;
  return undefined;
}

/**
 * Reads a payload path.
 *
 * @param text `/absolute`, `relative/to/home`, `hdfs://nameservice/path`, `hdfs://namenode:8020/path`,
 *   `webhdfs://host:port/path` or `swebhdfs://host:port/path`. As in Hadoop, a `%` in a URI stands for itself.
 * @throws MaasError HDFS_PATH_INVALID or HDFS_NAMESERVICE_UNKNOWN
 */
export function parseHdfsPath(text: string, settings: HdfsSettings): HdfsLocation {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text);
  if (scheme === null) {
    const relative = !text.startsWith('/');
    return { nameservice: defaultNameservice(settings), relative, path: normalise(text, text, relative) };
  }
  const [, name = '', rest = ''] = scheme;
  const kind = name.toLowerCase();
  if (kind !== 'hdfs' && kind !== 'webhdfs' && kind !== 'swebhdfs') {
    throw invalid(text, `starts with ${shown(`${name}:`)}; only hdfs, webhdfs and swebhdfs are known`);
  }
  const parts = /^(?:\/\/([^/]*))?(\/.*)?$/s.exec(rest);
  if (parts === null) throw invalid(text, 'has a scheme, but no absolute path after it');
  const authority = parts[1] ?? '';
  const path = parts[2];
  if (path === undefined) throw invalid(text, 'names no path');
  return {
    nameservice: authority === '' ? defaultNameservice(settings) : nameserviceOf(authority, kind, settings),
    relative: false,
    path: normalise(path, text, false),
  };
}

/**
 * The absolute path of a location.
 * @param home the HDFS user's home directory, absolute
 */
export function absoluteHdfsPath(location: HdfsLocation, home: string): string {
  return location.relative ? joinHdfsPath(home, location.path) : location.path;
}

/** `parent/child` for an absolute parent, the root included. */
export function joinHdfsPath(parent: string, child: string): string {
  return parent.endsWith('/') ? `${parent}${child}` : `${parent}/${child}`;
}

/** The path without slashes that repeat or end it, which HDFS does not mind; those of a URI's authority stay. */
export function tidyHdfsPath(path: string): string {
  return path.replace(/(?<!:)\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

/** The path for a URL: each segment percent-encoded, the slashes kept. */
export function encodeHdfsPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function normalise(path: string, text: string, relative: boolean): string {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  for (const segment of segments) {
    const problem = segmentProblem(segment);
    if (problem !== undefined) throw invalid(text, `contains ${problem}`);
  }
  if (relative && segments.length === 0) throw invalid(text, 'is empty');
  const joined = segments.join('/').normalize('NFC');
  if (joined.length >= maxPathLength) throw invalid(text, `is longer than ${maxPathLength} characters`);
  return relative ? joined : `/${joined}`;
}

function defaultNameservice(settings: HdfsSettings): string {
  const names = Object.keys(settings.nameservices);
  const [only] = names;
  const name = settings.defaultNameservice ?? (names.length === 1 ? only : undefined);
  if (name === undefined) {
    throw new MaasError(
      'HDFS_NAMESERVICE_UNKNOWN',
      `The path names no nameservice and there are several: ${names.join(', ')}`,
      {
        next: 'Write hdfs://NAMESERVICE/path, or set hdfs.defaultNameservice.',
      },
    );
  }
  if (!Object.hasOwn(settings.nameservices, name)) {
    throw new MaasError(
      'HDFS_NAMESERVICE_UNKNOWN',
      `hdfs.defaultNameservice is ${shown(name)}, but configured are: ${names.join(', ')}`,
    );
  }
  return name;
}

function nameserviceOf(authority: string, kind: 'hdfs' | 'webhdfs' | 'swebhdfs', settings: HdfsSettings): string {
  if (Object.hasOwn(settings.nameservices, authority)) return authority;
  const wanted = authority.toLowerCase();
  for (const [name, { authorities, webhdfs }] of Object.entries(settings.nameservices)) {
    const known =
      kind === 'hdfs'
        ? authorities.map(withRpcPort).includes(withRpcPort(wanted))
        : webhdfs.some((address) => isWebhdfsAddress(address, wanted, kind === 'webhdfs' ? 'http:' : 'https:'));
    if (known) return name;
  }
  const configured = Object.entries(settings.nameservices)
    .map(([name, { authorities, webhdfs }]) => `${name} (${[...authorities, ...webhdfs].join(', ')})`)
    .join('; ');
  throw new MaasError(
    'HDFS_NAMESERVICE_UNKNOWN',
    `No nameservice is configured for ${shown(`${kind}://${authority}`)}; configured: ${configured}`,
    kind === 'hdfs'
      ? { next: `Add it to the chart's hdfs.nameservices, or to the authorities of one that is there.` }
      : undefined,
  );
}

function withRpcPort(authority: string): string {
  // An IPv6 address has many spellings, of which parsing leaves one.
  const tidy = authority.startsWith('[') ? URL.parse(`hdfs://${authority}`)?.host : undefined;
  const lower = (tidy ?? authority).toLowerCase();
  return /:\d+$/.test(lower) ? lower : `${lower}:${defaultRpcPort}`;
}

function isWebhdfsAddress(address: string, authority: string, protocol: 'http:' | 'https:'): boolean {
  const url = URL.parse(address);
  // Parsing both sides leaves out a port that is the protocol's own on either of them.
  const other = URL.parse(`${protocol}//${authority}`);
  return (
    url !== null && other !== null && url.protocol === protocol && url.host === other.host && other.username === ''
  );
}

function invalid(text: string, why: string): MaasError {
  return new MaasError('HDFS_PATH_INVALID', `The HDFS path ${shown(text)} ${why}`);
}

/** For messages. */
function shown(text: string): string {
  return quoted(text, 200);
}
