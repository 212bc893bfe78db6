/**
 * What is known of a model's script before it runs, on its way from the agent, which has its bytes, over the model's
 * shell, which knows the image, to the operator, which reads the shell's last lines.
 */
import type { ScriptText } from './script-text.ts';

/** The shell says these about a script that ended: they are codes of the catalogue, and this one, which may be no reason. */
const doubtful = 'SCRIPT_DOUBTFUL';
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

export interface ScriptWord {
  /** Undefined where the script may have ended for another reason. */
  readonly code: 'SCRIPT_NOT_RUNNABLE' | 'SCRIPT_INTERPRETER_MISSING' | undefined;
  readonly what: string;
  /** Undefined where the code's own advice is meant. */
  readonly next: string | undefined;
}

const wordPattern = /^maas: (SCRIPT_[A-Z_]+): (.*)$/m;

/** What the shell said about a script that ended. @param output its last lines */
export function scriptWord(output: string): ScriptWord | undefined {
  const [, code, text = ''] = wordPattern.exec(output) ?? [];
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
