/** What ZooKeeper takes as the path of a node. */

/** Refused by every ZooKeeper: controls, surrogates (so everything beyond 16 bits), private use, specials. */
const refusedLetter = /[\p{Cc}\ud800-\uf8ff\ufff0-\u{10ffff}]/u;

/** Why a text cannot be the absolute path of a node, as the end of a sentence; undefined where it can. */
export function znodePathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'does not start with a slash';
  if (path === '/') return undefined;
  if (path.endsWith('/')) return 'ends in a slash';
  for (const name of path.slice(1).split('/')) {
    if (name === '') return 'has two slashes in a row';
    if (name === '.' || name === '..') return `has "${name}" as a name`;
    if (refusedLetter.test(name)) return 'has a character that ZooKeeper refuses';
  }
  return undefined;
}
