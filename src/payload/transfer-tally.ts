/** How far a transfer of files is, for those who watch. */
import type { TransferProgress } from '../contracts/payload.ts';

const reportEveryBytes = 1024 * 1024;

export class TransferTally {
  readonly #total: { readonly files: number; readonly bytes: number };
  readonly #report: (progress: TransferProgress) => void;
  #filesDone = 0;
  #bytesDone = 0;
  #unreported = 0;

  /** @param report called after each file and mebibyte; must not throw */
  constructor(total: { readonly files: number; readonly bytes: number }, report: (progress: TransferProgress) => void) {
    this.#total = total;
    this.#report = report;
  }

  /** Begins a file. What it gives is told how many bytes are in place: fewer than before where it begins again. */
  file(): (bytes: number) => void {
    let before = 0;
    return (bytes) => {
      this.#bytesDone += bytes - before;
      this.#unreported += bytes - before;
      before = bytes;
      if (this.#unreported >= reportEveryBytes) this.tell();
    };
  }

  fileDone(): void {
    this.#filesDone += 1;
    this.tell();
  }

  tell(): void {
    this.#unreported = 0;
    this.#report({
      filesDone: this.#filesDone,
      filesTotal: this.#total.files,
      bytesDone: this.#bytesDone,
      bytesTotal: this.#total.bytes,
    });
  }
}
