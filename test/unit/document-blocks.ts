/** The fenced blocks of the documents, and which of them are commands for a shell. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../deploy/local/cache.ts';

export interface Block {
  readonly document: string;
  /** Of the opening fence. */
  readonly line: number;
  /** What follows the fence: `sh`, `console`, `yaml`, `text`; empty where nobody said. */
  readonly language: string;
  readonly text: string;
  /** Of the comment above it: `run: NAME` names a scenario of test/e2e/documents.test.ts, `check: WHY` says why none. */
  readonly mark: { readonly kind: 'run' | 'check'; readonly text: string } | undefined;
}

/** All Markdown that people read, relative to the project. */
export function markdownFiles(): string[] {
  const below = (directory: string) =>
    readdirSync(join(projectRoot, directory), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => join(directory, name));
  const top = readdirSync(projectRoot).filter((name) => name.endsWith('.md'));
  return [...top, ...['docs', 'deploy', 'charts', 'test'].flatMap(below)].sort();
}

export function blocksOf(document: string): Block[] {
  const lines = readFileSync(join(projectRoot, document), 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const opening = /^( *)```(\w*)$/.exec(lines[at] ?? '');
    if (opening === null) continue;
    const [, indent = '', language = ''] = opening;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end < 0) throw new Error(`${document} line ${at + 1}: the block has no end`);
    const mark = /^ *<!-- (run|check): (.+) -->$/.exec(lines[at - 1] ?? '');
    const [, kind, text = ''] = mark ?? [];
    blocks.push({
      document,
      line: at + 1,
      language,
      text: lines
        .slice(at + 1, end)
        .map((line) => line.slice(indent.length))
        .join('\n'),
      mark: kind === 'run' || kind === 'check' ? { kind, text } : undefined,
    });
    at = end;
  }
  return blocks;
}

export function isForShell({ language }: Block): boolean {
  return language === 'sh' || language === 'console';
}

/** What a shell is given: of a `console` block the lines behind the prompt. */
export function scriptOf({ language, text }: Block): string {
  if (language === 'sh') return text;
  return text
    .split('\n')
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2))
    .join('\n');
}

export interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * The calls of some programs in a script, with their arguments as a shell would split them. Enough of a shell for
 * documents: quotes, continued lines, comments, pipes, lists, substitutions; a variable stays as it is written.
 */
export function invocationsOf(script: string, programs: readonly string[]): Invocation[] {
  const joined = script.replace(/\\\n\s*/g, ' ');
  const found: Invocation[] = [];
  const starts = new RegExp(`(?:^|[|&;(]|\\$\\()\\s*(?:exec )?(${programs.join('|')})(?=\\s|$)`, 'gm');
  for (const match of joined.matchAll(starts)) {
    const [whole, program = ''] = match;
    found.push({ program, args: wordsOf(joined.slice(match.index + whole.length)) });
  }
  return found;
}

/** Words up to where the command ends. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (quote !== undefined) {
      if (letter === quote) quote = undefined;
      else word = `${word ?? ''}${letter}`;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= '';
    } else if (letter === '\\') {
      at += 1;
      word = `${word ?? ''}${text[at] ?? ''}`;
    } else if (/[\n|&;)<>]/.test(letter) || (letter === '#' && word === undefined)) {
      break;
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${letter}`;
  }
  return word === undefined ? words : [...words, word];
}
