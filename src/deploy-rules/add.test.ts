import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deployedModel as there } from '../../test/builders/deployed-model.ts';
import { type Addition, decideAdd } from './add.ts';

const asked: Addition = {
  model: 'dga',
  version: '1.0',
  instances: 2,
  memory: '512Mi',
  memoryIs: 'exact',
  path: '/m/dga',
  readFrom: undefined,
};

describe('ADD where nothing is', () => {
  it('makes a resource', () => {
    expect(decideAdd(asked, [there({ version: '2.0' }, 'dga-2.0')])).toEqual({
      kind: 'create',
      name: 'dga-1.0',
      memory: '512Mi',
      path: '/m/dga',
    });
  });

  it.each<[Partial<Addition>, string[]]>([
    [{ memory: undefined }, ['memory']],
    [{ path: undefined }, ['path']],
    [{ path: '' }, ['path']],
    [{ memory: undefined, path: undefined }, ['memory', 'path']],
  ])('needs all of it: %o', (changes, missing) => {
    expect(decideAdd({ ...asked, ...changes }, [])).toEqual({
      kind: 'refuse',
      refusal: { why: 'incomplete', missing },
    });
  });

  it('waits for the name where its holder is going, and never takes it from one that stays', () => {
    const holder = there({ model: 'web' });
    expect(decideAdd(asked, [holder])).toEqual({ kind: 'refuse', refusal: { why: 'name taken', of: holder } });
    const going = there({ model: 'web', deleting: true });
    expect(decideAdd(asked, [going])).toEqual({ kind: 'wait', of: going });
  });
});

describe('ADD to what is there', () => {
  const change = (changes: Partial<Addition>, present = there()) => decideAdd({ ...asked, ...changes }, [present]);

  it('adds the instances up', () => {
    const of = there();
    expect(decideAdd(asked, [of])).toEqual({ kind: 'change', of, instances: 5, memory: undefined, twin: undefined });
    expect(change({ instances: 0, memory: undefined, path: undefined })).toMatchObject({ instances: 3 });
  });

  it.each<[string | undefined, 'exact' | 'least', string | undefined]>([
    ['1Gi', 'exact', '1Gi'],
    ['1Gi', 'least', '1Gi'],
    ['256Mi', 'exact', '256Mi'],
    ['256Mi', 'least', undefined],
    ['524288Ki', 'exact', undefined],
    ['524288Ki', 'least', undefined],
    [undefined, 'exact', undefined],
  ])('memory %s as %s', (memory, memoryIs, expected) => {
    const decided = change({ memory, memoryIs });
    expect(decided.kind === 'change' ? decided.memory : decided.kind).toBe(expected);
  });

  it('gives memory to one whose memory cannot be read', () => {
    expect(change({ memoryIs: 'least' }, there({ memory: 'lots' }))).toMatchObject({ memory: '512Mi' });
  });

  it('never switches to another payload, nor to another place to read it from', () => {
    expect(change({ path: '/m/dga//' })).toMatchObject({ kind: 'change' });
    expect(change({ path: '/m/web' })).toMatchObject({ refusal: { why: 'other path', asked: '/m/web' } });
    expect(change({ readFrom: 'Store' })).toMatchObject({ kind: 'change' });
    expect(change({ readFrom: 'Path' })).toMatchObject({ refusal: { why: 'other readFrom', asked: 'Path' } });
  });

  it('names another one that claims the version, unless that is going', () => {
    const second = there({ createdAt: '2026-01-02T00:00:00Z' }, 'b', 'u2');
    expect(decideAdd(asked, [second, there()])).toMatchObject({ twin: second });
    expect(decideAdd(asked, [{ ...second, deleting: true }, there()])).toMatchObject({ twin: undefined });
  });

  it('means the same one in whatever order they are listed', () => {
    const present = fc.record({
      deleting: fc.boolean(),
      stalled: fc.boolean(),
      createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
    });
    fc.assert(
      fc.property(fc.array(present, { minLength: 1, maxLength: 5 }), fc.infiniteStream(fc.nat()), (made, order) => {
        const models = made.map((changes, at) => there(changes, `m${at}`, `u${at}`));
        const shuffled = models
          .map((model) => ({ model, key: order.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ model }) => model);
        expect(decideAdd(asked, shuffled)).toEqual(decideAdd(asked, models));
      }),
    );
  });
});
