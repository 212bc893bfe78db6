import { watch } from 'node:fs';
import { asMaasError } from '../../contracts/errors.ts';
import type { Bell } from '../../kernel/bell.ts';
import type { Log } from '../../kernel/log.ts';

/**
 * Rings when one of these files of a directory is touched. Makes polls quicker where the node allows it; without it they
 * are all there is.
 */
export function ringWhenTouched(
  bell: Pick<Bell, 'ring'>,
  directory: string,
  names: readonly string[],
  log: Log,
): { close(): void } {
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      if (name !== null && names.includes(name)) bell.ring();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch (error) {
    log.debug({ err: asMaasError(error), directory }, 'cannot watch a directory');
    return { close() {} };
  }
}
