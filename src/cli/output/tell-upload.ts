/** An upload as the user sees it: on standard error how far it is, what should be known, and what came of it. */
import { formatBytes } from '../../contracts/quantity.ts';
import type { Ports, UploadOutcome, UploadWatch } from '../ports.ts';
import { counted } from './counted.ts';
import { note, say } from './say.ts';
import { progressLine } from './upload-progress.ts';

/** @param what was sent, for the case that all of it was there already */
export async function tellUpload<T extends UploadOutcome>(
  { err, clock }: Pick<Ports, 'err' | 'clock'>,
  what: string,
  upload: (watch: UploadWatch) => Promise<T>,
): Promise<T> {
  const line = progressLine(err, clock);
  const over = new AbortController();
  const drawing = line.keepDrawing(over.signal);
  try {
    const outcome = await upload({
      onProgress: line.show,
      onWarning: (message) => {
        line.clear();
        note(err, message);
      },
    });
    line.clear();
    const { path, files, bytes, uploaded } = outcome;
    say(
      err,
      uploaded ? `uploaded ${counted(files, 'file')}, ${formatBytes(bytes)} to ${path}` : `${path} has ${what} already`,
    );
    return outcome;
  } catch (error) {
    line.clear();
    throw error;
  } finally {
    over.abort();
    await drawing;
  }
}
