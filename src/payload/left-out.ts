/**
 * What lies in people's directories and is no part of a model: what version control, operating systems, editors and
 * tools put there. Uploads leave it out; who wants some of it sends it with a pattern that begins with `!`.
 */
import ignore from 'ignore';

/** Never a model's own: its presence says something about the machine that the directory comes from. */
const litter = [
  // Version control.
  '.git',
  '.gitignore',
  '.gitattributes',
  '.gitmodules',
  '.svn/',
  '.hg/',
  '.hgignore',
  '.bzr/',
  // macOS, also where it writes to disks that cannot hold what it wants to keep. `Icon` ends in a carriage return.
  '.DS_Store',
  '._*',
  '__MACOSX/',
  '.AppleDouble/',
  '.Spotlight-V100/',
  '.Trashes/',
  '.fseventsd/',
  'Icon[\r]',
  // Windows.
  '[Tt]humbs.db',
  'ehthumbs.db',
  '[Dd]esktop.ini',
  '$RECYCLE.BIN/',
  '*:Zone.Identifier',
  // Linux desktops and network file systems.
  '.directory',
  '.Trash-*/',
  '.nfs*',
  '.fuse_hidden*',
  // Editors: locks, swap files, unsaved work, settings.
  '.#*',
  '\\#*#',
  '.*.sw[a-p]',
  '.~lock.*#',
  '~$*',
  '.*.kate-swp',
  '.goutputstream-*',
  '___jb_*___',
  '.idea/',
  '.vscode/',
];

/** Copies that editors and version control keep, and what tools can make again. */
const leftovers = [
  '*~',
  '*.bak',
  '*.orig',
  '*.rej',
  '__pycache__/',
  '.ipynb_checkpoints/',
  '.pytest_cache/',
  '.mypy_cache/',
  '.ruff_cache/',
  '.tox/',
  '.nox/',
  // Its links lead to the Python of the machine that it was made on.
  '.venv/',
];

/** For `kubectl maas add`. */
export const leftOutOfUploads: readonly string[] = [...litter, ...leftovers];
/** For the old command: what models brought along on YARN goes along still, if it can be any model's. */
export const leftOutOfOldUploads: readonly string[] = litter;

/** Whose patterns add to those above, one a line, at the top of the directory; it is not sent itself. */
export const ignoreFile = '.maasignore';

/** @param path relative, `/` between segments */
export type LeavesOut = (path: string, isDirectory: boolean) => boolean;

/**
 * @param patterns as in a .gitignore, the last that matches wins; what is below a directory that is left out cannot be
 *   taken back
 */
export function leavesOut(patterns: readonly string[]): LeavesOut {
  // As Git does on Linux, where payloads end: letters are told apart by their case.
  const rules = ignore({ ignorecase: false }).add(patterns.map((pattern) => ({ pattern })));
  return (path, isDirectory) => rules.ignores(isDirectory ? `${path}/` : path);
}
