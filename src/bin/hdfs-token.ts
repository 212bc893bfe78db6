/** The delegation token of whoever runs kubectl-maas, for an HDFS that wants one. */
import { tokenFromFile } from '../adapters/webhdfs/token-file.ts';
import { MaasError } from '../contracts/errors.ts';

/** Names the file; see docs/kubectl-maas.md. */
const variable = 'MAAS_HDFS_TOKEN_FILE';

/** What HDFS is opened with; nothing where the user names no file. */
export function tokenOf(env: NodeJS.ProcessEnv): { readonly token?: () => Promise<string> } {
  const path = env[variable];
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
