/** The documents say what the sources say: generated ones are fresh, codes exist, links lead somewhere. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../deploy/local/cache.ts';
import { errorCatalogue } from '../../src/contracts/error-catalogue.ts';
import { sourcesBelow } from './module-imports.ts';

const catalogued = Object.keys(errorCatalogue);
const sources = sourcesBelow(join(projectRoot, 'src'));

function documents(): { path: string; text: string }[] {
  const top = readdirSync(projectRoot).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return [...top, ...docs].map((path) => ({ path, text: readFileSync(join(projectRoot, path), 'utf8') }));
}

/** As GitHub makes them from headings. */
function anchorsOf(markdown: string): Set<string> {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '');
  const headings = [...prose.matchAll(/^#+ +(.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  return new Set([...headings, ...[...prose.matchAll(/<a id="([^"]+)">/g)].map((match) => match[1] ?? '')]);
}

/** Files of src that a text names, with the folder or as the tables of ways name them. */
function namedSources(text: string): string[] {
  return [...text.matchAll(/`(?:src\/)?([a-z-]+(?:\/[a-z-]+)+\.ts)`/g)].map((match) => match[1] ?? '');
}

describe('sources that documents name', () => {
  it.each(documents().map((document) => [document.path, document] as const))('exist: %s', (_path, { text }) => {
    const elsewhere = (path: string) => existsSync(join(projectRoot, path));
    const missing = namedSources(text).filter(
      (path) => !existsSync(join(projectRoot, 'src', path)) && !elsewhere(path),
    );
    expect(missing).toEqual([]);
  });

  it('are found where they are named', () => {
    expect(namedSources('`src/plan/plan.ts` → `plan/plan.ts`, `test/unit/helm.ts`, `plan.ts`, src/plan/x.ts')).toEqual([
      'plan/plan.ts',
      'plan/plan.ts',
      'test/unit/helm.ts',
    ]);
  });
});

describe('generated files', () => {
  it('are what the sources make', () => {
    const node = join(projectRoot, 'node_modules/.bin/node');
    const run = spawnSync(node, ['src/bin/generate.ts', '--check'], { cwd: projectRoot, encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
  });
});

describe('error codes', () => {
  it('that the sources throw are in the catalogue', () => {
    const thrown = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/\bnew MaasError\(\s*'([^']*)'/g)].map((match) => ({ path, code: match[1] ?? '' })),
    );
    expect(thrown.length).toBeGreaterThan(20);
    expect(thrown.filter(({ code }) => !catalogued.includes(code))).toEqual([]);
  });

  it('that the documents name are in the catalogue', () => {
    const area = new Set(catalogued.map((code) => code.split('_')[0]));
    const named = documents().flatMap(({ path, text }) =>
      [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)]
        .map((match) => match[1] ?? '')
        .filter((code) => area.has(code.split('_')[0]))
        .map((code) => `${path}: ${code}`),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((entry) => !catalogued.includes(entry.split(': ')[1] ?? ''))).toEqual([]);
  });

  it('say what to do, in whole sentences', () => {
    for (const [code, entry] of Object.entries(errorCatalogue)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect([code, entry.means]).toEqual([code, expect.stringMatching(/^\S.*\.$/)]);
      expect([code, entry.next]).toEqual([code, expect.stringMatching(/^[A-Z].*\.$/)]);
    }
  });
});

describe('what the documents name', () => {
  const text = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

  it('of values is in the chart', () => {
    const values: unknown = parse(text('charts/maas-operator/values.yaml'));
    const sections = Object.keys(values as Record<string, unknown>);
    const named = ['README.md', 'docs/operations.md', 'docs/models.md'].flatMap((path) =>
      [...text(path).matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z]+)+)(?::[^`]*)?`/g)].map((match) => match[1] ?? ''),
    );
    const checked = named.filter((name) => sections.includes(name.split('.')[0] ?? '') && !/\.(py|sh)$/.test(name));
    const missing = checked.filter((name) => {
      let value = values;
      for (const key of name.split('.')) {
        if (typeof value !== 'object' || value === null || !(key in value)) return true;
        value = (value as Record<string, unknown>)[key];
      }
      return false;
    });
    expect(checked.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });
});

describe('links in the documents', () => {
  it('lead to files and headings that exist', () => {
    const broken = documents().flatMap(({ path, text }) =>
      [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [file = '', anchor] = target.split('#');
          const absolute = file === '' ? join(projectRoot, path) : join(projectRoot, dirname(path), file);
          if (!existsSync(absolute)) return true;
          return anchor !== undefined && !anchorsOf(readFileSync(absolute, 'utf8')).has(anchor);
        })
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('reach every document from the README', () => {
    const reached = new Set<string>();
    const visit = (path: string) => {
      if (reached.has(path)) return;
      reached.add(path);
      const text = readFileSync(join(projectRoot, path), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+\.md)(?:#[^)]*)?\)/g)) {
        if (!/^[a-z]+:/.test(target)) visit(relative(projectRoot, join(projectRoot, dirname(path), target)));
      }
    };
    visit('README.md');
    expect(
      documents()
        .filter(({ path }) => !reached.has(path))
        .map(({ path }) => path),
    ).toEqual([]);
  });
});
