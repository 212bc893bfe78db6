/** Joins the old commands, `maas_deploy.sh` and `maas_service.sh`, with what they reach. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openHdfs } from '../adapters/webhdfs/hdfs.ts';
import type { OverUploader, Ports } from '../cli/ports.ts';
import { MaasError } from '../contracts/errors.ts';
import { parseHdfsPath } from '../contracts/hdfs-path.ts';
import type { HdfsSettings } from '../contracts/settings.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { directoryOf } from '../payload/hdfs-directory.ts';
import { uploadOver } from '../payload/upload-over.ts';
import { tokenOf } from './hdfs-token.ts';

export function oldCommandPorts(env: NodeJS.ProcessEnv): Pick<Ports, 'payloadsOver' | 'readText' | 'helm'> {
  return {
    payloadsOver: (settings) => uploaderOver(settings, env),
    readText: async (path) => {
      try {
        return await readFile(path, 'utf8');
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
        throw new MaasError('SETTINGS_INVALID', `${path} cannot be read`, { cause });
      }
    },
    helm: (args, input) => runHelm(env['HELM'] || 'helm', args, input),
  };
}

function uploaderOver(settings: HdfsSettings, env: NodeJS.ProcessEnv): OverUploader {
  return {
    async upload(localPath, target, { onProgress, onWarning, signal }) {
      const location = parseHdfsPath(target, settings);
      const hdfs = openHdfs(settings, location.nameservice, { clock: systemClock, ...tokenOf(env) });
      const directory = await directoryOf(hdfs, location, signal);
      const { path, files, bytes, replaced, directories, completeAt } = await uploadOver(hdfs, localPath, directory, {
        now: systemClock.now,
        id: randomBytes(8).toString('hex'),
        signal,
        progress: ({ filesDone, filesTotal, bytesDone, bytesTotal }) =>
          onProgress({ filesDone, files: filesTotal, bytesDone, bytes: bytesTotal }),
        warn: onWarning,
      });
      const payloadComplete = new Date(completeAt).toISOString();
      return { path, files, bytes, uploaded: files > 0, replaced, directories, payloadComplete };
    },
  };
}

function runHelm(program: string, args: readonly string[], input: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
    child.once('error', (cause) =>
      reject(
        new MaasError('HELM_FAILED', `${program} could not be started`, {
          next: 'Install Helm, or name it in the variable HELM; without --apply the command is printed.',
          cause,
        }),
      ),
    );
    child.once('close', (status) => resolve(status ?? 1));
    // It may end before it has read everything; its status says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
