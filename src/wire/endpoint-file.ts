/**
 * endpoint.dat, by which a model says where it serves. It is written by untrusted code: a scheme, a port, a path and
 * the names of functions are taken from it and nothing else, and what is accepted here always makes a registration
 * that clients can read.
 */
import { MaasError } from '../contracts/errors.ts';
import { quoted } from '../kernel/shown-text.ts';
import { type JsonValue, membersOf, readJavaJson } from './java-json.ts';
import { isLocalHost } from './local-host.ts';

export interface EndpointFile {
  readonly scheme: 'http' | 'https';
  /** Undefined where the URL has none: then 80 or 443 by the scheme; see portOf. */
  readonly port: number | undefined;
  /** Empty, or starts with a slash; a trailing slash is kept. Printable ASCII. */
  readonly path: string;
  /** What clients may call -> path below the URL. */
  readonly functions: Readonly<Record<string, string>>;
  /** The host that the file names, where it is not one that means "this instance". It is never advertised. */
  readonly otherHost: string | undefined;
}

/** Larger files are refused unread. */
export const maxEndpointFileBytes = 65_536;
const maxPathLength = 1_024;
const maxFunctions = 256;
/** Of a function's name or path. */
const maxFunctionLength = 1_024;

const defaultFunctions: Readonly<Record<string, string>> = { apply: 'apply' };

/** scheme, host (bracketed if IPv6), port, path; nothing else may be in it. */
const urlPattern =
  /^(https?):\/\/(\[[0-9a-f:.]+(?:%[a-z0-9._-]+)?\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?(\/[!$-;=@-Z_a-z~]*)?$/i;

/**
 * Parses the text of endpoint.dat.
 *
 * Odd spacing, line breaks, a byte order mark, unknown fields and whatever follows the object are tolerated, as the
 * original did or because scripts write them.
 *
 * @throws MaasError ENDPOINT_NOT_JSON (its message says when the file merely seems unfinished), ENDPOINT_URL_INVALID,
 *   ENDPOINT_UNSAFE where it is too large
 */
export function parseEndpointFile(content: string | Uint8Array): EndpointFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  if (bytes.length > maxEndpointFileBytes) {
    throw new MaasError('ENDPOINT_UNSAFE', `endpoint.dat is larger than ${maxEndpointFileBytes} bytes`);
  }
  const reading = readJavaJson(bytes);
  if (!reading.ok) {
    const hint = reading.incomplete ? ' (maybe incomplete: the script may still be writing it)' : '';
    throw new MaasError(
      'ENDPOINT_NOT_JSON',
      `endpoint.dat is not JSON: ${reading.reason} at byte ${reading.offset}${hint}`,
    );
  }
  const members = membersOf(reading.value);
  if (members === undefined) {
    throw new MaasError(
      'ENDPOINT_NOT_JSON',
      `endpoint.dat holds JSON that is not an object but: ${reading.value.kind}`,
    );
  }
  return { ...parseUrl(members.get('url')), functions: parseFunctions(members.get('functions')) };
}

/** The port that the model listens on: the one named, or the scheme's own. */
export function portOf(endpoint: Pick<EndpointFile, 'scheme' | 'port'>): number {
  return endpoint.port ?? (endpoint.scheme === 'https' ? 443 : 80);
}

/**
 * The URL that clients are told: the endpoint's scheme, port and path at a host of ours.
 *
 * @param host a name or an address; an IPv6 address with or without brackets
 */
export function advertisedUrl(endpoint: Pick<EndpointFile, 'scheme' | 'port' | 'path'>, host: string): string {
  const authority = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `${endpoint.scheme}://${authority}${endpoint.port === undefined ? '' : `:${endpoint.port}`}${endpoint.path}`;
}

function parseUrl(value: JsonValue | undefined): Omit<EndpointFile, 'functions'> {
  if (value === undefined || value.kind === 'null') throw invalidUrl('names no url');
  if (value.kind !== 'string') throw invalidUrl('has a url that is not a text');
  const text = value.value.trim();
  const shown = quoted(text, 200);
  const match = urlPattern.exec(text);
  if (match === null) throw invalidUrl(`has the url ${shown}, ${whatIsWrong(text)}`);
  const [, scheme = '', host = '', port, path = ''] = match;
  const number = port === undefined ? undefined : Number(port);
  if (number !== undefined && (number < 1 || number > 65_535)) {
    throw invalidUrl(`has the url ${shown}, whose port is not between 1 and 65535`);
  }
  if (path.length > maxPathLength) throw invalidUrl(`has a url whose path is longer than ${maxPathLength} characters`);
  return {
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    port: number,
    path,
    otherHost: isLocalHost(host) ? undefined : host,
  };
}

/** The most helpful thing to say about a URL that was refused. */
function whatIsWrong(text: string): string {
  if (text === '') return 'which is empty';
  if (!/^https?:/i.test(text)) return 'which is neither http nor https';
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1];
  if (authority !== undefined && /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f.]*$/i.test(authority)) {
    return 'whose IPv6 address needs brackets, as in http://[::]:8080';
  }
  if (authority === undefined || authority === '' || authority.startsWith(':')) return 'which names no host';
  if (authority.includes('@')) return 'which holds a user or password';
  if (/:[^\]]*$/.test(authority) && !/:[0-9]{1,5}$/.test(authority)) return 'whose port is not a number';
  if (/[?#]/.test(text)) return 'which has a query or a fragment: clients append the function to it';
  return 'which holds characters that a URL cannot have';
}

function parseFunctions(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (value === undefined || value.kind === 'null') return defaultFunctions;
  const members = membersOf(value);
  if (members === undefined) throw notUsable('"functions" is not an object');
  if (members.size > maxFunctions) throw notUsable(`it names more than ${maxFunctions} functions`);
  const functions: [string, string][] = [];
  for (const [name, path] of members) {
    // Anything but a text here would blind every client for every model.
    if (path.kind !== 'string') throw notUsable(`the function ${quoted(name)} is not a text`);
    if (name.length > maxFunctionLength || path.value.length > maxFunctionLength) {
      throw notUsable(`the function ${quoted(name)} is longer than ${maxFunctionLength} characters`);
    }
    if (!name.isWellFormed() || !path.value.isWellFormed()) {
      throw notUsable(`the function ${quoted(name)} is not well-formed Unicode`);
    }
    functions.push([name, path.value]);
  }
  // fromEntries defines members of its own, so that "__proto__" is a name like any other.
  return Object.fromEntries(functions);
}

function invalidUrl(what: string): MaasError {
  return new MaasError('ENDPOINT_URL_INVALID', `endpoint.dat ${what}`);
}

function notUsable(what: string): MaasError {
  return new MaasError('ENDPOINT_NOT_JSON', `endpoint.dat cannot be used: ${what}`, {
    next: 'Write "functions" as an object whose values are texts, for example {"apply": "apply"}.',
  });
}
