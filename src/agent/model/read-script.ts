/** Looks at the model's script, as it lies in the payload's directory before anything of the model runs. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { lookAtScript, type ScriptText, scriptHeadBytes } from '../../contracts/script-text.ts';

/** @returns nothing known where there is no regular file of that name */
export async function readScript(payload: string, name: string): Promise<ScriptText> {
  // The directory is the model's to write to: no link is followed, and nothing is waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(payload, name), flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ELOOP' || error.code === 'ENXIO') return undefined;
    throw error;
  });
  if (file === undefined) return {};
  try {
    if (!(await file.stat()).isFile()) return {};
    const { buffer, bytesRead } = await file.read(Buffer.alloc(scriptHeadBytes), 0, scriptHeadBytes, 0);
    return lookAtScript(name, buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
