/** What somebody who uploads should know of it, although it stops nothing. */
import { lookAtScript, scriptHeadBytes } from '../contracts/script-text.ts';
import { headOfLocalFile } from './local-file.ts';
import type { LocalPayload } from './local-payload.ts';
import { shown } from './payload-rules.ts';

/** Names in one note. */
const named = 6;

/**
 * One sentence each, without a full stop.
 *
 * @param choice has the command a way to send less, and more?
 * @throws LOCAL_FILE_* where the script cannot be read
 */
export async function uploadNotes(local: LocalPayload, choice: 'excludes' | 'takes all'): Promise<string[]> {
  const { leftOut, hidden, files, script } = local;
  const notes: string[] = [];
  const or = (advice: string) => (choice === 'excludes' ? advice : '');
  if (leftOut.length > 0) notes.push(`left out: ${some(leftOut)}${or(" (--exclude '!NAME' sends one)")}`);
  if (hidden.length > 0)
    notes.push(`hidden, and sent like all others: ${some(hidden)}${or(' (--exclude leaves them out)')}`);
  const own = files.find(({ path }) => path === script);
  if (own !== undefined) {
    const { fault } = lookAtScript(script, await headOfLocalFile(own, scriptHeadBytes));
    if (fault !== undefined) notes.push(`${fault.what}; ${firstLower(fault.next.replace(/\.$/, ''))}`);
  }
  return notes;
}

function some(names: readonly string[]): string {
  const more = names.length > named ? ` and ${names.length - named} more` : '';
  return `${names.slice(0, named).map(bare).join(', ')}${more}`;
}

/** Quoted only where that helps. */
function bare(name: string): string {
  return /^[\p{L}\p{N}._~#$/-]+$/u.test(name) ? name : shown(name);
}

function firstLower(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
