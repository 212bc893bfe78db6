/** Who may import whom; docs/architecture.md says why. */
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { importsOf, type SourceFile, sourcesBelow } from './module-imports.ts';

interface Rule {
  /** Folders of src beside its own. */
  readonly folders: readonly string[];
  readonly packages: readonly string[];
  /** Which of Node's own modules; `names` where only some of a module are pure. */
  readonly node: 'all' | Readonly<Record<string, readonly string[]>>;
}

/** A hash is a function of its input, and so is what is compressed: the only things of Node's that the pure folders use. */
const pure = { 'node:crypto': ['createHash'], 'node:zlib': ['gunzipSync', 'gzipSync'] };

const basics = ['kernel', 'contracts'];
const rules: Readonly<Record<string, Rule>> = {
  kernel: { folders: [], packages: [], node: 'all' },
  contracts: { folders: ['kernel'], packages: ['zod'], node: pure },
  wire: { folders: basics, packages: [], node: pure },
  'deploy-rules': { folders: basics, packages: [], node: pure },
  plan: { folders: basics, packages: [], node: pure },
  operator: { folders: [...basics, 'wire', 'plan'], packages: ['zod'], node: 'all' },
  manager: {
    folders: [...basics, 'wire', 'deploy-rules', 'plan', 'operator', 'legacy', 'payload'],
    packages: [],
    node: 'all',
  },
  legacy: { folders: [...basics, 'wire', 'deploy-rules'], packages: ['zod'], node: 'all' },
  agent: { folders: [...basics, 'wire'], packages: ['zod'], node: 'all' },
  payload: { folders: basics, packages: ['ignore', 'zod'], node: 'all' },
  'payload-cache': { folders: basics, packages: [], node: 'all' },
  cli: {
    folders: [...basics, 'wire', 'deploy-rules'],
    packages: ['commander', 'csv-parse', 'yaml', 'zod'],
    node: 'all',
  },
  adapters: {
    folders: basics,
    packages: [
      '@kubernetes/client-node',
      'https-proxy-agent',
      'node-zookeeper-client',
      'pino',
      'prom-client',
      'socks-proxy-agent',
      'webhdfs',
      'yaml',
      'zod',
    ],
    node: 'all',
  },
  documents: { folders: [...basics, 'cli'], packages: ['zod'], node: pure },
  bin: {
    folders: [
      ...basics,
      'wire',
      'deploy-rules',
      'plan',
      'operator',
      'manager',
      'legacy',
      'agent',
      'payload',
      'payload-cache',
      'cli',
      'adapters',
      'documents',
    ],
    packages: ['commander', 'yaml'],
    node: 'all',
  },
};

/** The rooms that only decide are given the time; they do not ask for it. */
const impure = ['kernel/system-clock.ts'];

/** What these sources do that the rules forbid, in sentences. Paths are relative to src. */
function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const folder = path.split('/')[0] ?? '';
    const rule = rules[folder];
    if (rule === undefined) return [`src/${path} is in a folder that the rules do not know`];
    return importsOf(text).flatMap(({ from, names }) => {
      const refused = (why: string) => [`src/${path} imports ${from}: ${why}`];
      if (from.startsWith('.')) {
        const target = posix.normalize(posix.join(posix.dirname(path), from));
        const other = target.split('/')[0] ?? '';
        // A program's version is the package's.
        if (folder === 'bin' && target === '../package.json') return [];
        if (!target.endsWith('.ts')) return refused('write the .ts');
        if (rule.node !== 'all' && impure.includes(target)) return refused(`${folder} is pure`);
        if (other === folder || rule.folders.includes(other)) return [];
        return refused(`${folder} may import only ${[...rule.folders, 'itself'].join(', ')}`);
      }
      if (from.startsWith('node:')) {
        if (rule.node === 'all') return [];
        const allowed = rule.node[from] ?? [];
        return names.length > 0 && names.every((name) => allowed.includes(name)) ? [] : refused(`${folder} is pure`);
      }
      const name = from
        .split('/')
        .slice(0, from.startsWith('@') ? 2 : 1)
        .join('/');
      return rule.packages.includes(name) ? [] : refused(`${folder} may not use this package`);
    });
  });
}

/** Each way around, once, as the files on it. Types count: a newcomer reads them too. */
function cycles(files: readonly SourceFile[]): string[] {
  const targets = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(text)
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => posix.normalize(posix.join(posix.dirname(path), from))),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(' -> '));
    if (way.includes(path) || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return found;
}

const isTest = (path: string) => path.endsWith('.test.ts');
const sources = sourcesBelow(join(projectRoot, 'src'));

describe('imports', () => {
  it('of the sources follow the rules', () => {
    const checked = sources.filter((file) => !isTest(file.path));
    expect(checked.length).toBeGreaterThan(20);
    expect(violations(checked)).toEqual([]);
  });

  it('never reach a program from outside: not even tests do', () => {
    const outside = [
      ...sources.filter((file) => !file.path.startsWith('bin/')).map((file) => ({ ...file, path: `src/${file.path}` })),
      ...['test', 'deploy'].flatMap((folder) =>
        sourcesBelow(join(projectRoot, folder)).map((file) => ({ ...file, path: `${folder}/${file.path}` })),
      ),
    ];
    const importers = outside.filter(({ path, text }) =>
      importsOf(text).some(({ from }) => posix.join(posix.dirname(path), from).startsWith('src/bin/')),
    );
    expect(importers.map((file) => file.path)).toEqual([]);
  });

  it('of test code are for tests alone', () => {
    const importers = sources.filter(
      ({ path, text }) =>
        !isTest(path) &&
        importsOf(text).some(
          ({ from }) =>
            /\.test\.ts$|^(vitest|fast-check)$/.test(from) ||
            posix.join('src', posix.dirname(path), from).startsWith('test/'),
        ),
    );
    expect(importers.map((file) => file.path)).toEqual([]);
  });
});

describe('import cycles', () => {
  it('do not exist between files', () => {
    expect(cycles(sources.filter((file) => !isTest(file.path)))).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['two files', { 'a/a.ts': "import { b } from './b.ts';", 'a/b.ts': "import type { a } from './a.ts';" }, 1],
    [
      'three, over folders',
      { 'a/a.ts': "import '../b/b.ts';", 'b/b.ts': "import '../c/c.ts';", 'c/c.ts': "export { a } from '../a/a.ts';" },
      1,
    ],
    ['a diamond is none', { 'a.ts': "import './b.ts';\nimport './c.ts';", 'b.ts': "import './c.ts';", 'c.ts': '' }, 0],
  ])('are found: %s', (_what, files, count) => {
    expect(cycles(Object.entries(files).map(([path, text]) => ({ path, text })))).toHaveLength(count);
  });
});

describe('files', () => {
  it('are named for what they are about: no barrels, no catch-alls', () => {
    const names = /(^|\/)(index|utils?|helpers?|common|misc|shared)(\.test)?\.ts$/;
    expect(sources.map((file) => file.path).filter((path) => names.test(path))).toEqual([]);
    const barrels = sources.filter(({ text }) => /^export \* from/m.test(text));
    expect(barrels.map((file) => file.path)).toEqual([]);
  });
});

describe('the rules themselves', () => {
  const found = (path: string, text: string) => violations([{ path, text }]).length;

  it.each<[string, string, string]>([
    ['agent reaching into the operator', 'agent/a.ts', "import { b } from '../operator/b.ts';"],
    ['a type is an import too', 'plan/a.ts', "import type { B } from '../operator/b.ts';"],
    ['over several lines', 'payload/a.ts', "import {\n  b,\n  c,\n} from '../cli/b.ts';"],
    ['handed on', 'contracts/a.ts', "export { b } from '../plan/b.ts';"],
    ['a dynamic one', 'operator/a.ts', "const b = await import('../adapters/b.ts');"],
    ['a side effect', 'cli/a.ts', "import 'webhdfs';"],
    ['a client library outside adapters', 'operator/a.ts', "import { KubeConfig } from '@kubernetes/client-node';"],
    ['a file system in the planner', 'plan/a.ts', "import { readFileSync } from 'node:fs';"],
    ['randomness in the planner', 'plan/a.ts', "import { createHash, randomUUID } from 'node:crypto';"],
    ['a whole module of Node in the planner', 'plan/a.ts', "import crypto from 'node:crypto';"],
    ['no extension', 'contracts/a.ts', "import { b } from './b';"],
    [
      'the package description outside bin',
      'cli/a.ts',
      "import about from '../../package.json' with { type: 'json' };",
    ],
    ['the time of day in the planner', 'plan/a.ts', "import { systemClock } from '../kernel/system-clock.ts';"],
    ['the kernel knowing anybody', 'kernel/a.ts', "import { MaasError } from '../contracts/errors.ts';"],
    ['contracts knowing the old formats', 'contracts/a.ts', "import { b } from '../wire/b.ts';"],
    ['a folder nobody planned', 'extra/a.ts', ''],
  ])('refuse: %s', (_what, path, text) => {
    expect(found(path, text)).toBe(1);
  });

  it.each<[string, string, string]>([
    ['the operator planning', 'operator/a.ts', "import type { Plan } from '../plan/plan.ts';"],
    ['a neighbour', 'agent/a.ts', "import { b } from './b.ts';"],
    ['a hash in the planner', 'plan/a.ts', "import { createHash } from 'node:crypto';"],
    ['a client library in an adapter', 'adapters/kube/a.ts', "import { KubeConfig } from '@kubernetes/client-node';"],
    ['the version of a program', 'bin/a.ts', "import about from '../../package.json' with { type: 'json' };"],
    ['words in a comment', 'contracts/a.ts', "/* before:\nimport { b } from '../plan/b.ts';\n*/\n// import 'webhdfs';"],
  ])('allow: %s', (_what, path, text) => {
    expect(found(path, text)).toBe(0);
  });
});
