/** What the help says below the options. Pure. */
import { exitCodeMeanings } from '../exit-codes.ts';
import { foldTo } from './text-columns.ts';

export const programName = 'kubectl maas';

/** Columns that help takes: those of the smallest usual terminal. */
export const helpWidth = 80;

/** @param all what it does, and the arguments behind the program's name */
export function exampleLines(all: readonly (readonly [what: string, line: string])[]): string {
  const lines = all.flatMap(([what, line]) => [...setIn('  # ', what, '  # '), shellLine(`${programName} ${line}`)]);
  return ['', 'Examples:', ...lines].join('\n');
}

export function paragraph(text: string): string {
  return `\n${setIn('', text).join('\n')}\n`;
}

export function exitCodeLines(): string {
  return [
    '',
    'Exit codes:',
    ...exitCodeMeanings.flatMap(([code, means]) => setIn(`  ${String(code).padStart(3)}  `, means)),
  ].join('\n');
}

/** A command, on several lines where one is too short, as a shell reads it. */
function shellLine(command: string): string {
  const parts = command.split(/ (?=--|\| )/);
  const lines: string[] = [];
  let line = `  ${parts[0]}`;
  for (const part of parts.slice(1)) {
    if (`${line} ${part} \\`.length <= helpWidth) line += ` ${part}`;
    else {
      lines.push(`${line} \\`);
      line = `    ${part}`;
    }
  }
  return [...lines, line].join('\n');
}

function setIn(first: string, text: string, more = ' '.repeat(first.length)): string[] {
  return foldTo(helpWidth - first.length, text).map((line, at) => `${at === 0 ? first : more}${line}`);
}
