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

const rules: Readonly<Record<string, Rule>> = {
  api: { folders: [], packages: ['zod'], node: pure },
  plan: { folders: ['api'], packages: [], node: pure },
  operator: { folders: ['api', 'plan'], packages: ['zod'], node: 'all' },
  legacy: { folders: ['api'], packages: ['zod'], node: 'all' },
  agent: { folders: ['api'], packages: ['zod'], node: 'all' },
  payload: { folders: ['api'], packages: ['ignore', 'zod'], node: 'all' },
  cli: { folders: ['api'], packages: ['commander', 'yaml', 'zod'], node: 'all' },
  adapters: {
    folders: ['api'],
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
  bin: {
    folders: ['api', 'plan', 'operator', 'legacy', 'agent', 'payload', 'cli', 'adapters'],
    packages: ['commander', 'yaml'],
    node: 'all',
  },
};

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
    ['handed on', 'api/a.ts', "export { b } from '../plan/b.ts';"],
    ['a dynamic one', 'operator/a.ts', "const b = await import('../adapters/b.ts');"],
    ['a side effect', 'cli/a.ts', "import 'webhdfs';"],
    ['a client library outside adapters', 'operator/a.ts', "import { KubeConfig } from '@kubernetes/client-node';"],
    ['a file system in the planner', 'plan/a.ts', "import { readFileSync } from 'node:fs';"],
    ['randomness in the planner', 'plan/a.ts', "import { createHash, randomUUID } from 'node:crypto';"],
    ['a whole module of Node in the planner', 'plan/a.ts', "import crypto from 'node:crypto';"],
    ['no extension', 'api/a.ts', "import { b } from './b';"],
    [
      'the package description outside bin',
      'cli/a.ts',
      "import about from '../../package.json' with { type: 'json' };",
    ],
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
    ['words in a comment', 'api/a.ts', "/* before:\nimport { b } from '../plan/b.ts';\n*/\n// import 'webhdfs';"],
  ])('allow: %s', (_what, path, text) => {
    expect(found(path, text)).toBe(0);
  });
});
