/**
 * Bundles the programs: `node build.ts [operator] [agent] [payload-cache] [kubectl-maas]`, all of them without a name.
 *
 * Operator, agent and cache become one CommonJS file each, for the Node of their image; kubectl-maas becomes one executable
 * that needs nothing on the machine, with the old commands' names and the chart beside it. A bundle loads several times
 * faster than its sources with their node_modules.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = import.meta.dirname;
const programs = ['operator', 'agent', 'payload-cache', 'kubectl-maas'] as const;
type Program = (typeof programs)[number];

/**
 * The library behind small HDFS calls names a reader for uploads from memory that deletes a variable, which no bundler
 * takes. Uploads do not go through that library, so the reader is never called.
 */
const withoutBufferReader: Plugin = {
  name: 'without-buffer-stream-reader',
  setup(bundler) {
    bundler.onResolve({ filter: /^buffer-stream-reader$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    bundler.onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `module.exports = function () { throw new Error('${path} is not in this bundle'); };`,
      loader: 'js',
    }));
  },
};

/** The schema library brings its messages in fifty languages; English is what we print. Saves memory in each agent. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup(bundler) {
    bundler.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

async function bundle(program: Program): Promise<string> {
  const entry = join(root, 'src/bin', `${program}.ts`);
  if (!existsSync(entry)) throw new Error(`src/bin/${program}.ts is missing: there is no such program yet`);
  const outfile = join(root, 'dist', `${program}.cjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [withoutBufferReader, englishOnly],
    define: {
      // Which sources a release was made of; a build that is not told says that it does not know.
      'process.env.MAAS_COMMIT': JSON.stringify(process.env['MAAS_COMMIT'] ?? ''),
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
    },
  });
  return outfile;
}

/** From the bundle, not from the sources: compiled from sources, it would not trust certificates of a private CA. */
function compile(bundled: string): void {
  const outfile = join(root, 'dist/kubectl-maas');
  const bun = join(root, 'node_modules/.bin/bun');
  const made = spawnSync(bun, ['build', '--compile', '--bytecode', '--outfile', outfile, bundled], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (made.status !== 0)
    throw new Error(`bun could not make ${outfile} (${made.error?.message ?? `exit code ${made.status}`})`);
}

/** The scripts that stand in for the old commands look for the program and the chart in their own directory. */
function copyLegacyCommands(): void {
  for (const script of ['maas_deploy.sh', 'maas_service.sh']) {
    const copy = join(root, 'dist', script);
    copyFileSync(join(root, 'deploy/legacy', script), copy);
    chmodSync(copy, 0o755);
  }
  const chart = join(root, 'dist/charts/maas-operator');
  rmSync(chart, { recursive: true, force: true });
  cpSync(join(root, 'charts/maas-operator'), chart, { recursive: true });
}

const isProgram = (name: string): name is Program => programs.some((program) => program === name);
const named = process.argv.slice(2);
const unknown = named.filter((name) => !isProgram(name));
try {
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; the programs are ${programs.join(', ')}`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  for (const program of named.length > 0 ? named.filter(isProgram) : programs) {
    const outfile = await bundle(program);
    if (program !== 'kubectl-maas') continue;
    compile(outfile);
    copyLegacyCommands();
  }
} catch (error) {
  process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
