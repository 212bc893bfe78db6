/**
 * Reads JSON as the Java clients of ZooKeeper do: the first value counts and what follows it is ignored, a byte order
 * mark is skipped, and an object keeps every member in order, repeated names too. `JSON.parse` does none of this, and
 * what a Java client would make of somebody else's bytes cannot be told from what `JSON.parse` says.
 */

export type JsonValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** The number as it is written: a client may want an int, a long or its text. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonValue[] }
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] };

export interface JsonMember {
  readonly name: string;
  readonly value: JsonValue;
}

export type JsonReading =
  | {
      readonly ok: true;
      readonly value: JsonValue /** Bytes after the value that are not white space. */;
      readonly trailing: boolean;
    }
  | {
      readonly ok: false;
      /** What is wrong, for people; carries nothing of the input. */
      readonly reason: string;
      /** Byte offset at which reading stopped. */
      readonly offset: number;
      /** True where the input merely ends too early, as a file does that is still being written. */
      readonly incomplete: boolean;
    };

/** No znode nests deeper than four; a limit keeps hostile input from exhausting the stack. */
const znodeDepth = 32;

const code = {
  tab: 0x09,
  newline: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  arrayOpen: 0x5b,
  backslash: 0x5c,
  arrayClose: 0x5d,
  u: 0x75,
  objectOpen: 0x7b,
  objectClose: 0x7d,
} as const;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

const numberPattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** What a number could still become if more digits followed. */
const unfinishedNumber = /^-?$|^-?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?)?$/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder('latin1');

class Unreadable extends Error {
  readonly offset: number;
  readonly incomplete: boolean;

  constructor(reason: string, offset: number, incomplete = false) {
    super(reason);
    this.offset = offset;
    this.incomplete = incomplete;
  }
}

class Reader {
  private offset = 0;
  private readonly bytes: Uint8Array;
  private readonly maxDepth: number;

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.bytes = bytes;
    this.maxDepth = maxDepth;
  }

  first(): { value: JsonValue; trailing: boolean } {
    if (this.bytes[0] === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf) this.offset = 3;
    this.skipSpace();
    if (this.peek() === undefined) throw new Unreadable('it is empty', this.offset, true);
    const value = this.value(0);
    this.skipSpace();
    return { value, trailing: this.peek() !== undefined };
  }

  private value(depth: number): JsonValue {
    if (depth > this.maxDepth) throw new Unreadable('it nests too deeply', this.offset);
    switch (this.peek()) {
      case undefined:
        throw this.ended();
      case code.objectOpen:
        return this.object(depth);
      case code.arrayOpen:
        return this.array(depth);
      case code.quote:
        return { kind: 'string', value: this.string() };
      default:
        return this.word();
    }
  }

  private object(depth: number): JsonValue {
    const members: JsonMember[] = [];
    this.offset++;
    this.skipSpace();
    if (this.take(code.objectClose)) return { kind: 'object', members };
    for (;;) {
      this.skipSpace();
      if (this.peek() !== code.quote) throw this.unexpected('a name in double quotes');
      const name = this.string();
      this.skipSpace();
      if (!this.take(code.colon)) throw this.unexpected('a colon');
      this.skipSpace();
      members.push({ name, value: this.value(depth + 1) });
      this.skipSpace();
      if (this.take(code.objectClose)) return { kind: 'object', members };
      if (!this.take(code.comma)) throw this.unexpected('a comma or }');
    }
  }

  private array(depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.offset++;
    this.skipSpace();
    if (this.take(code.arrayClose)) return { kind: 'array', items };
    for (;;) {
      this.skipSpace();
      items.push(this.value(depth + 1));
      this.skipSpace();
      if (this.take(code.arrayClose)) return { kind: 'array', items };
      if (!this.take(code.comma)) throw this.unexpected('a comma or ]');
    }
  }

  private string(): string {
    this.offset++;
    let text = '';
    let from = this.offset;
    for (;;) {
      const byte = this.peek();
      if (byte === undefined) throw this.ended();
      if (byte < code.space) throw new Unreadable('a string holds an unescaped control character', this.offset);
      if (byte === code.quote || byte === code.backslash) {
        text += this.decode(from, this.offset);
        this.offset++;
        if (byte === code.quote) return text;
        text += this.escape();
        from = this.offset;
      } else {
        this.offset++;
      }
    }
  }

  private escape(): string {
    const byte = this.peek();
    if (byte === undefined) throw this.ended();
    this.offset++;
    if (byte === code.u) {
      const digits = this.ascii(this.offset, this.offset + 4);
      if (!/^[0-9a-fA-F]*$/.test(digits)) throw new Unreadable('a \\u is not followed by four digits', this.offset);
      if (digits.length < 4) throw this.ended();
      this.offset += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const meant = escapes[String.fromCharCode(byte)];
    if (meant === undefined)
      throw new Unreadable('a backslash is followed by a letter it cannot stand before', this.offset);
    return meant;
  }

  /** true, false, null or a number: everything up to the next delimiter. */
  private word(): JsonValue {
    const start = this.offset;
    for (let byte = this.peek(); byte !== undefined && wordBytes.has(byte); byte = this.peek()) this.offset++;
    const text = this.ascii(start, this.offset);
    const atEnd = this.peek() === undefined;
    if (text === 'null') return { kind: 'null' };
    if (text === 'true' || text === 'false') return { kind: 'boolean', value: text === 'true' };
    if (numberPattern.test(text)) return { kind: 'number', text };
    this.offset = start;
    const unfinished = ['null', 'true', 'false'].some((word) => word.startsWith(text)) || unfinishedNumber.test(text);
    if (atEnd && text !== '' && unfinished) throw this.ended();
    throw this.unexpected('a value');
  }

  private decode(start: number, end: number): string {
    try {
      return utf8.decode(this.bytes.subarray(start, end));
    } catch {
      throw new Unreadable('a string is not UTF-8', start);
    }
  }

  private ascii(start: number, end: number): string {
    return latin1.decode(this.bytes.subarray(start, end));
  }

  private skipSpace(): void {
    for (;;) {
      const byte = this.peek();
      if (byte !== code.space && byte !== code.tab && byte !== code.newline && byte !== code.carriageReturn) return;
      this.offset++;
    }
  }

  private peek(): number | undefined {
    return this.bytes[this.offset];
  }

  private take(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.offset++;
    return true;
  }

  private ended(): Unreadable {
    return new Unreadable('it ends too early', this.bytes.length, true);
  }

  private unexpected(wanted: string): Unreadable {
    return this.peek() === undefined ? this.ended() : new Unreadable(`${wanted} is missing`, this.offset);
  }
}

/** Letters, digits and what else numbers are made of. */
const wordBytes: ReadonlySet<number> = new Set(
  [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.'].map((letter) => letter.charCodeAt(0)),
);

/** Reads the first JSON value of the bytes (UTF-8, with or without a byte order mark). Never throws. */
export function readJavaJson(bytes: Uint8Array, maxDepth = znodeDepth): JsonReading {
  try {
    return { ok: true, ...new Reader(bytes, maxDepth).first() };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ok: false, reason: error.message, offset: error.offset, incomplete: error.incomplete };
  }
}

/** The members of an object by name; the last of a repeated name counts. Undefined where it is not an object. */
export function membersOf(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> | undefined {
  if (value?.kind !== 'object') return undefined;
  return new Map(value.members.map((member) => [member.name, member.value]));
}

/** As JavaScript has it; large numbers lose digits, of a repeated name the last one counts. */
export function plainJson(value: JsonValue): unknown {
  switch (value.kind) {
    case 'null':
      return null;
    case 'number':
      return Number(value.text);
    case 'array':
      return value.items.map(plainJson);
    case 'object':
      return Object.fromEntries(value.members.map((member) => [member.name, plainJson(member.value)]));
    default:
      return value.value;
  }
}

/** On one line, numbers as they are written, of a repeated name the last one. */
export function jsonText(value: JsonValue): string {
  switch (value.kind) {
    case 'null':
      return 'null';
    case 'number':
      return value.text;
    case 'array':
      return `[${value.items.map(jsonText).join(',')}]`;
    case 'object':
      return `{${[...(membersOf(value) ?? [])].map(([name, field]) => `${JSON.stringify(name)}:${jsonText(field)}`).join(',')}}`;
    default:
      return JSON.stringify(value.value);
  }
}
