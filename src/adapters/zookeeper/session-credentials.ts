/** What it takes to resume a session, also in another process. The password is a secret. */
export interface SessionCredentials {
  /** 16 hexadecimal digits, as in the ephemeralOwner of the session's nodes. */
  readonly id: string;
  /** Base64. */
  readonly password: string;
  /** What the server has granted. */
  readonly timeoutMs: number;
}
