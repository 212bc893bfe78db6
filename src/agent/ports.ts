/** What the agent needs of the world around it. The composition root hands it in. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds; never goes back. */
  monotonic(): number;
  /** Ends early, with an exception, when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The volumes of a pod; see `paths` of the contract. */
export interface Directories {
  readonly payload: string;
  readonly control: string;
  readonly session: string;
}

/** Who this pod is, from the downward API. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly ip: string;
  readonly nodeIp: string;
  readonly nodeName: string;
}
