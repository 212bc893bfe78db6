/**
 * What an agent leaves for the one that runs after it in the same pod: the credentials of its ZooKeeper session, and
 * what is settled for the pod's life. The volume is in memory, so a node that went down has forgotten it all.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const sessionFile = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  password: z.string().min(1),
  timeoutMs: z.int(),
  /** Sessions of this pod before that one, the latest last. */
  earlier: z.array(z.string()).max(16),
});

export interface SessionCredentials {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** A secret, in whatever writing the client uses. */
  readonly password: string;
  /** What the server has granted. */
  readonly timeoutMs: number;
}

export class SessionStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The last session, and the ids of all that this pod had. What cannot be read counts as nothing. */
  async load(): Promise<{ last?: SessionCredentials; ids: string[] }> {
    const text = await this.#read('session.json');
    if (text === undefined) return { ids: [] };
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return { ids: [] };
    }
    const parsed = sessionFile.safeParse(json);
    if (!parsed.success) return { ids: [] };
    const { id, password, timeoutMs, earlier } = parsed.data;
    return { last: { id, password, timeoutMs }, ids: [...earlier, id] };
  }

  async save({ id, password, timeoutMs }: SessionCredentials): Promise<void> {
    const { ids } = await this.load();
    const earlier = ids.filter((each) => each !== id).slice(-16);
    await this.#write('session.json', JSON.stringify({ id, password, timeoutMs, earlier }));
  }

  /** Digest of the payload that was verified before the gate was opened. */
  async verifiedDigest(): Promise<string | undefined> {
    return this.#read('verified');
  }

  async setVerified(digest: string): Promise<void> {
    await this.#write('verified', digest);
  }

  async isRevoked(): Promise<boolean> {
    return (await this.#read('revoked')) !== undefined;
  }

  async setRevoked(): Promise<void> {
    await this.#write('revoked', '');
  }

  async #read(name: string): Promise<string | undefined> {
    return readFile(join(this.#directory, name), 'utf8').catch(() => undefined);
  }

  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#directory, name);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}
