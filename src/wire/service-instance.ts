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

/** Java's text of a value where a field is a String: numbers and booleans become texts, objects are refused. */
type Field = (value: JsonValue) => string | undefined;

/** Reads an object whose fields are all known; an unknown one is fatal to Jackson. Reports, and goes on reading. */
function readFields(
  value: JsonValue,
  where: string,
  fields: Readonly<Record<string, Field>>,
  problems: string[],
): void {
  const prefix = where === '' ? '' : `${where}.`;
  if (value.kind !== 'object') {
    problems.push(`${where} is not an object but ${describe(value)}`);
    return;
  }
  for (const member of value.members) {
    const field = Object.hasOwn(fields, member.name) ? fields[member.name] : undefined;
    const problem = field === undefined ? 'is a field that clients do not know' : field(member.value);
    if (problem !== undefined) problems.push(`${prefix}${nameShown(member.name)} ${problem}`);
  }
}

function readInstance(value: JsonValue, problems: string[]): ReadInstance | undefined {
  let name: string | undefined;
  let id: string | undefined;
  let registeredAt = 0;
  let payload: ReadPayload | undefined;
  let payloadSeen = false;
  readFields(
    value,
    '',
    {
      name: text((read) => {
        name = read;
      }),
      id: text((read) => {
        id = read;
      }),
      address: text(),
      port: integer(2 ** 31),
      sslPort: integer(2 ** 31),
      payload: (read) => {
        if (payloadSeen) return 'is there twice';
        payloadSeen = true;
        payload = readPayload(read, problems);
        return undefined;
      },
      registrationTimeUTC: integer(2 ** 63, (read) => {
        registeredAt = read ?? 0;
      }),
      serviceType,
      uriSpec: (read) => readUriSpec(read, problems),
    },
    problems,
  );
  if (payload === undefined) {
    if (!payloadSeen) problems.push('it has no payload');
    return undefined;
  }
  const { version, endpoint } = payload;
  if (version === undefined) {
    if (!problems.some((problem) => problem.startsWith('payload.version ')))
      problems.push('payload.version is missing');
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
      registeredAt,
    },
  };
}

interface ReadPayload {
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly containerId: string | undefined;
  readonly endpoint: ReadEndpoint | undefined;
}

function readPayload(value: JsonValue, problems: string[]): ReadPayload | undefined {
  if (value.kind !== 'object') {
    problems.push(`payload is not an object but ${describe(value)}`);
    return undefined;
  }
  const type = value.members.find((member) => member.name === '@class')?.value;
  if (type === undefined) {
    problems.push('payload.@class is missing');
    return undefined;
  }
  if (type.kind !== 'string' || type.value !== payloadClass) {
    problems.push(`payload.@class is not ${payloadClass}`);
    return undefined;
  }
  let name: string | undefined;
  let version: string | undefined;
  let containerId: string | undefined;
  let endpoint: ReadEndpoint | undefined;
  // Only the first @class is the type; a second one would be a field that the class does not have.
  let typeSeen = false;
  readFields(
    value,
    'payload',
    {
      '@class': () => {
        if (typeSeen) return 'is there twice';
        typeSeen = true;
        return undefined;
      },
      name: text((read) => {
        name = read;
      }),
      version: text((read) => {
        version = read;
      }),
      containerId: text((read) => {
        containerId = read;
      }),
      endpoint: (read) => {
        endpoint = read.kind === 'null' ? undefined : readEndpoint(read, problems);
        return undefined;
      },
    },
    problems,
  );
  return { name, version, containerId, endpoint };
}

interface ReadEndpoint {
  readonly url: string | undefined;
  readonly functions: Readonly<Record<string, string>> | undefined;
}

function readEndpoint(value: JsonValue, problems: string[]): ReadEndpoint {
  let url: string | undefined;
  let functions: Readonly<Record<string, string>> | undefined;
  readFields(
    value,
    'payload.endpoint',
    {
      url: text((read) => {
        url = read;
      }),
      functions: (read) => {
        functions = read.kind === 'null' ? undefined : readFunctions(read, problems);
        return undefined;
      },
    },
    problems,
  );
  return { url, functions };
}

function readFunctions(value: JsonValue, problems: string[]): Readonly<Record<string, string>> {
  if (value.kind !== 'object') {
    problems.push(`payload.endpoint.functions is not an object but ${describe(value)}`);
    return {};
  }
  const functions: [string, string][] = [];
  for (const member of value.members) {
    let path = '';
    const problem = text((read) => {
      path = read ?? '';
    })(member.value);
    if (problem === undefined) functions.push([member.name, path]);
    else problems.push(`payload.endpoint.functions.${nameShown(member.name)} ${problem}`);
  }
  return Object.fromEntries(functions);
}

/** Curator's template for URIs. Nobody is known to use it here, but it may be there. */
function readUriSpec(value: JsonValue, problems: string[]): string | undefined {
  if (value.kind === 'null') return undefined;
  if (value.kind === 'string') {
    return /^[^{}]*(?:\{[^{}]*\}[^{}]*)*$/.test(value.value) ? undefined : 'has braces that do not match';
  }
  const part: Readonly<Record<string, Field>> = {
    value: text(),
    variable: truth,
  };
  readFields(
    value,
    'uriSpec',
    {
      parts: (parts) => {
        if (parts.kind === 'null') return undefined;
        if (parts.kind !== 'array') return 'is not an array';
        for (const item of parts.items) if (item.kind !== 'null') readFields(item, 'uriSpec.parts', part, problems);
        return undefined;
      },
    },
    problems,
  );
  return undefined;
}

function text(use: (read: string | undefined) => void = () => {}): Field {
  return (value) => {
    switch (value.kind) {
      case 'null':
        use(undefined);
        return undefined;
      case 'string':
        use(value.value);
        return undefined;
      case 'number':
        use(value.text);
        return undefined;
      case 'boolean':
        use(String(value.value));
        return undefined;
      default:
        return `is ${describe(value)} where clients want a text`;
    }
  };
}

/** A Java int or long: numbers are cut to integers, texts of digits are read, an empty text is as good as null. */
function integer(bound: number, use: (read: number | undefined) => void = () => {}): Field {
  return (value) => {
    const digits = digitsOf(value);
    if (digits === '') {
      use(undefined);
      return undefined;
    }
    if (value.kind === 'string' && !/^[+-]?[0-9]+$/.test(digits ?? '')) return `is a text where clients want a number`;
    const number = digits === undefined ? Number.NaN : Math.trunc(Number(digits)) + 0; // no -0
    if (Number.isNaN(number)) return `is ${describe(value)} where clients want a number`;
    if (number < -bound || number >= bound) return 'is a number that clients cannot hold';
    use(number);
    return undefined;
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
function truth(value: JsonValue): string | undefined {
  if (value.kind === 'null' || value.kind === 'boolean') return undefined;
  if (value.kind === 'number' && /^-?[0-9]+$/.test(value.text)) return undefined;
  if (value.kind === 'string' && /^(?:true|false|)$/.test(value.value.trim())) return undefined;
  return 'is not true or false';
}

const serviceTypes: readonly string[] = ['DYNAMIC', 'STATIC', 'PERMANENT'];

function serviceType(value: JsonValue): string | undefined {
  if (value.kind === 'null') return undefined;
  if (value.kind === 'string' && serviceTypes.includes(value.value)) return undefined;
  // Jackson takes the number of an enum's constant as well.
  if (value.kind === 'number' && /^(?:-?0|1|2)$/.test(value.text)) return undefined;
  return `is none of ${serviceTypes.join(', ')}`;
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
