/**
 * What an agent leaves for the one that runs after it in the same pod: the credentials of its ZooKeeper session, and
 * what is settled for the pod's life. Files are written beside their name and renamed, so that what a killed agent leaves
 * is whole. The volume is in memory: there is nothing to flush, and a node that went down has forgotten it all.
 */

import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { MaasError } from '../contracts/errors.ts';
import { readJson } from '../kernel/schema-json.ts';
import { advertisedUrl, type EndpointFile, parseEndpointFile } from '../wire/endpoint-file.ts';

const sessionFile = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  password: z.string().min(1),
  timeoutMs: z.int(),
  /** Sessions of this pod before that one, the latest last. */
  earlier: z.array(z.string()).max(16),
});

const registeredFile = z.object({ mark: z.string(), endpoint: z.string() });

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
  /** The saving of a session that is under way or done. */
  #saving: { readonly id: string; readonly done: Promise<void> } | undefined;

  /** What was noted last. */
  #registered: string | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * The last session, and the ids of all that this pod had. A file that makes no sense counts as nothing.
   *
   * @throws Error where there is a file that cannot be read just now: what it holds must not be lost
   */
  async load(): Promise<{ last?: SessionCredentials; ids: string[] }> {
    const text = await this.#read('session.json');
    if (text === undefined) return { ids: [] };
    const { value } = readJson(text, sessionFile);
    if (value === undefined) return { ids: [] };
    const { id, password, timeoutMs, earlier } = value;
    return { last: { id, password, timeoutMs }, ids: [...earlier, id] };
  }

  /**
   * Settles once an agent that is started now would resume this session. Asked again for the same one, it does nothing.
   *
   * @throws MaasError AGENT_STATE_UNWRITABLE; asked again, it tries again
   */
  async save(session: SessionCredentials): Promise<void> {
    const before = this.#saving;
    if (before?.id === session.id) return await before.done;
    // One after the other, because all write the same file.
    const done = (before?.done ?? Promise.resolve()).catch(() => undefined).then(() => this.#save(session));
    const saving = { id: session.id, done };
    this.#saving = saving;
    try {
      await done;
    } catch (error) {
      if (this.#saving === saving) this.#saving = undefined;
      throw error;
    }
  }

  async #save({ id, password, timeoutMs }: SessionCredentials): Promise<void> {
    const { ids } = await this.load();
    const earlier = ids.filter((each) => each !== id).slice(-16);
    await this.#write('session.json', JSON.stringify({ id, password, timeoutMs, earlier }));
  }

  /** The endpoint that is, or is about to be, registered, and the mark of the model's start that it belongs to. */
  async registered(): Promise<{ readonly mark: string; readonly endpoint: EndpointFile } | undefined> {
    const { value } = readJson((await this.#read('registered.json')) ?? 'null', registeredFile);
    if (value === undefined) return undefined;
    try {
      return { mark: value.mark, endpoint: parseEndpointFile(value.endpoint) };
    } catch (error) {
      if (error instanceof MaasError) return undefined;
      throw error;
    }
  }

  /** Kept as the model would write it, so that it is read by the same rules. @throws MaasError AGENT_STATE_UNWRITABLE */
  async setRegistered(mark: string, endpoint: EndpointFile): Promise<void> {
    const text = JSON.stringify({
      mark,
      endpoint: JSON.stringify({ url: advertisedUrl(endpoint, 'localhost'), functions: endpoint.functions }),
    });
    if (text === this.#registered) return;
    await this.#write('registered.json', text);
    this.#registered = text;
  }

  /** The port that a shield of this pod had last: clients know it. */
  async shieldPort(): Promise<number | undefined> {
    const port = Number(await this.#read('shield-port'));
    return Number.isInteger(port) && port > 0 ? port : undefined;
  }

  /** @throws MaasError AGENT_STATE_UNWRITABLE */
  async setShieldPort(port: number): Promise<void> {
    await this.#write('shield-port', String(port));
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
    try {
      return await readFile(join(this.#directory, name), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#directory, name);
    try {
      await writeFile(`${path}.new`, text, { mode: 0o600 });
      await rename(`${path}.new`, path);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new MaasError('AGENT_STATE_UNWRITABLE', `${name} cannot be written: ${why}`, { cause });
    }
  }
}
