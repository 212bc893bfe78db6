/**
 * `kubectl maas`, `maas_deploy.sh` and the old queue, side by side on the same worlds: what each makes of the same words.
 * Where they differ, the row says why; everything else is decided for all of them in src/deploy-rules.
 */
import { describe, expect, it } from 'vitest';
import { cliPorts } from '../builders/cli-ports.ts';
import { typed } from '../builders/command-line.ts';
import { legacyPorts } from '../builders/legacy-ports.ts';
import { ModelStore, part } from '../builders/model-store.ts';
import { QueueWorld } from '../builders/queue-world.ts';
import { rejectedRequests } from '../builders/rejected-requests.ts';

interface Present {
  readonly name?: string;
  readonly model?: string;
  readonly version?: string;
  readonly createdAt?: string;
  readonly deleting?: boolean;
  readonly stalled?: boolean;
  readonly path?: string;
  readonly instances?: number;
  readonly autoscaler?: { readonly name: string; readonly min: number; readonly max: number };
}

const autoscaler = { name: 'dga', min: 2, max: 4 };

interface Asked {
  readonly action: 'ADD' | 'REMOVE';
  readonly instances?: number;
  /** Megabytes. */
  readonly memory?: number;
  readonly path?: string;
}

/** All of these that are there have two instances of 512Mi. */
const there = (present: Present = {}) => ({
  name: 'dga-1.0',
  model: 'dga',
  version: '1.0',
  createdAt: '2026-01-01T00:00:00Z',
  deleting: false,
  stalled: false,
  path: '/m/dga',
  instances: 2,
  memory: '512Mi',
  ...present,
});

function storeWith(present: readonly Present[]): ModelStore {
  const store = new ModelStore();
  for (const { name, autoscaler } of present.map(there)) if (autoscaler) store.autoscalers.set(name, autoscaler);
  for (const { name, model, version, createdAt, deleting, stalled, path, instances, memory } of present.map(there)) {
    store.put({
      metadata: { name, creationTimestamp: createdAt, ...(deleting ? { deletionTimestamp: createdAt } : {}) },
      spec: { name: model, version, instances, memory, payload: { path, readFrom: 'Store' } },
      status: {
        conditions: [
          {
            type: 'Stalled',
            status: stalled ? 'True' : 'False',
            reason: 'x',
            message: '',
            lastTransitionTime: createdAt,
          },
        ],
      },
    });
  }
  return store;
}

/** Waits are over at once, and take as long as they should. */
function passingTime() {
  let time = Date.parse('2026-01-01T01:00:00Z');
  const tell = () => time;
  const sleep = async (ms: number) => {
    time += ms;
  };
  return { now: tell, monotonic: tell, sleep };
}

/** What is there now, or why nothing was done. */
function outcomeOf(store: ModelStore, code: number, err: string): string {
  if (code !== 0) return /^error\[(\w+)\]/m.exec(err)?.[1] ?? err;
  const models = store.all.map((object) => {
    const spec = part(object, 'spec');
    return `${part(object, 'metadata')['name']}: ${spec['instances']} of ${spec['memory']}`;
  });
  return models.sort().join(', ') || 'nothing';
}

async function byCommand(present: readonly Present[], { action, instances, memory, path }: Asked): Promise<string> {
  const store = storeWith(present);
  const ports = cliPorts({ cluster: store.cluster(), clock: passingTime() });
  const words = [
    action.toLowerCase(),
    ...['--name', 'dga', '--version', '1.0'],
    ...(instances === undefined ? [] : ['--instances', String(instances)]),
    ...(memory === undefined ? [] : ['--memory', String(memory)]),
    ...(path === undefined ? [] : ['--hdfs-model-path', path]),
  ];
  return outcomeOf(store, await typed(words, ports), ports.err.text);
}

async function byScript(present: readonly Present[], { action, instances, memory, path }: Asked): Promise<string> {
  const store = storeWith(present);
  const ports = { ...legacyPorts({ cluster: store.cluster() }), clock: passingTime() };
  const words = [
    ...['-mo', action, '-n', 'dga', '-v', '1.0'],
    ...(instances === undefined ? [] : ['-ni', String(instances)]),
    ...(memory === undefined ? [] : ['-m', String(memory)]),
    ...(path === undefined ? [] : ['-hmp', path]),
  ];
  const code = await typed(['__legacy-deploy', ...words], ports);
  return outcomeOf(store, code, ports.err.text);
}

/** As the old client puts it there: it says 1 where it was told no number, and 0 where it was told no memory. */
async function byQueue(present: readonly Present[], { action, instances, memory, path }: Asked): Promise<string> {
  const world = new QueueWorld();
  for (const { name, ...model } of present.map(there)) world.apply(name, model);
  const request = { name: 'dga', version: '1.0', action, numInstances: instances ?? 1, memory: memory ?? 0 };
  world.enqueue({ ...request, path: path ?? null });
  const operator = world.start();
  await operator.rests();
  await operator.stop();
  if (world.queued().length > 0) return 'waits';
  const [rejected] = rejectedRequests(world.record ?? {});
  if (rejected !== undefined) return rejected.code;
  const models = [...world.models].map(([key, { instances, memory }]) => `${key.slice(6)}: ${instances} of ${memory}`);
  return models.sort().join(', ') || 'nothing';
}

const add = (asked: Omit<Asked, 'action'> = {}): Asked => ({ action: 'ADD', ...asked });
const remove = (instances?: number): Asked => ({
  action: 'REMOVE',
  ...(instances === undefined ? {} : { instances }),
});

describe('all three agree', () => {
  it.each<[string, Present[], Asked, string]>([
    ['a new model is made', [], add({ instances: 2, memory: 512, path: '/m/dga' }), 'dga-1.0: 2 of 512Mi'],
    ['instances come on top', [{}], add({ instances: 3, path: '/m/dga' }), 'dga-1.0: 5 of 512Mi'],
    ['one is the number that nobody says', [{}], add({ path: '/m/dga' }), 'dga-1.0: 3 of 512Mi'],
    ['a path may be written otherwise', [{}], add({ path: '//m/dga/' }), 'dga-1.0: 3 of 512Mi'],
    ['another path is refused', [{}], add({ path: '/m/other' }), 'PAYLOAD_PATH_DIFFERS'],
    ['memory is raised', [{}], add({ memory: 1_024, path: '/m/dga' }), 'dga-1.0: 3 of 1024Mi'],
    ['the same memory is no change', [{}], add({ memory: 512, path: '/m/dga' }), 'dga-1.0: 3 of 512Mi'],
    ['a name that a manifest chose is found', [{ name: 'mine' }], add({ path: '/m/dga' }), 'mine: 3 of 512Mi'],
    [
      'another version is another model',
      [{ name: 'dga-2.0', version: '2.0' }],
      add({ memory: 512, path: '/m/dga' }),
      'dga-1.0: 1 of 512Mi, dga-2.0: 2 of 512Mi',
    ],
    ['a name that another model has is taken', [{ model: 'web' }], add({ memory: 512, path: '/m' }), 'NAME_OWNED'],
    [
      'of several the first is meant',
      [{ name: 'b', createdAt: '2026-01-02T00:00:00Z' }, { name: 'a' }],
      add({ path: '/m/dga' }),
      'a: 3 of 512Mi, b: 2 of 512Mi',
    ],
    [
      'before it one that is not stalled',
      [
        { name: 'b', createdAt: '2026-01-02T00:00:00Z' },
        { name: 'a', stalled: true },
      ],
      add({ path: '/m/dga' }),
      'a: 2 of 512Mi, b: 3 of 512Mi',
    ],
    [
      'and before all one that is not going',
      [
        { name: 'b', createdAt: '2026-01-02T00:00:00Z', stalled: true },
        { name: 'a', deleting: true },
      ],
      add({ path: '/m/dga' }),
      'a: 2 of 512Mi, b: 3 of 512Mi',
    ],
    [
      'an autoscaler decides within its bounds',
      [{ autoscaler }],
      add({ instances: 2, path: '/m/dga' }),
      'dga-1.0: 2 of 512Mi',
    ],
    ['more than an autoscaler keeps is refused', [{ autoscaler }], add({ instances: 3, path: '/m/dga' }), 'AUTOSCALED'],
    [
      'what was stopped starts with what it keeps',
      [{ autoscaler, instances: 0 }],
      add({ path: '/m/dga' }),
      'dga-1.0: 2 of 512Mi',
    ],
    ['REMOVE below what an autoscaler keeps is refused', [{ autoscaler }], remove(1), 'AUTOSCALED'],
    ['REMOVE within its bounds leaves it', [{ autoscaler, instances: 4 }], remove(1), 'dga-1.0: 4 of 512Mi'],
    ['REMOVE of all deletes, autoscaler or not', [{ autoscaler }], remove(2), 'nothing'],
    ['REMOVE takes some', [{}], remove(1), 'dga-1.0: 1 of 512Mi'],
    ['REMOVE of all deletes', [{}], remove(2), 'nothing'],
    ['REMOVE of more than there are deletes', [{}], remove(9), 'nothing'],
    ['REMOVE means the same one', [{ name: 'b', stalled: true }, { name: 'a' }], remove(2), 'b: 2 of 512Mi'],
    ['REMOVE of what is going is done', [{ deleting: true }], remove(1), 'dga-1.0: 2 of 512Mi'],
    ['REMOVE of what is not there is refused', [{ version: '2.0' }], remove(1), 'MODEL_NOT_FOUND'],
  ])('%s', async (_what, present, asked, outcome) => {
    expect({
      command: await byCommand(present, asked),
      script: await byScript(present, asked),
      queue: await byQueue(present, asked),
    }).toEqual({ command: outcome, script: outcome, queue: outcome });
  });
});

describe('they differ for a reason', () => {
  interface Row {
    readonly why: string;
    readonly present: Present[];
    readonly asked: Asked;
    readonly outcomes: readonly [command: string, script: string, queue: string];
  }
  const rows: Row[] = [
    {
      why: 'old scripts name memory with every ADD, so less is no wish to lower it',
      present: [{}],
      asked: add({ memory: 256, path: '/m/dga' }),
      outcomes: ['dga-1.0: 3 of 256Mi', 'dga-1.0: 3 of 512Mi', 'dga-1.0: 3 of 512Mi'],
    },
    {
      why: 'as little as a resource takes is what YARN would have rounded up to; a person may have mistyped it',
      present: [],
      asked: add({ memory: 1, path: '/m/dga' }),
      outcomes: ['USAGE', 'dga-1.0: 1 of 16Mi', 'dga-1.0: 1 of 16Mi'],
    },
    {
      why: 'a request never has a person in front of it, so what it lacks has a code of its own',
      present: [],
      asked: add({ path: '/m/dga' }),
      outcomes: ['USAGE', 'USAGE', 'REQUEST_IMPOSSIBLE'],
    },
    {
      why: 'the old command needs its path always, as it always did',
      present: [{}],
      asked: add(),
      outcomes: ['dga-1.0: 3 of 512Mi', 'USAGE', 'dga-1.0: 3 of 512Mi'],
    },
    {
      why: 'for the command 0 is a way to change the rest',
      present: [{}],
      asked: add({ instances: 0, path: '/m/dga' }),
      outcomes: ['dga-1.0: 2 of 512Mi', 'USAGE', 'REQUEST_IMPOSSIBLE'],
    },
    {
      why: 'a person who says no number wants it gone; the old client took one',
      present: [{}],
      asked: remove(),
      outcomes: ['nothing', 'dga-1.0: 1 of 512Mi', 'dga-1.0: 1 of 512Mi'],
    },
    {
      why: 'a command gives up some time; a request keeps its place on the queue',
      present: [{ deleting: true }],
      asked: add({ memory: 512, path: '/m/dga' }),
      outcomes: ['TIMEOUT', 'TIMEOUT', 'waits'],
    },
    {
      why: 'and so where another model that is going has the name',
      present: [{ model: 'web', deleting: true }],
      asked: add({ memory: 512, path: '/m/dga' }),
      outcomes: ['TIMEOUT', 'TIMEOUT', 'waits'],
    },
  ];
  it.each(rows)('$why', async ({ present, asked, outcomes }) => {
    const seen = [await byCommand(present, asked), await byScript(present, asked), await byQueue(present, asked)];
    expect(seen).toEqual(outcomes);
  });
});
