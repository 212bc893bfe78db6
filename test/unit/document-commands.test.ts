/**
 * Every command in the documents is one that works: each block for a shell is either run by test/e2e/documents.test.ts
 * as it stands, or says why it is not; and the commands of both kinds are held to the programs' own parsers.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { cacheRoot, projectRoot } from '../../deploy/local/cache.ts';
import { deployOptions } from '../../src/cli/old-commands/deploy-options.ts';
import { serviceOptions } from '../../src/cli/old-commands/service-options.ts';
import { parseArguments } from '../../src/cli/parse.ts';
import { modelDeploymentSpec } from '../../src/contracts/resource.ts';
import {
  type Block,
  blocksOf,
  type Invocation,
  invocationsOf,
  isForShell,
  markdownFiles,
  scriptOf,
} from './document-blocks.ts';
import { minimalValues } from './helm.ts';

const blocks = markdownFiles().flatMap(blocksOf);
const shell = blocks.filter(isForShell);
const nameOf = ({ document, line }: Block) => `${document}:${line}`;
const named = shell.map((block) => [nameOf(block), block] as const);

function tool(name: string): string {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), join(cacheRoot, 'bin')].map((directory) =>
    join(directory, name),
  );
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`${name} was not found: put it on PATH, or let \`make tools\` build it`);
  return found;
}

const makeTargets = new Set(
  [...readFileSync(join(projectRoot, 'Makefile'), 'utf8').matchAll(/^([a-z-]+):/gm)].map((match) => match[1] ?? ''),
);

const programs = ['kubectl', 'helm', 'make', 'maas_deploy.sh', 'maas_service.sh', 'bash', 'node_modules/.bin/\\w+'];

/** What is wrong with a call; undefined where nothing is. */
function problemOf({ program, args }: Invocation): string | undefined {
  switch (program) {
    case 'kubectl':
      return args[0] === 'maas' ? maasProblem(args.slice(1)) : kubectlProblem(args);
    case 'helm':
      return helmProblem(args);
    case 'make':
      return args.filter((word) => !word.includes('=')).find((target) => !makeTargets.has(target));
    case 'maas_deploy.sh':
      return optionProblem(args, deployOptions, ['namespace', 'context', 'kubeconfig', 'operator_namespace']);
    case 'maas_service.sh':
      return optionProblem(args, serviceOptions, [
        'values',
        'apply',
        'explain',
        'release',
        'namespace',
        'hadoop_conf',
        'chart',
      ]);
    default:
      return program.startsWith('node_modules/') && !existsSync(join(projectRoot, program))
        ? `there is no ${program}`
        : undefined;
  }
}

function maasProblem(args: readonly string[]): string | undefined {
  const parsed = parseArguments(args, { version: '0', operatorNamespace: undefined });
  return parsed.kind === 'refused' ? parsed.error.message : undefined;
}

/** kubectl reads all flags before it prints its help, and refuses those that it does not know. */
function kubectlProblem(args: readonly string[]): string | undefined {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  const { status, stderr, stdout } = spawnSync(tool('kubectl'), [...own, '--help'], { encoding: 'utf8' });
  if (status !== 0) return stderr;
  return /^Usage:\n {2}kubectl \[flags\]/m.test(stdout) ? `there is no kubectl ${args[0]}` : undefined;
}

/** Renders the chart with what is set on the command line. */
function helmProblem([verb, ...args]: readonly string[]): string | undefined {
  if (verb !== 'install' && verb !== 'upgrade') {
    const { status, stderr } = spawnSync(tool('helm'), [verb ?? '', ...args, '--help'], { encoding: 'utf8' });
    return status === 0 ? undefined : stderr;
  }
  const directory = mkdtempSync(join(tmpdir(), 'maas-docs-'));
  try {
    const values = join(directory, 'values.yaml');
    writeFileSync(values, JSON.stringify(minimalValues));
    const given = args.filter((word) => word !== '--install' && word !== '--create-namespace');
    const own = given.flatMap((word, at) =>
      // What the release has already is what the chart cannot do without.
      word === '--reuse-values' ? ['--values', values] : [given[at - 1] === '--values' ? values : word],
    );
    const { status, stderr } = spawnSync(tool('helm'), ['template', ...own], { cwd: projectRoot, encoding: 'utf8' });
    return status === 0 ? undefined : stderr;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function optionProblem(
  args: readonly string[],
  known: readonly { readonly short: string; readonly long: string }[],
  ours: readonly string[],
): string | undefined {
  const names = new Set([...known.flatMap(({ short, long }) => [short, long]), ...ours]);
  return args.find((word) => /^-{1,2}[a-z]/.test(word) && !names.has(word.replace(/^-+/, '').split('=')[0] ?? ''));
}

describe('the blocks of the documents', () => {
  it('say what they are', () => {
    expect(blocks.filter(({ language }) => language === '').map(nameOf)).toEqual([]);
    expect(shell.length).toBeGreaterThan(25);
  });

  it('for a shell are run by a test, or say why they are not', () => {
    expect(shell.filter(({ mark }) => mark === undefined).map(nameOf)).toEqual([]);
    const scenarios = new Set(shell.flatMap(({ mark }) => (mark?.kind === 'run' ? [mark.text] : [])));
    const test = readFileSync(join(projectRoot, 'test/e2e/documents.test.ts'), 'utf8');
    expect([...scenarios].filter((scenario) => !test.includes(`'${scenario}'`))).toEqual([]);
  });

  it.each(named)('are what a shell reads: %s', (_name, block) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: scriptOf(block), encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.each(named)('hold only commands that their programs take: %s', (_name, block) => {
    const wrong = invocationsOf(scriptOf(block), programs).flatMap((invocation) => {
      const problem = problemOf(invocation);
      return problem === undefined ? [] : [`${invocation.program} ${invocation.args.join(' ')}: ${problem}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe('the manifests of the documents', () => {
  const manifests = blocks
    .filter(({ language }) => language === 'yaml' || language === 'console')
    .flatMap((block) =>
      parseAllDocuments(block.language === 'yaml' ? block.text : yamlWithin(block.text)).map((document) => ({
        block,
        value: document.toJS() as unknown,
      })),
    );

  it('are what the API server takes', () => {
    const models = manifests.filter(
      ({ value }) => typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'ModelDeployment',
    );
    expect(models.length).toBeGreaterThan(1);
    for (const { block, value } of models) {
      const spec: unknown = typeof value === 'object' && value !== null && 'spec' in value ? value.spec : undefined;
      expect([nameOf(block), modelDeploymentSpec.safeParse(spec).error?.issues]).toEqual([nameOf(block), undefined]);
    }
  });

  it('name resources as `kubectl maas add` does, so that one command works for both', () => {
    const inline = markdownFiles().flatMap((path) =>
      [...readFileSync(join(projectRoot, path), 'utf8').matchAll(/\bmdl[/ ]([a-z][\w.-]*)/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(inline.filter((name) => /^(dga|echo|geo)$/.test(name))).toEqual([]);
  });
});

function yamlWithin(text: string): string {
  return /^---\n[\s\S]*?(?=^\$ )/m.exec(text)?.[0] ?? '';
}

describe('what the chart says after an installation', () => {
  const { stdout, stderr } = spawnSync(
    tool('helm'),
    [
      'install',
      'maas-operator',
      'charts/maas-operator',
      '--dry-run=client',
      '--namespace',
      'maas-system',
      '--values',
      '-',
    ],
    {
      cwd: projectRoot,
      encoding: 'utf8',
      input: JSON.stringify(minimalValues),
      env: { ...process.env, KUBECONFIG: '/nowhere' },
    },
  );
  const notes = stdout.split(/^NOTES:$/m)[1] ?? '';
  const script = [...notes.matchAll(/^ {2}(.*)$/gm)].map(([, line]) => line).join('\n');

  it('are commands that their programs take', () => {
    expect(stderr).toBe('');
    const calls = invocationsOf(script, ['kubectl', 'helm']);
    expect(calls.length).toBe(3);
    expect(calls.map(problemOf).filter((problem) => problem !== undefined)).toEqual([]);
  });

  it('apply a manifest that the API server takes', () => {
    const [, manifest = ''] = /<<END\n([\s\S]*?)^END$/m.exec(script) ?? [];
    const value: unknown = parseAllDocuments(manifest)[0]?.toJS();
    const spec: unknown = typeof value === 'object' && value !== null && 'spec' in value ? value.spec : undefined;
    expect(modelDeploymentSpec.safeParse(spec).error?.issues).toBeUndefined();
  });
});

describe('the reading of scripts', () => {
  it.each<[string, string[]]>([
    ['kubectl get mdl -A # all', ['get mdl -A']],
    ['pod=$(kubectl get mdl x -o jsonpath="{.a}")', ['get mdl x -o jsonpath={.a}']],
    ['kubectl a \\\n  --b "c d" | kubectl e', ['a --b c d', 'e']],
    ['(cd x && exec kubectl run) & kubectl stop', ['run', 'stop']],
    ['echo kubectl', []],
  ])('%j', (script, calls) => {
    expect(invocationsOf(script, ['kubectl']).map(({ args }) => args.join(' '))).toEqual(calls);
  });
});
