/** Why a model's script ended, from the last lines of its container: the shell's words about it and the script's own. */
import { type ErrorCode, errorCatalogue } from '../contracts/error-catalogue.ts';
import { scriptWord } from '../contracts/script-word.ts';

export interface ScriptEnd {
  readonly code: ErrorCode;
  readonly message: string;
  readonly next: string;
}

/** How many characters of a script's last words fit in a message. */
const lastWords = 600;
/** Lines that model-shell.ts writes. */
const ownLines = /^maas: (?:the script ended with status \d+|SCRIPT_[A-Z_]+: .*)$/gm;
/** What a shell puts before its own complaints: the name that model-shell.ts runs under, and a line of it. */
const shellPrefix = /^maas: (?:line )?\d+: /gm;

/**
 * @param output the last lines of the container
 * @param exitCode the container's own, where the output does not have the script's
 * @param again a clause about what is done about it, or nothing
 */
export function scriptEnd(output: string, exitCode: number, again: string): ScriptEnd {
  const status = Number(/^maas: the script ended with status (\d+)$/m.exec(output)?.[1] ?? exitCode);
  const word = scriptWord(output);
  const code = word?.code ?? 'SCRIPT_ENDED';
  const ended = `the script ended with status ${status}${meaning(status)}`;
  const words = output.replace(ownLines, '').replace(shellPrefix, '').trim();
  const tail = words.length > lastWords ? `…${words.slice(-lastWords)}` : words;
  const clauses = [
    ...(word?.code === undefined ? [ended] : [word.what, ended]),
    ...(again === '' ? [] : [again]),
    ...(word !== undefined && word.code === undefined ? [word.what] : []),
    ...(tail === '' ? [] : [`its last lines: ${tail}`]),
  ];
  return { code, message: clauses.join('; '), next: word?.next ?? errorCatalogue[code].next };
}

/** What shells mean by a status, where they mean anything. */
function meaning(status: number): string {
  if (status === 126) return ' (something was found, but could not be executed)';
  if (status === 127) return ' (something that was to be executed was not found)';
  const signal = signals[status - 128];
  return signal === undefined ? '' : ` (${signal})`;
}

/** Those that end programs by themselves. */
const signals: Readonly<Record<number, string>> = {
  4: 'SIGILL, an instruction that this processor does not have',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
};
