import { describe, expect, it } from 'vitest';
import { modelDeploymentSpec } from '../contracts/resource.ts';
import type { ObservedModel } from './model-object.ts';
import { type Observed, planRequest } from './plan-request.ts';
import type { NamedRequest } from './triage.ts';

const id = '/maas/queue/qn-0000000007#1a.19';
const memory: { incrementMb: number; maximumMb: number | null } = { incrementMb: 1, maximumMb: null };

function asked(changes: Partial<NamedRequest> = {}): NamedRequest {
  return { name: 'dga', version: '1.0', instances: 2, memoryMb: 512, action: 'ADD', path: '/models/dga', ...changes };
}
const less = (instances: number) => asked({ action: 'REMOVE', instances, memoryMb: 0, path: null });

function there(changes: Partial<ObservedModel> = {}, name = 'dga-1.0', uid = 'u1'): ObservedModel {
  return {
    state: { namespace: 'fraud', name, uid, resourceVersion: '5' },
    createdAt: '2026-01-01T00:00:00Z',
    deleting: false,
    stalled: false,
    invalid: undefined,
    model: 'dga',
    version: '1.0',
    instances: 3,
    memory: '512Mi',
    path: '/models/dga',
    readFrom: 'Store',
    requests: ['earlier'],
    removal: undefined,
    ...changes,
  };
}

const plan = (request: NamedRequest, models: ObservedModel[] = [], rest: Partial<Observed> = {}, limits = memory) =>
  planRequest(
    id,
    request,
    'fraud',
    { models, removing: undefined, refused: undefined, ...rest },
    { memory: limits, defaults: { cpu: '10m', readFrom: 'Store' } },
  );

describe('ADD', () => {
  it('makes the resource of that name and version', () => {
    const step = plan(asked());
    expect(step).toEqual({
      kind: 'create',
      manifest: {
        name: 'dga-1.0',
        namespace: 'fraud',
        requests: JSON.stringify([id]),
        payloadComplete: '1970-01-01T00:00:00.025Z',
        spec: {
          name: 'dga',
          version: '1.0',
          instances: 2,
          memory: '512Mi',
          cpu: '10m',
          payload: { path: '/models/dga', readFrom: 'Store' },
          rollout: { strategy: 'Immediate' },
        },
      },
    });
    if (step.kind === 'create') expect(modelDeploymentSpec.safeParse(step.manifest.spec).success).toBe(true);
  });

  it('adds to the one that is there, and says so in the same write', () => {
    const of = there();
    expect(plan(asked(), [of])).toEqual({
      kind: 'change',
      of,
      change: {
        instances: 5,
        requests: JSON.stringify(['earlier', id]),
        payloadComplete: '1970-01-01T00:00:00.025Z',
        removal: null,
      },
    });
  });

  it('adds to the one that a manifest made under another name', () => {
    expect(plan(asked(), [there({}, 'detector')])).toMatchObject({ of: { state: { name: 'detector' } } });
  });

  it('adds to the owner where several claim the version', () => {
    const twins = [
      there({ stalled: true, createdAt: '2025-01-01T00:00:00Z' }, 'a', 'u1'),
      there({ createdAt: '2026-02-01T00:00:00Z' }, 'b', 'u2'),
      there({}, 'c', 'u3'),
      there({ deleting: true, createdAt: '2024-01-01T00:00:00Z' }, 'd', 'u4'),
    ];
    expect(plan(asked(), twins)).toMatchObject({ of: { state: { name: 'c' } } });
  });

  it.each([
    ['another version of the model', there({ version: '2.0' }, 'dga-2.0')],
    ['another model', there({ model: 'web' }, 'web-1.0')],
  ])('does not take for it: %s', (_what, other) => {
    expect(plan(asked(), [other])).toMatchObject({ kind: 'create' });
  });

  it.each<[number, number, number | null, string]>([
    [512, 1, null, '512Mi'],
    [513, 512, null, '1024Mi'],
    [1_024, 512, 1_024, '1024Mi'],
    [1, 1, null, '16Mi'],
    [1, 24, null, '24Mi'],
  ])('rounds %i MB up to a multiple of %i', (memoryMb, incrementMb, maximumMb, expected) => {
    const step = plan(asked({ memoryMb }), [], {}, { incrementMb, maximumMb });
    expect(step).toMatchObject({ kind: 'create', manifest: { spec: { memory: expected } } });
  });

  it('is refused above the maximum, which is for what it is rounded to', () => {
    const limits = { incrementMb: 512, maximumMb: 1_200 };
    expect(plan(asked({ memoryMb: 1_100 }), [], {}, limits)).toEqual({
      kind: 'reject',
      rejection: {
        code: 'REQUEST_IMPOSSIBLE',
        why: '1536 MB an instance are more than the maximum of 1200 MB',
      },
    });
  });

  it.each<[number, string | undefined]>([
    [1_024, '1024Mi'],
    [512, undefined],
    [256, undefined],
    [0, undefined],
  ])('gives the instances that are there more memory, never less: %i MB', (memoryMb, expected) => {
    const step = plan(asked({ memoryMb }), [there()]);
    expect(step.kind === 'change' ? step.change.memory : step.kind).toBe(expected);
  });

  it('needs no path for what is there, and takes no other', () => {
    expect(plan(asked({ path: null }), [there()])).toMatchObject({ kind: 'change' });
    expect(plan(asked({ path: '//models/dga/' }), [there()])).toMatchObject({ kind: 'change' });
    expect(plan(asked({ path: '/models/other' }), [there()])).toMatchObject({
      kind: 'reject',
      rejection: { code: 'PAYLOAD_PATH_DIFFERS' },
    });
  });

  it('waits for one that is being deleted', () => {
    expect(plan(asked(), [there({ deleting: true })])).toEqual({
      kind: 'wait',
      why: 'fraud/dga-1.0 is being deleted',
    });
    expect(plan(asked(), [there({ deleting: true, model: 'other' })])).toMatchObject({ kind: 'wait' });
  });

  it('is rejected where its name is taken by another model', () => {
    expect(plan(asked(), [there({ model: 'other' })])).toMatchObject({ rejection: { code: 'NAME_OWNED' } });
  });

  it('counts all instances against the most that a resource may have', () => {
    expect(plan(asked({ instances: 997 }), [there()])).toMatchObject({ change: { instances: 1_000 } });
    expect(plan(asked({ instances: 998 }), [there()])).toMatchObject({ kind: 'reject' });
  });

  it('is off the queue once the resource has its id', () => {
    expect(plan(asked(), [there({ requests: ['x', id, 'y'] })])).toEqual({ kind: 'take off' });
    expect(plan(asked(), [there({ requests: [id], deleting: true })])).toEqual({ kind: 'take off' });
    expect(plan(asked(), [there({ requests: [id] })], { refused: 'late' })).toEqual({ kind: 'take off' });
  });

  it('remembers so many requests and no more', () => {
    const requests = [...Array(40).keys()].map((number) => `r${number}`);
    const step = plan(asked(), [there({ requests })]);
    const kept: unknown = step.kind === 'change' ? JSON.parse(step.change.requests) : undefined;
    expect(kept).toEqual([...requests.slice(-31), id]);
  });
});

describe('REMOVE', () => {
  it('takes instances away', () => {
    expect(plan(less(2), [there()])).toMatchObject({ kind: 'change', change: { instances: 1, removal: null } });
  });

  it('of all goes to zero, into the record, and then deletes', () => {
    const full = there();
    expect(plan(less(9), [full])).toEqual({
      kind: 'change',
      of: full,
      change: { instances: 0, requests: JSON.stringify(['earlier', id]), removal: id },
    });
    const emptied = there({ instances: 0, requests: ['earlier', id], removal: id });
    expect(plan(less(9), [emptied])).toEqual({ kind: 'remember', uid: 'u1' });
    expect(plan(less(9), [emptied], { removing: 'u1' })).toEqual({ kind: 'delete', of: emptied });
    expect(plan(less(9), [], { removing: 'u1' })).toEqual({ kind: 'take off' });
  });

  it.each<[string, ObservedModel[]]>([
    ['is another one now', [there({ requests: [] }, 'dga-1.0', 'u2')]],
    ['got instances since', [there({ instances: 4, requests: [id], removal: id })]],
    ['was made anew from a copy of it', [there({ instances: 0, requests: [id], removal: id }, 'dga-1.0', 'u2')]],
    ['was added to since', [there({ instances: 0, requests: [id, 'later'] })]],
    ['is on its way out', [there({ instances: 0, requests: [id], removal: id, deleting: true })]],
  ])('leaves what %s', (_what, models) => {
    expect(plan(less(3), models, { removing: 'u1' })).toEqual({ kind: 'take off' });
  });

  it('leaves what somebody else brought to zero after it took a part', () => {
    expect(plan(less(1), [there({ instances: 0, requests: [id] })])).toEqual({ kind: 'take off' });
  });

  it('is done where the resource is being deleted already', () => {
    expect(plan(less(1), [there({ deleting: true })])).toEqual({ kind: 'take off' });
  });

  it('is rejected where there is nothing to take away', () => {
    expect(plan(less(1), [there({ version: '2.0' }, 'dga-2.0')])).toMatchObject({
      rejection: { code: 'MODEL_NOT_FOUND', why: '"dga" "1.0" is not deployed in namespace fraud' },
    });
  });

  it('asks for no memory that fits', () => {
    const limits = { incrementMb: 1_024, maximumMb: 512 };
    expect(plan(less(1), [there()], {}, limits)).toMatchObject({ kind: 'change' });
  });
});

describe('what cannot be read or done', () => {
  it('is a spec of a kind that this operator does not know', () => {
    expect(plan(asked(), [there({ invalid: 'spec.x: no' })])).toMatchObject({
      rejection: { code: 'RESOURCE_INVALID' },
    });
  });

  it('is what Kubernetes refused', () => {
    expect(plan(asked(), [there()], { refused: 'quota' })).toEqual({
      kind: 'reject',
      rejection: { code: 'CLUSTER_REFUSED', why: 'quota' },
    });
  });

  it('is shown without what a terminal would obey', () => {
    const step = plan(asked({ name: 'a\u001b[2J\u202e' }));
    expect(step).toMatchObject({ kind: 'reject' });
    const why = step.kind === 'reject' ? step.rejection.why : '';
    expect(why).toContain('"a\\u001b[2J\\u202e"');
  });
});
