/** Reads which modules a TypeScript source imports, types included. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface Import {
  readonly from: string;
  /** The names in braces; empty for a whole module or a side effect. */
  readonly names: readonly string[];
}

/**
 * `import ... from 'x'`, `export ... from 'x'`, `import 'x'`, `import('x')` and `typeof import('x')`. Statements begin
 * a line, as the formatter puts them; text in comments does not count.
 */
export function importsOf(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const statements = /^(?:import|export)\b([^;'"`]*?)\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm;
  const calls = /\bimport\(\s*['"]([^'"]+)['"]/g;
  return [
    ...[...code.matchAll(statements)].map((match) => ({
      from: match[2] ?? match[3] ?? '',
      names: namesIn(/\{([\s\S]*)\}/.exec(match[1] ?? '')?.[1] ?? ''),
    })),
    ...[...code.matchAll(calls)].map((match) => ({ from: match[1] ?? '', names: [] })),
  ];
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim().replace(/^type\s+/, ''))
    .filter((name) => name !== '');
}

export interface SourceFile {
  /** Relative to the root that was read, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file below a directory. */
export function sourcesBelow(directory: string): SourceFile[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(directory, path), text: readFileSync(path, 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
