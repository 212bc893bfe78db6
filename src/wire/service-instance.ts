/**
 * Registrations as Curator's service discovery keeps them: the data of `<serviceRoot>/<model>/<instance id>`.
 *
 * The clients are Java programs with Curator 2.7.1 and Jackson 1.9, which cannot be changed. One registration that
 * they cannot read blinds a new client, and freezes a running one, for every model. So what is written here has the
 * bytes that the original wrote, and what somebody else wrote is judged by the rules of those readers.
 */

import { quoted } from '../kernel/shown-text.ts';
import { type JsonValue, readJavaJson } from './java-json.ts';

export const payloadClass = 'org.apache.metron.maas.config.ModelEndpoint';

/** What a registration says, before it is written. */
export interface Registration {
  readonly model: string;
  /** Compared by clients as plain text. */
  readonly version: string;
  /** The node's name; unique in the model's directory. */
  readonly id: string;
  /** Clients append `/function` to it. */
  readonly url: string;
  /** What clients may call -> path below the URL. */
  readonly functions: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly registeredAt: number;
}

/**
 * The bytes of a registration, equal to what the original writes: names, their order, the nulls, no white space.
 * Address and port are those of the URL, as Java sees them: an IPv6 address in its brackets, and -1 for no port.
 */
export function encodeRegistration(registration: Registration): Uint8Array {
  const { model, version, id, url, functions, registeredAt } = registration;
  const { address, port } = authorityOf(url);
  const instance = {
    name: model,
    id,
    address,
    port,
    sslPort: null,
    payload: {
      '@class': payloadClass,
      endpoint: { url, functions },
      name: model,
      version,
      containerId: id,
    },
    registrationTimeUTC: registeredAt,
    serviceType: 'STATIC',
    uriSpec: null,
  };
  return new TextEncoder().encode(asJacksonEscapes(JSON.stringify(instance)));
}

/** JSON as Jackson 1.9 spells it: characters beyond 16 bits as two escapes, and escapes in capitals. */
function asJacksonEscapes(json: string): string {
  return json.replace(/\\(?:u([0-9a-f]{4})|.)|[\u{10000}-\u{10ffff}]/gu, (found, digits?: string) => {
    if (digits !== undefined) return `\\u${digits.toUpperCase()}`;
    if (found.startsWith('\\')) return found;
    return [0, 1].map((half) => `\\u${found.charCodeAt(half).toString(16).toUpperCase()}`).join('');
  });
}

/** What a client sees of a registration that it can read. Absent or null in the data is undefined here. */
export interface SeenRegistration {
  /** The model that clients file it under: the payload's name, whatever directory it is in. */
  readonly model: string | undefined;
  readonly version: string;
  readonly containerId: string | undefined;
  readonly url: string | undefined;
  readonly functions: Readonly<Record<string, string>> | undefined;
  /** Milliseconds since 1970; 0 where it is not given. */
  readonly registeredAt: number;
}

export type Diagnosis =
  | {
      /** Clients cannot read it: it hides every model from new clients and freezes running ones. */
      readonly verdict: 'fatal';
      readonly reasons: readonly [string, ...string[]];
    }
  | {
      /** Clients read it; the reasons, if any, say what will not work with it. */
      readonly verdict: 'readable';
      readonly reasons: readonly string[];
      readonly seen: SeenRegistration;
    };

/**
 * What clients make of the data of a node below a model's directory.
 *
 * Errs on the side of "fatal" for what nobody is known to write: UTF-16, ill-formed UTF-8 that Java would let pass, a
 * repeated payload.
 *
 * @param bytes the node's data
 * @param directory name of the directory it is in
 * @param node its own name
 */
export function diagnose(bytes: Uint8Array, directory: string, node: string): Diagnosis {
  if (bytes.length === 0) return fatal(['it has no data']);
  const reading = readJavaJson(bytes);
  if (!reading.ok) return fatal([`it is not JSON: ${reading.reason} at byte ${reading.offset}`]);
  if (reading.value.kind !== 'object') return fatal([`it is not an object but ${describe(reading.value)}`]);

  const problems: string[] = [];
  const instance = readInstance(reading.value, problems);
  const [first, ...others] = problems;
  if (first !== undefined) return fatal([first, ...others]);
  if (instance === undefined) return fatal(['it is not a registration']);
  return { verdict: 'readable', reasons: warnings(instance, reading.trailing, directory, node), seen: instance.seen };
}

interface ReadInstance {
  readonly seen: SeenRegistration;
  readonly hasEndpoint: boolean;
  readonly name: string | undefined;
  readonly id: string | undefined;
}

/** What Java makes of a value, null being undefined; or why Jackson refuses it. */
type Read<T> = { readonly value: T } | { readonly problem: string };
/** What is wrong further inside is added to the problems. */
type Reader<T> = (value: JsonValue, problems: string[]) => Read<T>;
/** A field that is missing, or that was refused, has no property. */
type Found<Readers> = { readonly [Name in keyof Readers]?: Readers[Name] extends Reader<infer T> ? T : never };

/** Java's String: numbers and booleans become texts, objects are refused. */
const text: Reader<string | undefined> = (value) => {
  switch (value.kind) {
    case 'null':
      return { value: undefined };
    case 'string':
      return { value: value.value };
    case 'number':
      return { value: value.text };
    case 'boolean':
      return { value: String(value.value) };
    default:
      return { problem: `is ${describe(value)} where clients want a text` };
  }
};

/** Only the first @class is the type, and a repeated payload is read in one way or another. */
const onlyOnce: readonly string[] = ['@class', 'payload'];

/** Reads an object whose fields are all known; an unknown one is fatal to Jackson. Reports, and goes on reading. */
function readFields<Readers extends Readonly<Record<string, Reader<unknown>>>>(
  value: JsonValue,
  where: string,
  readers: Readers,
  problems: string[],
): Found<Readers> {
  if (value.kind !== 'object') {
    problems.push(`${where} is not an object but ${describe(value)}`);
    return {};
  }
  const found: Record<string, unknown> = {};
  for (const member of value.members) {
    const { name } = member;
    const twice = onlyOnce.includes(name) && Object.hasOwn(found, name);
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    const read = twice
      ? { problem: 'is there twice' }
      : (reader?.(member.value, problems) ?? { problem: 'is a field that clients do not know' });
    if ('value' in read) found[name] = read.value;
    else problems.push(`${where === '' ? '' : `${where}.`}${nameShown(name)} ${read.problem}`);
  }
  return found as Found<Readers>;
}

function readInstance(value: JsonValue, problems: string[]): ReadInstance | undefined {
  const found = readFields(
    value,
    '',
    {
      name: text,
      id: text,
      address: text,
      port: integer(2 ** 31),
      sslPort: integer(2 ** 31),
      payload: readPayload,
      registrationTimeUTC: integer(2 ** 63),
      serviceType,
      uriSpec: readUriSpec,
    },
    problems,
  );
  const { name, id, payload } = found;
  if (payload === undefined) {
    if (!('payload' in found)) problems.push('it has no payload');
    return undefined;
  }
  const { version, endpoint } = payload;
  if (version === undefined) {
    if (!payload.versionRefused) problems.push('payload.version is missing');
    return undefined;
  }
  return {
    name,
    id,
    hasEndpoint: endpoint !== undefined,
    seen: {
      model: payload.name,
      version,
      containerId: payload.containerId,
      url: endpoint?.url,
      functions: endpoint?.functions,
      registeredAt: found.registrationTimeUTC ?? 0,
    },
  };
}

function readPayload(value: JsonValue, problems: string[]) {
  if (value.kind !== 'object') {
    problems.push(`payload is not an object but ${describe(value)}`);
    return { value: undefined };
  }
  const type = value.members.find((member) => member.name === '@class')?.value;
  if (type === undefined) {
    problems.push('payload.@class is missing');
    return { value: undefined };
  }
  if (type.kind !== 'string' || type.value !== payloadClass) {
    problems.push(`payload.@class is not ${payloadClass}`);
    return { value: undefined };
  }
  const readers = { '@class': text, name: text, version: text, containerId: text, endpoint: readEndpoint };
  const versionRefused = value.members.some(
    (member) => member.name === 'version' && 'problem' in text(member.value, problems),
  );
  return { value: { ...readFields(value, 'payload', readers, problems), versionRefused } };
}

interface ReadEndpoint {
  readonly url: string | undefined;
  readonly functions: Readonly<Record<string, string>> | undefined;
}

function readEndpoint(value: JsonValue, problems: string[]): Read<ReadEndpoint | undefined> {
  if (value.kind === 'null') return { value: undefined };
  const found = readFields(value, 'payload.endpoint', { url: text, functions: readFunctions }, problems);
  return { value: { url: found.url, functions: found.functions } };
}

function readFunctions(value: JsonValue, problems: string[]): Read<ReadEndpoint['functions']> {
  if (value.kind === 'null') return { value: undefined };
  if (value.kind !== 'object') {
    problems.push(`payload.endpoint.functions is not an object but ${describe(value)}`);
    return { value: {} };
  }
  const functions: [string, string][] = [];
  for (const member of value.members) {
    const path = text(member.value, problems);
    if ('value' in path) functions.push([member.name, path.value ?? '']);
    else problems.push(`payload.endpoint.functions.${nameShown(member.name)} ${path.problem}`);
  }
  return { value: Object.fromEntries(functions) };
}

/** Curator's template for URIs. Nobody is known to use it here, but it may be there. */
function readUriSpec(value: JsonValue, problems: string[]): Read<undefined> {
  if (value.kind === 'string' && !/^[^{}]*(?:\{[^{}]*\}[^{}]*)*$/.test(value.value)) {
    return { problem: 'has braces that do not match' };
  }
  if (value.kind !== 'null' && value.kind !== 'string') readFields(value, 'uriSpec', { parts: readUriParts }, problems);
  return { value: undefined };
}

function readUriParts(value: JsonValue, problems: string[]): Read<undefined> {
  if (value.kind !== 'null' && value.kind !== 'array') return { problem: 'is not an array' };
  for (const item of value.kind === 'array' ? value.items : []) {
    if (item.kind !== 'null') readFields(item, 'uriSpec.parts', { value: text, variable: truth }, problems);
  }
  return { value: undefined };
}

/** A Java int or long: numbers are cut to integers, texts of digits are read, an empty text is as good as null. */
function integer(bound: number): Reader<number | undefined> {
  return (value) => {
    const digits = digitsOf(value);
    if (digits === '') return { value: undefined };
    if (value.kind === 'string' && !/^[+-]?[0-9]+$/.test(digits ?? '')) {
      return { problem: 'is a text where clients want a number' };
    }
    const number = digits === undefined ? Number.NaN : Math.trunc(Number(digits)) + 0; // no -0
    if (Number.isNaN(number)) return { problem: `is ${describe(value)} where clients want a number` };
    if (number < -bound || number >= bound) return { problem: 'is a number that clients cannot hold' };
    return { value: number };
  };
}

/** Nothing for null, undefined for what is never a number. */
function digitsOf(value: JsonValue): string | undefined {
  switch (value.kind) {
    case 'null':
      return '';
    case 'number':
      return value.text;
    case 'string':
      return value.value.trim();
    default:
      return undefined;
  }
}

/** A Java boolean: null and whole numbers will do, and the words. */
function truth(value: JsonValue): Read<undefined> {
  const good =
    value.kind === 'null' ||
    value.kind === 'boolean' ||
    (value.kind === 'number' && /^-?[0-9]+$/.test(value.text)) ||
    (value.kind === 'string' && /^(?:true|false|)$/.test(value.value.trim()));
  return good ? { value: undefined } : { problem: 'is not true or false' };
}

const serviceTypes: readonly string[] = ['DYNAMIC', 'STATIC', 'PERMANENT'];

function serviceType(value: JsonValue): Read<undefined> {
  const good =
    value.kind === 'null' ||
    (value.kind === 'string' && serviceTypes.includes(value.value)) ||
    // Jackson takes the number of an enum's constant as well.
    (value.kind === 'number' && /^(?:-?0|1|2)$/.test(value.text));
  return good ? { value: undefined } : { problem: `is none of ${serviceTypes.join(', ')}` };
}

function warnings(instance: ReadInstance, trailing: boolean, directory: string, node: string): string[] {
  const { seen } = instance;
  const found: string[] = [];
  if (seen.model === undefined) found.push('payload.name is missing: no client finds the model');
  else if (seen.model !== directory) {
    found.push(`clients file it under ${nameShown(seen.model)}, not under its directory ${nameShown(directory)}`);
  }
  if (instance.name !== undefined && instance.name !== directory) {
    found.push('name is not that of its directory: the original cannot unregister it');
  }
  if (instance.id !== undefined && instance.id !== node) {
    found.push('id is not the name of its node: the original cannot unregister it');
  }
  if (seen.version === '') found.push('payload.version is empty: any other version is higher');
  if (!instance.hasEndpoint) {
    found.push('payload.endpoint is missing: calls of this model answer null, and the old LIST fails');
  } else {
    if (seen.functions === undefined) {
      found.push('payload.endpoint.functions is missing: calls of this model answer null, and the old LIST fails');
    }
    if (seen.url === undefined || !/^https?:\/\/[^/?#]/i.test(seen.url)) {
      found.push('payload.endpoint.url is not an http or https URL: calls of this model answer null');
    }
  }
  if (trailing) found.push('something follows the JSON; clients ignore it');
  return found;
}

function fatal(reasons: readonly [string, ...string[]]): Diagnosis {
  return { verdict: 'fatal', reasons };
}

function describe(value: JsonValue): string {
  if (value.kind === 'null') return 'null';
  return value.kind === 'array' || value.kind === 'object' ? `an ${value.kind}` : `a ${value.kind}`;
}

/** A name from outside: bare where it is plain, else quoted and cut. */
function nameShown(name: string): string {
  return /^[A-Za-z0-9_@.-]{1,100}$/.test(name) ? name : quoted(name);
}

/** Host and port of a URL as java.net.URL says them. (The URL of JavaScript drops a port that is the default.) */
function authorityOf(url: string): { address: string; port: number } {
  const match = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^:/?#]*)(?::([0-9]+))?/i.exec(url);
  return { address: match?.[1] ?? '', port: match?.[2] === undefined ? -1 : Number(match[2]) };
}
