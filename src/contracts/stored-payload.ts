/** Payloads as they are in HDFS, for those who look at them from outside. */

export interface PayloadPlace {
  readonly nameservice: string;
  /** Absolute. */
  readonly directory: string;
}

export interface StoredPayload extends PayloadPlace {
  /**
   * `payload`: an upload of ours put it there whole. `unfinished`: one that is under way or was given up. `other`: whatever
   * else is in the directory, or was changed since.
   */
  readonly kind: 'payload' | 'unfinished' | 'other';
  /** `sha256:` and hex, of what an upload of ours put there: one of its files' paths, lengths and SHA-256s. */
  readonly digest: string | undefined;
  readonly files: number;
  readonly bytes: number;
  /** When it, or a file in it, was changed last; milliseconds since the epoch, by HDFS's clock. */
  readonly changedAt: number;
}

export interface StoredFile {
  /** Relative to the payload's directory. */
  readonly path: string;
  readonly length: number;
  /**
   * What tells whether two files have the same bytes: its algorithm, a space, and hex. A SHA-256, else HDFS's own;
   * undefined for a file of no bytes.
   */
  readonly checksum: string | undefined;
}
