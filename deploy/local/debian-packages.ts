/** Debian packages that a step needs: installed when this is Debian and we are root, otherwise named. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheRoot } from './cache.ts';
import { withLock } from './lock.ts';
import { run } from './run.ts';

/** May this program install Debian packages? */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && isDebian();
}

export function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** The path of a program, looked for on PATH and where Debian keeps the administrator's programs. */
export function programPath(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.map((directory) => join(directory, name)).find((file) => existsSync(file));
}

/**
 * Makes sure that the programs are there.
 * @param wanted program name -> Debian package that brings it
 * @throws when some are missing and may not be installed; the message names the packages
 */
export async function needPrograms(wanted: Readonly<Record<string, string>>): Promise<void> {
  const missing = () => Object.entries(wanted).filter(([program]) => programPath(program) === undefined);
  const packages = () => [...new Set(missing().map(([, name]) => name))];
  if (missing().length === 0) return;
  if (!canInstall()) {
    const programs = missing().map(([program]) => program);
    throw new Error(
      `missing: ${programs.join(', ')} (Debian packages: ${packages().join(' ')}). Install them and run again.`,
    );
  }
  await withLock(join(cacheRoot, 'locks', 'apt'), async () => {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', '-qq', ...packages()], { env });
  });
  if (missing().length > 0)
    throw new Error(`apt-get installed ${packages().join(' ')}, and a program is still missing`);
}
