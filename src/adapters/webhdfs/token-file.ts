/** A delegation token from a mounted file, which is replaced there before the token ends. */
import { open } from 'node:fs/promises';
import { MaasError } from '../../contracts/errors.ts';

/** Tokens have some hundred characters. */
const maxBytes = 64 * 1024;

/**
 * Reads the token as HDFS takes it in a URL, white space around it left out.
 *
 * @returns a function that reads the file at each call: undefined while there is none, HDFS_UNAUTHENTICATED thrown where
 *   what is there is no token
 */
export function tokenFromFile(path: string): () => Promise<string | undefined> {
  const refuse = (why: string, cause?: unknown) =>
    new MaasError('HDFS_UNAUTHENTICATED', `The delegation token's file ${path} ${why}`, { cause });
  return async () => {
    let text: string;
    try {
      const file = await open(path);
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
        if (bytesRead > maxBytes) throw refuse('is too large');
        text = buffer.toString('utf8', 0, bytesRead).trim();
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error instanceof MaasError ? error : refuse('cannot be read', error);
    }
    // The file itself is never shown.
    if (!/^[A-Za-z0-9_-]+$/.test(text)) {
      throw refuse('does not hold a token in the form for URLs that GETDELEGATIONTOKEN gives (urlString)');
    }
    return text;
  };
}

/**
 * What HDFS is opened with for whoever names a file; nothing where none is named.
 *
 * @param variable of the environment that names it, for the message where there is no such file
 */
export function namedToken(variable: string, path: string | undefined): { readonly token?: () => Promise<string> } {
  if (path === undefined || path === '') return {};
  const read = tokenFromFile(path);
  return {
    token: async () => {
      const token = await read();
      if (token !== undefined) return token;
      throw new MaasError('HDFS_UNAUTHENTICATED', `The file ${path}, which ${variable} names, does not exist`);
    },
  };
}
