/**
 * What can be told of a model's script from its bytes: who is to run it, and what about it keeps it from running. The
 * kernel takes the first line as it is (execve(2)): a carriage return at its end belongs to the interpreter's name, and
 * where a mark is before `#!` there is no interpreter.
 */
import { quoted } from '../kernel/shown-text.ts';

/** How much of a script is looked at. */
export const scriptHeadBytes = 64 * 1024;
/** What Linux reads of a file to find its interpreter: BINPRM_BUF_SIZE, and what ends the line is in that. */
const kernelReads = 255;

export interface ScriptFault {
  /** One sentence without a full stop, which names the script. */
  readonly what: string;
  /** What to do, as a sentence. */
  readonly next: string;
  /** It cannot run like that. Otherwise it may, but shells stumble over such things. */
  readonly certain: boolean;
}

export interface ScriptText {
  /** Path of the interpreter, where the first line names one that may be there. */
  readonly interpreter?: string;
  /** What the interpreter looks for on the PATH, where that is `env`. */
  readonly program?: string;
  readonly fault?: ScriptFault;
}

const upload = 'and upload it again';
const unixLines = `Save it with Unix line ends (dos2unix, or the editor's setting LF) ${upload}.`;

/**
 * @param name of the script
 * @param head its first bytes; more than `scriptHeadBytes` are not looked at
 */
export function lookAtScript(name: string, head: Uint8Array): ScriptText {
  const bytes = head.subarray(0, scriptHeadBytes);
  const shown = quoted(name);
  if (bytes.length === 0) return fault(`${shown} is empty`, 'Upload it with its content.');
  const wide = wideEncoding(bytes);
  if (wide !== undefined) return fault(`${shown} is stored as ${wide}`, `Save it as UTF-8 ${upload}.`);

  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  if (text.startsWith('\ufeff')) {
    const asks = text.startsWith('#!', 1);
    return fault(
      `${shown} begins with a byte order mark (BOM)${asks ? ', so nobody sees the #! behind it' : ''}`,
      `Save it as UTF-8 without a byte order mark ${upload}.`,
      // A shell complains of the first line and goes on with the second one.
      asks && !isShell(parts(firstLine(text).slice(3))),
    );
  }
  const line = firstLine(text);
  if (!text.startsWith('#!')) {
    if (line.includes('\0')) return fault(`${shown} is no text`, 'Put a script there that starts the program.');
    return carriageReturns(shown, text);
  }
  return lookAtFirstLine(shown, text, line, bytes);
}

/** Of a script that asks for an interpreter. */
function lookAtFirstLine(shown: string, text: string, line: string, bytes: Uint8Array): ScriptText {
  const lineBytes = bytes.indexOf(10) === -1 ? bytes.length : bytes.indexOf(10);
  const asked = parts(line.slice(2));
  if (lineBytes > kernelReads && asked.argument === '') {
    return fault(
      `the first line of ${shown} is longer than the ${kernelReads} bytes that Linux takes`,
      'Name the interpreter by a shorter path.',
    );
  }
  if (line.endsWith('\r')) {
    return fault(
      `the first line of ${shown} ends with a carriage return, so it asks for ${quoted(line.slice(2).replace(/^[ \t]+/, ''), 300)}`,
      unixLines,
    );
  }
  if (asked.path === '') {
    return fault(`the first line of ${shown} names nobody after its #!`, 'Write the interpreter there: #!/bin/bash');
  }
  const { program, words } = throughEnv(asked);
  if (words !== undefined) {
    return fault(
      `env takes what the first line of ${shown} names, ${quoted(words, 300)}, for one word`,
      'Put -S before it: #!/usr/bin/env -S',
    );
  }
  return {
    interpreter: asked.path,
    ...(program === undefined ? {} : { program }),
    ...(isShell(asked) ? carriageReturns(shown, text) : {}),
  };
}

function fault(what: string, next: string, certain = true): ScriptText {
  return { fault: { what, next, certain } };
}

/** Of text in which every other byte is 0, or that says so with a mark. */
function wideEncoding([a, b, c, d]: Uint8Array): string | undefined {
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return 'UTF-16';
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return 'UTF-16';
  if (a === 0 && b !== 0 && c === 0 && d !== 0 && d !== undefined) return 'UTF-16';
  return undefined;
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}

interface Asked {
  readonly path: string;
  /** All that follows: the kernel hands it on as one argument. */
  readonly argument: string;
}

/** As the kernel takes it apart: by spaces and tabs alone. */
function parts(line: string): Asked {
  const [, path = '', argument = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
  return { path, argument };
}

/** What `env` is asked for; `words` where it would take several for the name of one. */
function throughEnv({ path, argument }: Asked): { readonly program?: string; readonly words?: string } {
  if (baseName(path) !== 'env' || argument === '') return {};
  if (!argument.startsWith('-')) return /[ \t]/.test(argument) ? { words: argument } : { program: argument };
  const split = /^-(?:-split-string=|[iv]*S)[ \t]*(.*)$/s.exec(argument)?.[1];
  const program = split?.split(/[ \t]+/).find((word) => !/^[A-Za-z_]\w*=/.test(word));
  // Options and quotes are env's own affair.
  return program !== undefined && /^[\w./+-]+$/.test(program) && !program.startsWith('-') ? { program } : {};
}

function isShell(asked: Asked): boolean {
  const name = baseName(throughEnv(asked).program ?? asked.path).replace(/\r$/, '');
  return /^(?:ba|da|a|k|mk|z)?sh$/.test(name);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A shell takes the carriage return for a part of the line's last word. */
function carriageReturns(shown: string, text: string): ScriptText {
  // Some scripts carry an archive behind their text.
  const lines = text.split('\0', 1).join('').split('\n');
  const at = lines.slice(0, -1).findIndex((line) => line.endsWith('\r'));
  if (at === -1) return {};
  const what = `line ${at + 1} of ${shown} ends with a carriage return, which a shell takes for a part of its last word`;
  return { fault: { what, next: unixLines, certain: false } };
}
