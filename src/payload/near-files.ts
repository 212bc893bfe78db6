/**
 * Files that are to be had near by, by what is in them: the port of a cache of payloads. It is never needed, and its bytes
 * are believed no more than HDFS's.
 */
export interface NearFile {
  /** Hex. */
  readonly sha256: string;
  readonly length: number;
}

export type NearAnswer =
  /** From the offset to the end; each chunk is good until the next one is asked for. Some may still be arriving there. */
  | { readonly kind: 'bytes'; readonly bytes: AsyncIterable<Uint8Array> }
  /** Nobody has brought it yet, and the asker is to: all of its bytes, each chunk good until the next is asked for. */
  | { readonly kind: 'bring'; readonly bring: (bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void> }
  /** Not to be had. */
  | { readonly kind: 'without' };

export interface NearFiles {
  /** May wait for somebody who is about to bring it. The signal ends the bytes, too. @throws Error where it cannot be asked */
  ask(file: NearFile, offset: number, signal: AbortSignal): Promise<NearAnswer>;
  /** What came was wrong. */
  doubt(file: NearFile): Promise<void>;
}
