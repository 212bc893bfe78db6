/** What the old commands need from outside beyond what `kubectl maas` does. */
import type { HdfsSettings } from '../../contracts/settings.ts';
import type { Ports, UploadOutcome, UploadProgress } from '../ports.ts';

export interface LegacyPorts extends Ports {
  /** HDFS as the operator's settings describe it. */
  readonly payloadsOver: (hdfs: HdfsSettings) => OverUploader;
  /** Undefined where there is no such file. @throws MaasError SETTINGS_INVALID where it cannot be read */
  readonly readText: (path: string) => Promise<string | undefined>;
  /** Runs Helm with this input and the terminal's own output; gives its exit status. @throws MaasError HELM_FAILED */
  readonly helm: (args: readonly string[], input: string) => Promise<number>;
}

export interface OverOutcome extends UploadOutcome {
  /** Are files different now that were at the path before? */
  readonly replaced: boolean;
  /** Names of directories that were left out. */
  readonly directories: readonly string[];
  /** RFC 3339, by HDFS's clock: what was at the path by then is whole. */
  readonly payloadComplete: string;
}

export interface OverUploader {
  /**
   * Sends the files directly in a directory over what is at the target. `files` and `bytes` of the outcome are those
   * that had to be sent.
   * @throws MaasError HDFS_*, PAYLOAD_*, LOCAL_PATH_INVALID
   */
  upload(
    localPath: string,
    target: string,
    options: {
      readonly onProgress: (progress: UploadProgress) => void;
      readonly onWarning: (message: string) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<OverOutcome>;
}
