/**
 * What the model's shell says beside the script's own output, for the operator, which reads the container's last lines:
 * how the script ended, why the agent had it ended, and what is known of it from before it ran. The last two come from
 * the agent, which has the script's bytes; the shell alone knows the image.
 */
import { type ErrorCode, errorCatalogue } from './error-catalogue.ts';
import type { ScriptText } from './script-text.ts';

/** Beside codes of the catalogue the shell says this about a script that ended, which may have had another reason. */
const doubtful = 'SCRIPT_DOUBTFUL';
/** How the shell begins what it says. Pods of earlier releases say the same, so these never change. */
export const shellSays = {
  /** Before the agent's word about the script, or the shell's own. */
  own: 'maas: ',
  restarting: 'maas: restarting: ',
  ended: 'maas: the script ended with status ',
} as const;
const nextMark = '; next: ';

/**
 * The text of the file that the agent leaves for the shell: the interpreter, the program that `env` is to find, and what
 * is to be said when the script has ended; a line each, empty where there is none.
 */
export function scriptFile({ interpreter = '', program = '', fault }: ScriptText): string {
  const code = fault?.certain === true ? 'SCRIPT_NOT_RUNNABLE' : doubtful;
  const word = fault === undefined ? '' : `${code}: ${fault.what}${nextMark}${fault.next}`;
  return [interpreter, program, word].map((line) => `${line.replace(/\p{Cc}+/gu, ' ')}\n`).join('');
}

/** The line by which the agent has the script ended. */
export function restartLine({ code, message }: { readonly code: string; readonly message: string }): string {
  return `${code}: ${message}`;
}

export interface ShellWords {
  /** The script's own status; undefined where the shell did not come to say it. */
  readonly status: number | undefined;
  /** Why the agent had the script ended; without a code where this program does not know it, which then is in `what`. */
  readonly restart: { readonly code: ErrorCode | undefined; readonly what: string } | undefined;
  /** What keeps the script from running, as far as anybody knows. */
  readonly fault: ScriptWord | undefined;
  /** All else: the script's own words, and what a shell complained of. */
  readonly others: string;
}

export interface ScriptWord {
  /** Undefined where the script may have ended for another reason. */
  readonly code: 'SCRIPT_NOT_RUNNABLE' | 'SCRIPT_INTERPRETER_MISSING' | undefined;
  readonly what: string;
  /** Undefined where the code's own advice is meant. */
  readonly next: string | undefined;
}

const endedPattern = new RegExp(`^${shellSays.ended}(\\d+)$`, 'm');
const restartPattern = new RegExp(`${shellSays.restarting}(?:([A-Z_]+): )?(.*)`);
const faultPattern = new RegExp(`^${shellSays.own}(SCRIPT_[A-Z_]+): (.*)$`, 'm');
const ownLines = new RegExp(`^(?:${shellSays.ended}\\d+|${shellSays.own}SCRIPT_[A-Z_]+: .*)$`, 'gm');
/** What a shell puts before its own complaints: the name that model-shell.ts runs under, and a line of it. */
const complaint = new RegExp(`^${shellSays.own}(?:line )?\\d+: `, 'gm');

/** What the shell said of a script that ended. @param output the last lines of the container */
export function shellWords(output: string): ShellWords {
  const status = endedPattern.exec(output)?.[1];
  return {
    status: status === undefined ? undefined : Number(status),
    restart: restartIn(output),
    fault: faultIn(output),
    others: output.replace(ownLines, '').replace(complaint, '').trim(),
  };
}

function restartIn(output: string): ShellWords['restart'] {
  const match = restartPattern.exec(output);
  if (match === null) return undefined;
  const [, code, what = ''] = match;
  if (code === undefined) return { code, what };
  return isErrorCode(code) ? { code, what } : { code: undefined, what: `${code}: ${what}` };
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCatalogue, text);
}

function faultIn(output: string): ScriptWord | undefined {
  const [, code, text = ''] = faultPattern.exec(output) ?? [];
  const [what = '', next] = text.split(nextMark, 2);
  switch (code) {
    case 'SCRIPT_NOT_RUNNABLE':
    case 'SCRIPT_INTERPRETER_MISSING':
      return { code, what, next };
    case doubtful:
      return { code: undefined, what, next };
    default:
      return undefined;
  }
}
