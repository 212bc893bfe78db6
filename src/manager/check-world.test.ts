import { describe, expect, it } from 'vitest';
import { someSettings } from '../../test/builders/model-deployment.ts';
import { MaasError } from '../contracts/errors.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { type CheckedWorld, checkWorld } from './check-world.ts';

interface Given {
  readonly settings?: OperatorSettings | MaasError;
  readonly zookeeper?: MaasError;
  readonly config?: string;
  readonly hdfs?: MaasError;
  readonly token?: string;
  /** Directories that may be written to; all that are there where absent. */
  readonly writable?: readonly string[];
}

const directories = ['/', '/user', '/user/maas', '/store'];

async function check(given: Given) {
  const lines: string[] = [];
  let open = 0;
  const world: CheckedWorld = {
    read: async () => {
      if (given.settings instanceof MaasError) throw given.settings;
      return given.settings ?? someSettings;
    },
    token: async () => given.token,
    connect: () => {
      open += 1;
      return {
        async connected() {
          if (given.zookeeper !== undefined) throw given.zookeeper;
        },
        get: async () => (given.config === undefined ? undefined : { data: Buffer.from(given.config) }),
        async close() {
          open -= 1;
        },
      };
    },
    open: () => ({
      async home() {
        if (given.hdfs !== undefined) throw given.hdfs;
        return '/user/maas';
      },
      list: async () => [],
      status: async (path) => (directories.includes(path) ? { path } : undefined),
      async checkAccess(path, action) {
        if (!(given.writable ?? directories).includes(path)) {
          throw new MaasError('HDFS_FORBIDDEN', `no ${action} at ${path}`);
        }
      },
    }),
    print: (line) => lines.push(line),
  };
  const status = await checkWorld(world);
  return { status, lines, open };
}

const withQueue = (readFrom: 'Store' | 'Path'): OperatorSettings => ({
  ...someSettings,
  legacy: { ...someSettings.legacy, readFrom, queue: { ...someSettings.legacy.queue, enabled: true } },
});
const store = (root: string): OperatorSettings => ({
  ...someSettings,
  payloadStore: { ...someSettings.payloadStore, root },
});
const words = (lines: readonly string[]) => lines.map((line) => line.split(/\s+/)[0]);

describe('the check of an operator’s world', () => {
  it('says line by line what answers, and that nothing is left open', async () => {
    const { status, lines, open } = await check({});
    expect([status, open]).toEqual([0, 0]);
    expect(words(lines)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(lines.join('\n')).toContain('by default, there is no configuration node');
    expect(lines.join('\n')).toContain(`user ${someSettings.hdfs.user}, whose home is /user/maas`);
  });

  it('says what the configuration node says, and whose token it was', async () => {
    const { lines } = await check({ config: '{"serviceRoot":"/elsewhere"}', token: 't' });
    expect(lines.join('\n')).toContain('/elsewhere');
    expect(lines.join('\n')).toContain('the user of the token');
  });

  it('ends with the settings where they cannot be read', async () => {
    const { status, lines } = await check({ settings: new MaasError('SETTINGS_INVALID', 'no JSON') });
    expect([status, words(lines)]).toEqual([1, ['FAIL']]);
    expect(lines[0]).toContain('no JSON [SETTINGS_INVALID]');
  });

  it('looks at HDFS though ZooKeeper is away, and fails', async () => {
    const { status, lines, open } = await check({ zookeeper: new MaasError('ZOOKEEPER_UNREACHABLE', 'nobody') });
    expect([status, open, words(lines)]).toEqual([1, 0, ['ok', 'FAIL', 'ok', 'ok']]);
  });

  it('asks nothing of the payload store where HDFS is away', async () => {
    const { status, lines } = await check({ hdfs: new MaasError('HDFS_UNREACHABLE', 'nobody') });
    expect([status, words(lines)]).toEqual([1, ['ok', 'ok', 'FAIL']]);
  });

  it.each([
    ['/store/of/models', '/store'],
    ['models', '/user/maas'],
    ['/nothing/yet', '/'],
  ])('asks whether the store %s can be made where the path begins: %s', async (root, above) => {
    const { lines } = await check({ settings: store(root), writable: [above] });
    expect(words(lines)).toEqual(['ok', 'ok', 'ok', 'ok']);
    const refused = await check({ settings: store(root), writable: [] });
    expect(refused.lines.at(-1)).toContain(`no -wx at ${above}`);
  });

  it.each([
    ['a note where only some models need it', someSettings, 0, 'note'],
    ['a note where the old queue reads in place', withQueue('Path'), 0, 'note'],
    ['a failure where the old queue needs it', withQueue('Store'), 1, 'FAIL'],
  ] as const)('makes of a store that cannot be written %s', async (_what, settings, status, word) => {
    const found = await check({ settings, writable: [] });
    expect([found.status, words(found.lines).at(-1)]).toEqual([status, word]);
  });
});
