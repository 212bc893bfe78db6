/** Why a model's script ended: what the shell said about it, and the script's own last words. */
import { type ErrorCode, errorCatalogue } from '../contracts/error-catalogue.ts';
import type { ShellWords } from '../contracts/shell-words.ts';

export interface ScriptEnd {
  readonly code: ErrorCode;
  readonly message: string;
  readonly next: string;
}

/** How many characters of a script's last words fit in a message. */
const lastWords = 600;

/**
 * @param words from the last lines of the container
 * @param exitCode the container's own, where the shell did not say the script's
 * @param again a clause about what is done about it, or nothing
 */
export function scriptEnd({ fault, others, ...words }: ShellWords, exitCode: number, again: string): ScriptEnd {
  const status = words.status ?? exitCode;
  const code = fault?.code ?? 'SCRIPT_ENDED';
  const ended = `the script ended with status ${status}${meaning(status)}`;
  const tail = others.length > lastWords ? `…${others.slice(-lastWords)}` : others;
  const clauses = [
    ...(fault?.code === undefined ? [ended] : [fault.what, ended]),
    ...(again === '' ? [] : [again]),
    ...(fault !== undefined && fault.code === undefined ? [fault.what] : []),
    ...(tail === '' ? [] : [`its last lines: ${tail}`]),
  ];
  return { code, message: clauses.join('; '), next: fault?.next ?? errorCatalogue[code].next };
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
