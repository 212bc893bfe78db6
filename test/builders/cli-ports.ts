/** Ports of `kubectl maas` for tests: output is text, time stands still, there is a store for a cluster. */

import type { Cluster, Output, PayloadUploader, Ports } from '../../src/cli/ports.ts';
import { MaasError } from '../../src/contracts/errors.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { HastyClock } from './manual-clock.ts';

export class TextOutput implements Output {
  text = '';
  readonly terminal: boolean;
  readonly colour: boolean;
  readonly width = 80;
  readonly height = 24;

  constructor(terminal = false) {
    this.terminal = terminal;
    this.colour = terminal;
  }

  write(text: string): void {
    this.text += text;
  }
}

interface Given {
  readonly cluster: Cluster;
  readonly clock?: Clock;
  readonly uploader?: Partial<PayloadUploader>;
  readonly signal?: AbortSignal;
  readonly terminal?: boolean;
  readonly looking?: Partial<Looking>;
}

/** What only the commands that look around use. */
export type Looking = Pick<
  Ports,
  'hdfs' | 'catalogue' | 'zookeeper' | 'inspect' | 'models' | 'instances' | 'touch' | 'readFile' | 'readText' | 'helm'
>;

export interface TestPorts extends Ports {
  readonly out: TextOutput;
  readonly err: TextOutput;
}

const unexpected = (what: string) => () => {
  throw new MaasError('INTERNAL', `${what} was not expected`);
};

export function cliPorts({
  cluster,
  clock = new HastyClock(Date.parse('2026-01-01T01:00:00Z')),
  uploader,
  signal,
  terminal = false,
  looking = {},
}: Given): TestPorts {
  return {
    clock,
    random: () => 0.5,
    out: new TextOutput(terminal),
    err: new TextOutput(terminal),
    connect: () => cluster,
    payloads: () => ({
      digest: unexpected('an upload'),
      upload: unexpected('an upload'),
      uploadOver: unexpected('an upload'),
      ...uploader,
    }),
    hdfs: unexpected('HDFS'),
    catalogue: unexpected('HDFS'),
    zookeeper: unexpected('ZooKeeper'),
    inspect: unexpected('a look at the cluster'),
    instances: unexpected('a look at instances'),
    readFile: async (path) => {
      throw new MaasError('LOCAL_PATH_INVALID', `${path} was not expected`);
    },
    models: unexpected('a call of a model'),
    touch: unexpected('a connection'),
    readText: unexpected('a file'),
    helm: unexpected('Helm'),
    ...looking,
    signal: signal ?? new AbortController().signal,
    version: '1.2.3',
  };
}
