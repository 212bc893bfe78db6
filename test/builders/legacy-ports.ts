/** Ports of the old commands for tests: nothing of HDFS, ZooKeeper or Helm unless the test gives it. */

import type { Cluster, PayloadUploader, Ports, ZooKeeperReader } from '../../src/cli/ports.ts';
import { MaasError } from '../../src/contracts/errors.ts';
import { cliPorts, type TestPorts } from './cli-ports.ts';
import { ModelStore } from './model-store.ts';

export interface LegacyTestPorts extends Ports {
  readonly out: TestPorts['out'];
  readonly err: TestPorts['err'];
  /** Quorums that were connected to. */
  readonly quorums: string[];
  /** What Helm was run with. */
  readonly helmRuns: { readonly args: readonly string[]; readonly input: string }[];
}

interface Given {
  readonly cluster?: Cluster;
  readonly uploader?: Partial<PayloadUploader>;
  /** Data by path; what lies above a path exists. */
  readonly znodes?: Readonly<Record<string, string | Uint8Array | MaasError>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly helmStatus?: number;
}

export function legacyPorts({ cluster, uploader, znodes = {}, files = {}, helmStatus = 0 }: Given): LegacyTestPorts {
  const quorums: string[] = [];
  const helmRuns: LegacyTestPorts['helmRuns'] = [];
  const none = (what: string) => new MaasError('INTERNAL', `no ${what} was expected`);
  return {
    ...cliPorts({
      cluster: cluster ?? new ModelStore().cluster(),
      ...(uploader === undefined ? {} : { uploader }),
    }),
    connect: () => {
      if (cluster === undefined) throw none('cluster');
      return cluster;
    },
    zookeeper: ({ quorum }) => {
      quorums.push(quorum);
      return zookeeperOf(znodes);
    },
    readText: async (path) => files[path],
    helm: async (args, input) => {
      helmRuns.push({ args, input });
      return helmStatus;
    },
    quorums,
    helmRuns,
  };
}

const stat = { ephemeralOwner: undefined, ctime: 0, numChildren: 0 };

function zookeeperOf(znodes: NonNullable<Given['znodes']>): ZooKeeperReader {
  return {
    connected: async () => {},
    get: async (path) => {
      const data = znodes[path];
      if (data instanceof MaasError) throw data;
      if (data === undefined) return undefined;
      return { data: typeof data === 'string' ? new TextEncoder().encode(data) : data, stat };
    },
    children: async (path) => {
      const names = Object.keys(znodes)
        .filter((other) => other.startsWith(`${path}/`))
        .map((other) => other.slice(path.length + 1).split('/')[0] ?? '');
      return names.length === 0 && znodes[path] === undefined ? undefined : [...new Set(names)].reverse();
    },
    close: async () => {},
  };
}
