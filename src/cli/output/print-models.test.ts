import { describe, expect, it } from 'vitest';
import { visible } from '../../kernel/shown-text.ts';
import { readModel } from '../cluster/model.ts';
import { listFields, viewOf } from './model-view.ts';
import { ageOf, printModels, whyOf } from './print-models.ts';

const now = Date.parse('2026-01-01T02:05:00Z');
const condition = (type: string, status: string, reason: string, message = '') => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

function view(spec: object, status: object, metadata: object = {}) {
  return viewOf(
    readModel({
      metadata: {
        name: 'dga-1.0',
        namespace: 'fraud',
        uid: 'u',
        resourceVersion: '7',
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...metadata,
      },
      spec: { name: 'dga', version: '1.0', instances: 2, memory: '512Mi', payload: { path: 'models/dga' }, ...spec },
      status,
    }),
  );
}

const serving = view(
  {},
  {
    observedGeneration: 1,
    replicas: 2,
    ready: 2,
    registered: 2,
    serving: '1.0',
    payload: { path: '/user/maas/models/dga', script: 'run.sh', files: 2, bytes: 3, digest: 'sha256:ab' },
    endpointsTotal: 2,
    endpoints: [
      { pod: 'p1', version: '1.0', url: 'http://10.0.0.1:1500', functions: { apply: 'apply' }, state: 'Registered' },
      { pod: 'p2', version: '1.0', url: 'http://10.0.0.2:1500', functions: { apply: 'apply' }, state: 'Registered' },
    ],
    conditions: [
      condition('Ready', 'True', 'Serving', '2 of 2 registered'),
      condition('Reconciling', 'False', 'Settled'),
    ],
  },
);
const failing = view(
  { name: 'echo', version: '2.0', instances: 3 },
  {
    observedGeneration: 1,
    replicas: 3,
    ready: 1,
    registered: 1,
    endpointsTotal: 3,
    endpoints: [
      { pod: 'p4', version: '2.0', state: 'ScriptEnded', message: 'the script ended with status 1' },
      { pod: 'p5', version: '2.0', state: 'Starting' },
      { pod: 'p6', version: '2.0', url: 'http://10.0.0.6:1500', functions: { apply: 'echo' }, state: 'Registered' },
    ],
    conditions: [
      condition('Ready', 'False', 'ScriptEnded', '1 of 3 registered; p4: the script ended with status 1'),
      condition('Reconciling', 'True', 'ScriptEnded'),
    ],
  },
  { name: 'echo-2.0', namespace: 'lab', creationTimestamp: '2026-01-01T02:04:15Z' },
);
const unseen = view({ name: 'new' }, {}, { name: 'new-1.0', creationTimestamp: '2026-01-01T02:05:01Z' });
const unknown = view(
  {},
  { observedGeneration: 1, ready: 2, conditions: [condition('Ready', 'Unknown', 'ZookeeperUnreachable', 'unknown')] },
);

describe('the table', () => {
  it('has a line for each model', () => {
    expect(printModels([serving, failing, unseen, unknown], 'table', { now, colour: false })).toBe(
      [
        'MODEL   VERSION   DESIRED   READY   REGISTERED   REASON                 AGE',
        'dga     1.0       2         2       2            Serving                125m',
        'echo    2.0       3         1       1            ScriptEnded            45s',
        'new     1.0       2         -       ?            NotSeen                0s',
        'dga     1.0       2         2       ?            ZookeeperUnreachable   125m',
        '',
      ].join('\n'),
    );
  });

  it('says the namespaces when asked', () => {
    expect(printModels([failing], 'table', { now, colour: false, namespaces: true })).toBe(
      [
        'NAMESPACE   MODEL   VERSION   DESIRED   READY   REGISTERED   REASON        AGE',
        'lab         echo    2.0       3         1       1            ScriptEnded   45s',
        '',
      ].join('\n'),
    );
  });

  it('tells endpoints, functions and what is missing when it is wide', () => {
    expect(printModels([serving, failing], 'wide', { now, colour: false })).toBe(
      [
        'MODEL   VERSION   DESIRED   READY   REGISTERED   REASON        AGE    RESOURCE   SERVING   ENDPOINTS                                   FUNCTIONS     WHY',
        'dga     1.0       2         2       2            Serving       125m   dga-1.0    1.0       http://10.0.0.1:1500,http://10.0.0.2:1500   apply=apply   -',
        'echo    2.0       3         1       1            ScriptEnded   45s    echo-2.0   -         http://10.0.0.6:1500                        apply=echo    1 of 3 registered; p4: the script ended with status 1; p5 Starting',
        '',
      ].join('\n'),
    );
  });

  it('counts the endpoints that do not fit', () => {
    const endpoints = [1, 2, 3, 4].map((n) => ({
      pod: `p${n}`,
      version: '1.0',
      url: `http://h:${n}`,
      state: 'Registered',
    }));
    const text = printModels([view({}, { registered: 60, endpoints })], 'wide', { now, colour: false });
    expect(text).toContain('http://h:1,http://h:2,http://h:3 + 57 more');
  });

  it('colours the reason, and the columns still stand under each other', () => {
    const stalled = view(
      { name: 'x' },
      {
        observedGeneration: 1,
        conditions: [condition('Ready', 'False', 'NameOwned'), condition('Stalled', 'True', 'NameOwned')],
      },
    );
    expect(printModels([serving, failing, stalled], 'table', { now, colour: true })).toBe(
      [
        'MODEL   VERSION   DESIRED   READY   REGISTERED   REASON        AGE',
        'dga     1.0       2         2       2            \u001b[32mServing\u001b[0m       125m',
        'echo    2.0       3         1       1            \u001b[33mScriptEnded\u001b[0m   45s',
        'x       1.0       2         -       ?            \u001b[31mNameOwned\u001b[0m     125m',
        '',
      ].join('\n'),
    );
  });

  it('writes control characters out, and knows how wide letters are', () => {
    const odd = view({ name: 'a\u001b[31m\u202eb' }, {});
    const wide = view({ name: '模型' }, {});
    expect(printModels([odd, wide], 'table', { now, colour: false })).toBe(
      [
        'MODEL                VERSION   DESIRED   READY   REGISTERED   REASON    AGE',
        'a\\u001b[31m\\u202eb   1.0       2         -       ?            NotSeen   125m',
        '模型                 1.0       2         -       ?            NotSeen   125m',
        '',
      ].join('\n'),
    );
  });
});

describe('the other formats', () => {
  it('name', () => {
    expect(printModels([serving, failing], 'name', { now, colour: false })).toBe(
      'modeldeployment.maas.dev/dga-1.0\nmodeldeployment.maas.dev/echo-2.0\n',
    );
  });

  it('json has the documented shape', () => {
    expect(JSON.parse(printModels([failing], 'json', { now, colour: false }))).toEqual({
      kind: 'ModelList',
      apiVersion: 'cli.maas.dev/v1',
      items: [
        {
          namespace: 'lab',
          resource: 'echo-2.0',
          model: 'echo',
          version: '2.0',
          serving: null,
          desired: 3,
          ready: 1,
          registered: 1,
          payload: { path: 'models/dga', digest: null },
          state: {
            ready: 'False',
            reason: 'ScriptEnded',
            message: '1 of 3 registered; p4: the script ended with status 1',
            stalled: false,
            reconciling: true,
            paused: false,
            calls: null,
          },
          endpoints: [
            {
              pod: 'p4',
              version: '2.0',
              registered: false,
              url: null,
              functions: {},
              state: 'ScriptEnded',
              message: 'the script ended with status 1',
            },
            {
              pod: 'p5',
              version: '2.0',
              registered: false,
              url: null,
              functions: {},
              state: 'Starting',
              message: null,
            },
            {
              pod: 'p6',
              version: '2.0',
              registered: true,
              url: 'http://10.0.0.6:1500',
              functions: { apply: 'echo' },
              state: 'Registered',
              message: null,
            },
          ],
          endpointsTotal: 3,
          created: '2026-01-01T02:04:15Z',
        },
      ],
    });
  });

  it('json has the fields that the reference lists, all of them and in that order', () => {
    const fields = (value: object, prefix = ''): string[] =>
      Object.entries(value).flatMap(([key, inner]) => {
        if (Array.isArray(inner)) return fields(inner[0], `${prefix}${key}[].`);
        const nested = typeof inner === 'object' && inner !== null && key !== 'functions';
        return nested ? fields(inner, `${prefix}${key}.`) : [`${prefix}${key}`];
      });
    const { items } = JSON.parse(printModels([failing], 'json', { now, colour: false }));
    expect(fields(items[0])).toEqual(listFields.map(([field]) => field));
  });

  it('yaml says the same, and quotes what YAML 1.1 would read otherwise', () => {
    const text = printModels([view({ name: 'yes', version: '1.10' }, {})], 'yaml', { now, colour: false });
    expect(text).toContain('    model: "yes"\n    version: "1.10"\n    serving: null\n    desired: 2\n');
  });

  it('escape what could steer a terminal, and stay readable for machines', () => {
    const odd = view({ name: 'a\u001b\u009b\u202eb\u007f' }, {});
    const json = printModels([odd], 'json', { now, colour: false });
    const yaml = printModels([odd], 'yaml', { now, colour: false });
    expect(JSON.parse(json)).toMatchObject({ items: [{ model: 'a\u001b\u009b\u202eb\u007f' }] });
    expect(yaml).toContain('model: "a\\e\\u009b\\u202eb\\u007f"');
    for (const text of [json, yaml]) expect(visible(text)).toBe(text.replaceAll('\n', ' '));
  });
});

describe('ageOf', () => {
  it('forgives clocks that differ a little', () => {
    expect(ageOf('2026-01-01T02:05:30Z', now)).toBe('0s');
    expect(ageOf('2026-01-01T03:05:00Z', now)).toBe('<invalid>');
    expect(ageOf('', now)).toBe('<unknown>');
    expect(ageOf('2025-12-30T00:00:00Z', now)).toBe('2d2h');
  });
});

describe('whyOf', () => {
  it('still tells of an instance that fails while enough others serve', () => {
    const extra = { pod: 'p9', version: '1.0', state: 'Terminating' };
    const status = {
      endpoints: [extra],
      conditions: [condition('Ready', 'True', 'Serving', '2 of 2 registered')],
    };
    expect(whyOf(view({}, status))).toBe('2 of 2 registered; p9 Terminating');
  });
});

describe('viewOf', () => {
  it('does not lose a model for a field that it does not understand', () => {
    const odd = view({ memory: 'odd', futureField: 1 }, { registered: 2, ready: 'many', endpoints: 'none' });
    expect(odd).toMatchObject({ model: 'dga', ready: null, registered: 2, endpoints: [] });
  });

  it('says that a model is being deleted', () => {
    expect(view({}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }).state.reason).toBe('Terminating');
  });
});
