import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { keyOf, ModelStore } from '../../../test/builders/model-store.ts';
import { publishedSettings } from '../../../test/builders/well-facts.ts';
import { wellInspector } from '../../../test/builders/well-world.ts';
import { MaasError } from '../../contracts/errors.ts';
import type { StoredFile, StoredPayload } from '../../contracts/stored-payload.ts';
import { payloadFields } from '../payloads/print-payloads.ts';
import type { PayloadCatalogue, PayloadPin } from '../ports.ts';

const now = Date.parse('2026-01-01T01:00:00Z');
const day = 24 * 60 * 60 * 1_000;
const home = '/user/maas';
const base = `${home}/maas/models/dga`;
const digest = `sha256:${'a'.repeat(64)}`;

const stored = (name: string, changes: Partial<StoredPayload> = {}): StoredPayload => ({
  nameservice: 'lake',
  directory: name.startsWith('/') ? name : `${base}/${name}`,
  kind: 'payload',
  digest,
  files: 2,
  bytes: 2_048,
  changedAt: now - 2 * day,
  ...changes,
});

interface World {
  readonly there: readonly StoredPayload[];
  readonly pins?: readonly PayloadPin[];
  readonly files?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Between looking and removing. */
  readonly meanwhile?: (store: ModelStore) => void;
  readonly forbidden?: boolean;
}

async function ran(
  line: string,
  store: ModelStore,
  { there, pins = [], files = {}, meanwhile, forbidden = false }: World,
) {
  const settings = JSON.stringify(publishedSettings);
  store.configMaps.set(keyOf('maas-system', 'maas-operator-settings'), { 'settings.json': settings });
  const removed: string[] = [];
  const left = () => there.filter(({ directory }) => !removed.includes(directory));
  const catalogue: PayloadCatalogue = {
    locate: async (path) => {
      if (path.includes('://')) throw new MaasError('HDFS_NAMESERVICE_UNKNOWN', path);
      return { nameservice: 'lake', directory: path.startsWith('/') ? path : `${home}/${path}` };
    },
    look: async ({ directory }) => left().find((each) => each.directory === directory),
    below: async ({ directory }) => {
      const found = left().filter((each) => each.directory.startsWith(`${directory}/`));
      meanwhile?.(store);
      return found;
    },
    files: async ({ directory }) =>
      Object.entries(files[directory] ?? {}).map(
        ([path, text]): StoredFile => ({
          path,
          length: text.length,
          checksum: `sha256 ${Buffer.from(text).toString('hex')}`,
        }),
      ),
    head: async ({ directory }, path) => Buffer.from(files[directory]?.[path] ?? ''),
    remove: async ({ directory }) => {
      removed.push(directory);
      return 'removed';
    },
  };
  const cluster = store.cluster();
  const ports = cliPorts({
    cluster: {
      ...cluster,
      list: async (namespace) => {
        if (forbidden && namespace === undefined) throw new MaasError('CLUSTER_FORBIDDEN', 'no');
        return cluster.list(namespace);
      },
    },
    looking: { catalogue: () => catalogue, inspect: () => ({ ...wellInspector, pins: async () => pins }) },
  });
  const code = await typed(line, ports);
  return { code, out: ports.out.text, err: ports.err.text, removed };
}

function storeWith(path: string, status: object = {}, name = 'dga-1.0', model = 'dga'): ModelStore {
  const store = new ModelStore();
  store.put({
    metadata: { name },
    spec: { name: model, version: '1.0', memory: '1Gi', payload: { path } },
    status: { ...status },
  });
  return store;
}

describe('payload ls', () => {
  it('shows which are there and who refers to them', async () => {
    const history = [{ version: '0.9', digest: 'sha256:x', payloadPath: `${base}/0.9` }];
    const store = storeWith('maas/models/dga/1.0', { payload: { path: `${base}/1.0` }, history });
    const pins = [{ namespace: 'fraud', name: 'dga-pin', owner: 'u1', paths: [`${base}/1.0`] }];
    const there = [
      stored('1.0'),
      stored('0.9'),
      stored('0.8', { changedAt: now - 3 * day }),
      stored('by-hand', { kind: 'other', digest: undefined }),
      stored('.staging-x', { kind: 'unfinished', digest: undefined }),
    ];
    const { code, out } = await ran('payload ls dga', store, { there, pins });
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'PATH                                    DIGEST                FILES   SIZE    AGE   USED BY',
        '/user/maas/maas/models/dga/.staging-x   -                     2       2 KiB   2d    nothing; an upload that is not finished',
        '/user/maas/maas/models/dga/0.8          sha256:aaaaaaaaaaaa   2       2 KiB   3d    nothing',
        '/user/maas/maas/models/dga/0.9          sha256:aaaaaaaaaaaa   2       2 KiB   2d    fraud/dga-1.0 (history)',
        '/user/maas/maas/models/dga/1.0          sha256:aaaaaaaaaaaa   2       2 KiB   2d    fraud/dga-1.0 (wanted, status), fraud/dga-pin (pinned)',
        '/user/maas/maas/models/dga/by-hand      -                     2       2 KiB   2d    nothing; not of an upload',
        '',
      ].join('\n'),
    );
  });

  it('shows those elsewhere that a resource of the model names', async () => {
    const there = [stored('/elsewhere/dga'), stored('/elsewhere/spam')];
    const store = storeWith('/elsewhere/dga');
    store.put({
      metadata: { name: 'spam' },
      spec: { name: 'spam', version: '1', payload: { path: '/elsewhere/spam' } },
    });
    const { out } = await ran('payload ls dga -o json', store, { there });
    const { items } = JSON.parse(out);
    expect(items).toEqual([
      {
        path: '/elsewhere/dga',
        nameservice: 'lake',
        kind: 'payload',
        digest,
        files: 2,
        bytes: 2_048,
        changedAt: '2025-12-30T01:00:00.000Z',
        uses: [{ by: 'fraud/dga-1.0', use: 'wanted' }],
      },
    ]);
    const keys = Object.keys(items[0]).filter((key) => key !== 'uses');
    expect(payloadFields.map(([field]) => field)).toEqual([...keys, 'uses[].by', 'uses[].use']);
  });

  it('says which are named and are not there', async () => {
    const times = { startedAt: '2026-01-01T00:00:00Z', result: 'Served' };
    const history = [{ revision: 1, id: 'x', version: '0.9', path: `${base}/0.9`, ...times }];
    const store = storeWith('maas/models/dga/1.0', { history });
    const { code, out, err } = await ran('payload ls dga', store, { there: [stored('0.8')] });
    expect({ code, err }).toEqual({
      code: 0,
      err:
        `note: ${base}/1.0 is not there, and fraud/dga-1.0 refers to it (wanted)\n` +
        `note: ${base}/0.9 is not there, and fraud/dga-1.0 refers to it (history)\n`,
    });
    expect(out).toContain(`${base}/0.8`);
  });

  it('says when there is none, and when it may not see everything', async () => {
    const { code, err } = await ran('payload ls dga', new ModelStore(), { there: [], forbidden: true });
    expect(code).toBe(0);
    expect(err).toBe(
      'note: only references of your namespace are known: you may not list those of all\n' +
        'There is no payload in /user/maas/maas/models/dga.\n',
    );
  });
});

describe('payload gc', () => {
  const there = [
    stored('1.0'),
    stored('0.9'),
    stored('0.8'),
    stored('young', { changedAt: now - 1_000 }),
    stored('by-hand', { kind: 'other' }),
    stored('.staging-x', { kind: 'unfinished' }),
    stored(`${home}/maas/models/spam/1.0`),
  ];
  const pins = [{ namespace: 'lab', name: 'pin', owner: 'u1', paths: [`${base}/0.9/sub`] }];

  it('names what nothing refers to and removes nothing', async () => {
    const { code, out, err, removed } = await ran('payload gc dga -o name', storeWith('maas/models/dga/1.0'), {
      there,
      pins,
    });
    expect({ code, removed }).toEqual({ code: 0, removed: [] });
    expect(out).toBe(`${base}/0.8\n${base}/.staging-x\n`);
    expect(err).toBe(
      '2 payloads, 4 KiB: nothing refers to it, and nothing changed it for 1d\nWith --yes it is removed.\n',
    );
  });

  it('removes it with --yes', async () => {
    const { code, out, err, removed } = await ran('payload gc dga --yes', storeWith('maas/models/dga/1.0'), {
      there,
      pins,
    });
    expect({ code, removed }).toEqual({ code: 0, removed: [`${base}/0.8`, `${base}/.staging-x`] });
    expect(out).toBe(`${base}/0.8 removed\n${base}/.staging-x removed\n`);
    expect(err).toBe('2 payloads, 4 KiB removed\n');
  });

  it('looks again before each removal', async () => {
    const meanwhile = (store: ModelStore) => {
      store.put({
        metadata: { name: 'back' },
        spec: { name: 'dga', version: '0.8', payload: { path: `${base}/0.8` } },
      });
    };
    const { err, removed } = await ran('payload gc dga --yes', storeWith('maas/models/dga/1.0'), {
      there,
      pins,
      meanwhile,
    });
    expect(removed).toEqual([`${base}/.staging-x`]);
    expect(err).toContain(`note: ${base}/0.8 stays: something refers to it by now\n`);
  });

  it('takes an unfinished upload only when nobody can be at it any more', async () => {
    const fresh = [
      stored('.staging-x', { kind: 'unfinished', changedAt: now - 60_000 }),
      stored('0.7', { changedAt: now - 1 }),
    ];
    const { removed } = await ran('payload gc dga --yes --older-than 0s', new ModelStore(), { there: fresh });
    expect(removed).toEqual([`${base}/0.7`]);
  });

  it.each([
    ['an authority that the settings do not name', `hdfs://other:8020${base}/0.8/`],
    ['the home of another operator', 'dga/0.8'],
    ['a directory above', base],
  ])('counts a path with %s', async (_what, path) => {
    const { removed } = await ran('payload gc dga --yes', storeWith(path), { there: [stored('0.8')] });
    expect(removed).toEqual([]);
  });

  it('refuses where it cannot see who may refer to what', async () => {
    const { code, err, removed } = await ran('payload gc dga --yes', new ModelStore(), { there, forbidden: true });
    expect({ code, removed }).toEqual({ code: 4, removed: [] });
    expect(err).toContain('any of them may refer to a payload');
  });

  it('never removes what any resource, its status, its history or a pin refers to, nor anything elsewhere', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const name = fc.constantFrom(...names);
    const path = fc.oneof(
      name.map((each) => `${base}/${each}`),
      name.map((each) => `maas/models/dga/${each}`),
      name.map((each) => `${base}/${each}/deeper`),
    );
    const use = fc.constantFrom('spec', 'payload', 'history', 'unknown', 'pin');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, use), { maxLength: 5 }), async (uses) => {
        const store = new ModelStore();
        const pinned: PayloadPin[] = [];
        uses.forEach(([where, how], at) => {
          if (how === 'pin') pinned.push({ namespace: 'x', name: `${at}`, owner: 'u1', paths: [where] });
          const statuses: Readonly<Record<string, object>> = {
            payload: { payload: { path: '/x', copy: where } },
            history: { history: [{ version: '1', payload: { path: where } }] },
            unknown: { ofANewerOperator: { versions: [{ readFrom: where }] } },
          };
          store.put({
            metadata: { name: `m${at}`, namespace: 'anywhere' },
            spec: { name: 'other', version: '1', payload: { path: how === 'spec' ? where : '/y' } },
            status: { ...statuses[how] },
          });
        });
        const { removed } = await ran('payload gc dga --yes', store, {
          there: names.map((each) => stored(each)),
          pins: pinned,
        });
        const kept = new Set(uses.map(([where]) => where.replace(/.*models\/dga\//, '').replace('/deeper', '')));
        expect(removed).toEqual(names.filter((each) => !kept.has(each)).map((each) => `${base}/${each}`));
      }),
      { numRuns: 100 },
    );
  });
});

describe('payload diff', () => {
  const files = {
    [`${base}/1.0`]: { 'run.sh': 'echo one\nexit', weights: '\0\0', gone: 'x', same: 's' },
    [`${base}/2.0@sha256-0123456789abcdef`]: { 'run.sh': 'echo two\nexit', weights: '\0\0\0', came: 'xy', same: 's' },
  };
  const there = [
    stored('1.0'),
    stored('2.0@sha256-0123456789abcdef'),
    stored('2.0@sha256-fedcba9876543210', { changedAt: 0 }),
  ];

  it('shows which files differ, and texts line by line', async () => {
    const { code, out } = await ran('payload diff dga 1.0 2.0', storeWith('maas/models/dga/1.0'), { there, files });
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'from /user/maas/maas/models/dga/1.0',
        'to   /user/maas/maas/models/dga/2.0@sha256-0123456789abcdef',
        'A came  2 B',
        'D gone  1 B',
        'M run.sh  13 B -> 13 B',
        '    -echo one',
        '    +echo two',
        '     exit',
        'M weights  2 B -> 3 B',
        '4 files different',
        '',
      ].join('\n'),
    );
  });

  it('takes what the history says of a version that served before', async () => {
    const history = [
      { revision: 1, id: 'x', version: '0.5', path: '/old/dga', startedAt: '2026-01-01T00:00:00Z', result: 'Served' },
    ];
    const { out } = await ran('payload diff dga 0.5 1.0', storeWith('maas/models/dga/1.0', { history }), {
      there,
      files,
    });
    expect(out).toContain('from /old/dga\n');
  });

  it('takes paths, too', async () => {
    const { out } = await ran(`payload diff dga ${base}/1.0 ${base}/1.0`, new ModelStore(), { there, files });
    expect(out).toContain('the same files\n');
  });

  it('says where there is none', async () => {
    const { code, err } = await ran('payload diff dga 1.0 3.0', new ModelStore(), { there, files });
    expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('there is no payload of dga 3.0 in') });
  });
});

it.each([
  ['payload', "missing required argument 'action'"],
  ['payload rm dga', 'It is one of ls, diff, gc'],
  ['payload ls dga spam', 'ls takes one model'],
  ['payload diff dga 1.0', 'diff takes a model and two versions'],
  ['payload ls dga --yes', '--yes is of gc'],
])('%s is refused', async (line, why) => {
  const { code, err } = await ran(line, new ModelStore(), { there: [] });
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(why) });
});
