/**
 * What makes a set of files a payload: names that work in HDFS and in a pod, and exactly one script at the top. The
 * same rules hold for a directory in HDFS and for a local one before its upload.
 */
import { MaasError } from '../contracts/errors.ts';
import { segmentProblem } from '../contracts/hdfs-path.ts';
import { uploadManifestName } from '../contracts/payload.ts';
import { quoted } from '../kernel/shown-text.ts';

/** Left behind by a model that ran in its own upload directory; a new instance must not take it for its own. */
const staleEndpoint = 'endpoint.dat';
/** How the uploads of this project begin that are still under way, see upload.ts. */
export const stagingPrefix = '.staging-';
/** How `hdfs dfs -put` names a file while it writes it. */
const copyingSuffix = '._COPYING_';
/** Characters of a path below the payload's directory. */
const maxPathLength = 4096;

/** Files and directories that are no part of the payload. @param path relative, `/` between segments */
export function isIgnored(path: string): boolean {
  const [top = ''] = path.split('/');
  return path === uploadManifestName || path === staleEndpoint || top.startsWith(stagingPrefix);
}

/** @param name one segment */
export function isHidden(name: string): boolean {
  return name.startsWith('.');
}

/**
 * The start scripts among the paths. One that is hidden is an editor's or an operating system's copy (`.run.sh.swp`,
 * `._run.sh`); only where there is no other one it may be meant.
 */
function scriptsOf(paths: readonly string[]): string[] {
  const scripts = paths.filter((path) => !path.includes('/') && path.endsWith('.sh'));
  const seen = scripts.filter((path) => !isHidden(path));
  return seen.length > 0 ? seen : scripts.filter((path) => !/^\.[_#]/.test(path));
}

/**
 * Checks the paths of all files.
 *
 * @param where names the directory for messages
 * @param paths relative, `/` between segments, as they are stored
 * @returns the script's name
 * @throws PAYLOAD_INCOMPLETE, PAYLOAD_NAME_INVALID, PAYLOAD_NAME_COLLISION, PAYLOAD_NO_SCRIPT, PAYLOAD_SEVERAL_SCRIPTS
 */
export function checkPayloadPaths(where: string, paths: readonly string[]): string {
  for (const path of paths) {
    if (path.endsWith(copyingSuffix))
      throw new MaasError('PAYLOAD_INCOMPLETE', `${where} is being written: ${shown(path)} is there`);
    const problem = path.split('/').map(segmentProblem).find(Boolean);
    if (problem !== undefined)
      throw new MaasError('PAYLOAD_NAME_INVALID', `The name ${shown(path)} in ${where} contains ${problem}`);
    if (path.length > maxPathLength) {
      throw new MaasError(
        'PAYLOAD_NAME_INVALID',
        `The path ${shown(path)} in ${where} is longer than ${maxPathLength} characters`,
      );
    }
  }
  checkCollisions(where, paths);

  const scripts = scriptsOf(paths);
  const [script] = scripts;
  if (script === undefined) throw new MaasError('PAYLOAD_NO_SCRIPT', `${where} has no *.sh at its top level`);
  if (scripts.length > 1) {
    const some = scripts.slice(0, 5).map(shown).join(', ');
    throw new MaasError('PAYLOAD_SEVERAL_SCRIPTS', `${where} has ${scripts.length} *.sh at its top level: ${some}`);
  }
  return script.normalize('NFC');
}

/** Names that differ only in how their letters are composed are one name, and a file cannot also be a directory. */
function checkCollisions(where: string, paths: readonly string[]): void {
  const files = new Map<string, string>();
  const directories = new Map<string, string>();
  for (const path of paths) {
    const normal = path.normalize('NFC');
    for (let slash = normal.indexOf('/'); slash !== -1; slash = normal.indexOf('/', slash + 1)) {
      directories.set(normal.slice(0, slash), path);
    }
    const other = files.get(normal);
    if (other !== undefined) {
      throw new MaasError('PAYLOAD_NAME_COLLISION', `${shown(other)} and ${shown(path)} in ${where} are one name`);
    }
    files.set(normal, path);
  }
  for (const [normal, path] of files) {
    const below = directories.get(normal);
    if (below !== undefined) {
      throw new MaasError(
        'PAYLOAD_NAME_COLLISION',
        `${shown(path)} and the directory of ${shown(below)} in ${where} are one name`,
      );
    }
  }
}

/** A path for messages. */
export function shown(path: string): string {
  return quoted(path, 200);
}
