import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { ModelStore, part } from '../../../test/builders/model-store.ts';
import type { Revision } from '../../contracts/resource-status.ts';
import type { ApiObject } from '../ports.ts';

const old = {
  version: '1.0',
  memory: '512Mi',
  payload: { path: '/models/1', readFrom: 'Store' },
  env: [{ name: 'A', value: '1' }],
};
const wanted = { version: '2.0', memory: '1Gi', payload: { path: '/models/2' }, image: 'mine:2', drain: '5s' };

function revision(number: number, result: Revision['result'], spec: ApiObject, rest: Partial<Revision> = {}): Revision {
  return {
    revision: number,
    id: `id-${number}`,
    version: String(spec['version']),
    path: String(part(spec, 'payload')['path']),
    startedAt: '2026-01-01T00:00:00Z',
    result,
    spec,
    ...rest,
  };
}

const served = { servedAt: '2026-01-01T00:01:00Z', by: 'kubectl-maas', digest: `sha256:${'a'.repeat(64)}` };

function storeWith(history: readonly Revision[], spec: ApiObject = wanted): ModelStore {
  const store = new ModelStore();
  store.put({ metadata: { name: 'dga' }, spec: { name: 'dga', instances: 3, ...spec }, status: { history } });
  return store;
}

async function ran(line: string, store: ModelStore) {
  const ports = cliPorts({ cluster: store.cluster() });
  const code = await typed(line, ports);
  return { code, out: ports.out.text, err: ports.err.text };
}

function withoutSpec({ spec: _, ...rest }: Revision): Revision {
  return rest;
}

const storedHistory = (store: ModelStore) => part(store.peek('dga') ?? {}, 'status')['history'] as Revision[];

const failedSwitch = [
  revision(3, 'Stalled', wanted, { by: 'argocd-controller', reason: 'no image' }),
  revision(2, 'Serving', old, served),
  revision(1, 'Replaced', { ...old, memory: '256Mi' }),
];

describe('history', () => {
  it('lists who asked for what, when, and what came of it, and marks what serves', async () => {
    expect((await ran('history dga', storeWith(failedSwitch))).out).toBe(
      `REVISION   VERSION   SERVES   RESULT     WHO                 AGE   DIGEST
3          2.0       -        Stalled    argocd-controller   60m   -
2          1.0       yes      Serving    kubectl-maas        60m   sha256:aaaaaaaaaaaa
1          1.0       -        Replaced   -                   60m   -
`,
    );
    const json = JSON.parse((await ran('history dga -o json', storeWith(failedSwitch))).out);
    expect(
      json.items.map(({ revision: number, serves }: { revision: number; serves: boolean }) => [number, serves]),
    ).toEqual([
      [3, false],
      [2, true],
      [1, false],
    ]);
    expect(await ran('history dga', storeWith([]))).toEqual({
      code: 0,
      out: '',
      err: 'Nothing has been seen of dga yet.\n',
    });
  });
});

describe('undo', () => {
  it('goes back to what served last, and leaves name and instances alone', async () => {
    const store = storeWith(failedSwitch, { ...wanted, instances: 5, paused: true });
    expect((await ran('undo dga', store)).out).toBe(
      'modeldeployment.maas.dev/dga set back to revision 2, version 1.0 of /models/1; it is paused, and follows when it is resumed\n',
    );
    const { drain: _, ...spec } = part(store.peek('dga') ?? {}, 'spec');
    expect(spec).toEqual({ ...old, name: 'dga', instances: 5, paused: true });
  });

  it('is done once, however many ask for it, and further back or forth only where it is told', async () => {
    const store = storeWith([revision(3, 'Serving', wanted, served), revision(2, 'Served', old, served)]);
    const answers = [await ran('undo dga', store), await ran('undo dga', store)];
    expect(answers.map(({ code }) => code)).toEqual([0, 1]);
    expect(answers[1]?.err).toContain('that was done already, to revision 2; name another one with --to');
    // The operator has seen it meanwhile.
    const history = [revision(4, 'RollingOut', old, { id: 'id-2' }), ...storedHistory(store)];
    store.update('dga', { status: { history } });
    expect(await ran('undo dga', store)).toMatchObject({ code: 1, err: expect.stringContaining('done already') });
    expect((await ran('undo dga --to 3', store)).out).toContain('revision 3, version 2.0');
    expect(await ran('undo dga --to 3', store)).toMatchObject({
      code: 1,
      err: expect.stringContaining('its spec says what revision 3 says already'),
    });
    const { drain: _, ...spec } = part(store.peek('dga') ?? {}, 'spec');
    const { drain: __, ...rest } = wanted;
    expect(spec).toEqual({ name: 'dga', instances: 3, ...rest });
  });

  it('takes back what the operator has not seen yet', async () => {
    const store = storeWith([revision(2, 'Serving', old, served)]);
    expect((await ran('undo dga', store)).out).toContain('revision 2, version 1.0');
  });

  it.each<[string, readonly Revision[], string, string]>([
    ['nothing has been seen', [], 'undo dga', 'no other version of it has served'],
    [
      'nothing else has served',
      [revision(2, 'Serving', wanted, served), revision(1, 'Failed', old)],
      'undo dga',
      'no other version of it has served',
    ],
    ['there is no such revision', failedSwitch, 'undo dga --to 9', 'its history has no revision 9'],
    [
      'its spec was not kept',
      [revision(2, 'Serving', wanted, served), withoutSpec(revision(1, 'Served', old, served))],
      'undo dga',
      'the spec of revision 1 was too long to be kept',
    ],
  ])('refuses where %s', async (_, history, line, why) => {
    const store = storeWith(history);
    expect(await ran(line, store)).toMatchObject({ code: 1, err: expect.stringContaining(why) });
    expect(store.writes).toEqual([]);
  });
});
