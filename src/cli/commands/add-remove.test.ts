import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { keyOf, ModelStore, part } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';
import type { PayloadUploader } from '../ports.ts';

const addDga = 'add --name dga --version 1.0';
const newDga = `${addDga} --memory 512 --hdfs-model-path models/dga`;
const removeDga = 'remove --name dga --version 1.0';
const dgaSpec = { name: 'dga', version: '1.0', instances: 2, memory: '512Mi', payload: { path: 'models/dga' } };

function storeWith(spec: Record<string, unknown> = dgaSpec, name = 'dga-1.0'): ModelStore {
  const store = new ModelStore();
  store.put({ metadata: { name }, spec });
  return store;
}

type Uploader = Partial<PayloadUploader>;

async function ran(line: string, store: ModelStore, uploader?: Uploader) {
  const ports = cliPorts({ cluster: store.cluster(), ...(uploader === undefined ? {} : { uploader }) });
  const code = await typed(line, ports);
  return { code, out: ports.out.text, err: ports.err.text };
}

const specOf = (store: ModelStore, name = 'dga-1.0') => part(store.peek(name) ?? {}, 'spec');

describe('add', () => {
  it('deploys a model that is not there', async () => {
    const store = new ModelStore();
    expect(await ran(`${newDga} --instances 2 --cpu 2 --env A=1 --env B-`, store)).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 created with 2 instances\n',
      err: '',
    });
    expect(specOf(store)).toEqual({
      name: 'dga',
      version: '1.0',
      instances: 2,
      memory: '512Mi',
      cpu: '2',
      payload: { path: 'models/dga' },
      env: [{ name: 'A', value: '1' }],
    });
  });

  it('adds to one that is there and leaves everything else alone', async () => {
    const store = storeWith({ ...dgaSpec, image: 'mine', scheduling: { queue: 'q' } });
    expect(await ran(`${addDga} --instances 3`, store)).toMatchObject({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 scaled from 2 to 5 instances\n',
    });
    expect(specOf(store)).toEqual({ ...dgaSpec, instances: 5, image: 'mine', scheduling: { queue: 'q' } });
  });

  it('changes only what is said and differs', async () => {
    const env = [
      { name: 'KEPT', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      { name: 'OLD', value: '1' },
      { name: 'GONE', value: '1' },
    ];
    const store = storeWith({ ...dgaSpec, memory: '1Gi', cpu: '1', env });
    const changes = '--memory 1024Mi --cpu 2 --env OLD=2 --env GONE- --env NEW=3';
    const { out } = await ran(`${addDga} --instances 0 ${changes}`, store);
    expect(out).toBe('modeldeployment.maas.dev/dga-1.0 cpu, env changed\n');
    expect(specOf(store)).toEqual({
      ...dgaSpec,
      memory: '1Gi',
      cpu: '2',
      env: [env[0], { name: 'OLD', value: '2' }, { name: 'NEW', value: '3' }],
    });
  });

  it('writes nothing when nothing changes', async () => {
    const store = storeWith();
    const { out } = await ran(`${addDga} --instances 0 --memory 512Mi`, store);
    expect(out).toBe('modeldeployment.maas.dev/dga-1.0 unchanged\n');
    expect(store.writes).toEqual([]);
  });

  it('acts on a resource of the same model and version that a manifest named otherwise', async () => {
    const store = storeWith(dgaSpec, 'my-detector');
    expect((await ran(addDga, store)).out).toBe('modeldeployment.maas.dev/my-detector scaled from 2 to 3 instances\n');
    expect((await ran(`${removeDga} --instances 2`, store)).out).toBe(
      'modeldeployment.maas.dev/my-detector scaled from 3 to 1 instance\n',
    );
  });

  it('takes the owner where two claim the same model and version', async () => {
    const store = storeWith(dgaSpec, 'second');
    store.update('second', { metadata: { creationTimestamp: '2026-01-02T00:00:00Z' } });
    store.put({ metadata: { name: 'first' }, spec: dgaSpec });
    const { out, err } = await ran(addDga, store);
    expect(out).toBe('modeldeployment.maas.dev/first scaled from 2 to 3 instances\n');
    expect(err).toBe(
      'note: modeldeployment.maas.dev/first and modeldeployment.maas.dev/second are both dga 1.0; the first one is changed\n',
    );
  });

  describe('beside a version that clients find', () => {
    const besides = (version: string) => {
      const store = new ModelStore();
      const endpoints = [{ pod: 'p', version, state: 'Registered' }];
      store.put({ metadata: { name: 'old' }, spec: { ...dgaSpec, version }, status: { endpoints } });
      return store;
    };
    const taken = (by: string) => `note: clients that name no version get "${by}", not "1.0"`;

    it('says when they will not take this one, and which name they would take', async () => {
      const { code, err } = await ran(newDga, besides('9'));
      expect(code).toBe(0);
      expect(err).toBe(
        `${taken('9')}: they compare versions as plain text and take the highest. ` +
          'Name it "v1.0", remove "9", or have clients ask for the version by its name.\n',
      );
    });

    it('says so once of a version that is older anyhow, when it is new here', async () => {
      const store = besides('2.0');
      expect((await ran(newDga, store)).err).toContain(taken('2.0'));
      expect((await ran(addDga, store)).err).toBe('');
    });

    it('says so each time where people would expect otherwise', async () => {
      const store = besides('1');
      store.update('old', { status: { endpoints: [{ pod: 'p', version: '1.0-rc1', state: 'Registered' }] } });
      expect((await ran(newDga, store)).err).toContain(taken('1.0-rc1'));
      expect((await ran(addDga, store)).err).toContain(taken('1.0-rc1'));
    });

    it('says nothing where they take this one, or where the other one is not registered', async () => {
      expect((await ran(newDga, besides('0.9'))).err).toBe('');
      const store = besides('9');
      store.update('old', { status: { endpoints: [{ pod: 'p', version: '9', state: 'Starting' }] } });
      expect((await ran(newDga, store)).err).toBe('');
    });
  });

  it('refuses another payload path for the same version', async () => {
    const store = storeWith();
    expect(await ran(`${addDga} --hdfs-model-path /elsewhere`, store)).toEqual({
      code: 1,
      out: '',
      err:
        'error[PAYLOAD_PATH_DIFFERS]: dga 1.0 is deployed already as modeldeployment.maas.dev/dga-1.0 ' +
        'with the payload models/dga, not /elsewhere\n' +
        'next: Give the other payload a version of its own with --version, or leave --hdfs-model-path out.\n',
    });
    expect((await ran(`${addDga} --hdfs-model-path models//dga/`, store)).code).toBe(0);
  });

  it('says what a new model needs', async () => {
    expect(await ran(addDga, new ModelStore())).toMatchObject({
      code: 2,
      err:
        'error[USAGE]: dga 1.0 is not deployed in namespace fraud yet; a new model needs --memory and ' +
        '--local-model-path or --hdfs-model-path\n' +
        'next: Add what is missing, or correct --name, --version or --namespace.\n',
    });
  });

  it('does not touch another model that has the name', async () => {
    const store = storeWith({ ...dgaSpec, version: '2.0' });
    expect(await ran(newDga, store)).toMatchObject({
      code: 1,
      err: expect.stringContaining('modeldeployment.maas.dev/dga-1.0 exists already and is dga 2.0'),
    });
    expect(store.writes).toEqual([]);
  });

  it('waits for one that is being deleted and makes it anew', async () => {
    const store = storeWith();
    store.update('dga-1.0', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    let looks = 0;
    const cluster = store.cluster({
      before: async (call) => {
        if (call === 'get' && ++looks === 3) store.remove('dga-1.0');
      },
    });
    const ports = cliPorts({ cluster });
    expect(await typed(newDga, ports)).toBe(0);
    expect(ports.out.text).toBe('modeldeployment.maas.dev/dga-1.0 created with 1 instance\n');
    expect(ports.err.text).toBe('dga 1.0: being removed (0s)\ndga 1.0: gone (0s)\n');
  });

  it('prints a manifest for a dry run, and changes nothing', async () => {
    const store = new ModelStore();
    expect(await ran(`${newDga} --dry-run --wait`, store)).toEqual({
      code: 0,
      out: [
        'apiVersion: maas.dev/v1',
        'kind: ModelDeployment',
        'metadata:',
        '  name: dga-1.0',
        '  namespace: fraud',
        'spec:',
        '  name: dga',
        '  version: "1.0"',
        '  instances: 1',
        '  memory: 512Mi',
        '  payload:',
        '    path: models/dga',
        '',
      ].join('\n'),
      err: 'modeldeployment.maas.dev/dga-1.0 created with 1 instance (server dry run)\n',
    });
    expect(store.all).toEqual([]);
  });

  it('leaves a write without an answer to the user', async () => {
    const store = storeWith();
    const cluster = store.cluster({
      before: async (call) => {
        if (call === 'patch') throw new MaasError('CLUSTER_UNREACHABLE', 'patch: no answer');
      },
    });
    const ports = cliPorts({ cluster });
    expect(await typed(addDga, ports)).toBe(4);
    expect(ports.err.text).toBe(
      'error[CLUSTER_UNREACHABLE]: patch: no answer; whether the change was made is not known\n' +
        'next: Look with `kubectl maas list` before running the command again.\n',
    );
  });
});

describe('where an autoscaler decides how many instances there are', () => {
  const autoscaled = () => {
    const store = storeWith();
    store.autoscalers.set('dga-1.0', { name: 'by-load', min: 2, max: 5 });
    return store;
  };

  it('a number within its bounds is left to it, and the rest is changed', async () => {
    const store = autoscaled();
    const left = 'left at 2 instances by HorizontalPodAutoscaler by-load, which keeps between 2 and 5 instances';
    expect(await ran(`${addDga} --instances 1`, store)).toEqual({
      code: 0,
      out: `modeldeployment.maas.dev/dga-1.0 ${left}\n`,
      err: '',
    });
    expect(store.writes).toEqual([]);
    const changed = await ran(`${addDga} --memory 1Gi`, store);
    expect(changed.out).toBe(`modeldeployment.maas.dev/dga-1.0 ${left}; memory changed\n`);
    expect(specOf(store)).toEqual({ ...dgaSpec, memory: '1Gi' });
  });

  it('a number outside of them is refused, and nothing else is changed', async () => {
    const store = autoscaled();
    const { code, err } = await ran(`${addDga} --instances 4 --memory 1Gi`, store);
    expect(code).toBe(1);
    expect(err).toContain('error[AUTOSCALED]: dga 1.0 would have 6 instances');
    expect(err).toContain('HorizontalPodAutoscaler by-load, which keeps between 2 and 5 instances');
    expect((await ran(`${removeDga} --instances 1`, store)).err).toContain('dga 1.0 would have 1 instance, against');
    expect(store.writes).toEqual([]);
  });

  it('all of them may go all the same', async () => {
    const store = autoscaled();
    expect((await ran(removeDga, store)).out).toContain('deleted with its 2 instances');
  });
});

describe('add with an upload', () => {
  const published = { hdfs: { nameservices: { a: { webhdfs: ['http://nn:9870'] } } }, payloadRoot: 'maas/models' };
  function storeWithSettings(): ModelStore {
    const store = new ModelStore();
    store.configMaps.set(keyOf('maas-system', 'maas-operator-settings'), {
      'settings.json': JSON.stringify({ ...published, ofANewerOperator: true }),
    });
    return store;
  }
  const uploader = (log: string[]): Uploader => ({
    upload: async (localPath, target, { exclude }) => {
      log.push([`${localPath} -> ${target}`, ...exclude].join(' without '));
      return { path: `/user/maas/${target}`, files: 2, bytes: 2048, uploaded: true };
    },
  });
  const sent = `${addDga} --memory 512 --local-model-path ./dga`;

  it('sends the directory to a place of its own and deploys it from there', async () => {
    const store = storeWithSettings();
    const log: string[] = [];
    expect(await ran(sent, store, uploader(log))).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 created with 1 instance\n',
      err: 'uploaded 2 files, 2 KiB to /user/maas/maas/models/dga/1.0\n',
    });
    expect(log).toEqual(['./dga -> maas/models/dga/1.0']);
    expect(specOf(store)['payload']).toEqual({ path: 'maas/models/dga/1.0' });
  });

  it('leaves out what is not to be sent', async () => {
    const log: string[] = [];
    await ran(`${sent} --exclude *.csv`, storeWithSettings(), uploader(log));
    expect(log).toEqual(['./dga -> maas/models/dga/1.0 without *.csv']);
  });

  it('sends it to the path that is named, else to that of the version that runs', async () => {
    const log: string[] = [];
    await ran(`${sent} --hdfs-model-path /x`, storeWithSettings(), uploader(log));
    const store = storeWithSettings();
    store.put({ metadata: { name: 'dga-1.0' }, spec: dgaSpec });
    await ran(sent, store, uploader(log));
    expect(log).toEqual(['./dga -> /x', './dga -> models/dga']);
    expect(specOf(store)['instances']).toBe(3);
  });

  it('sends nothing when the cluster would refuse the rest', async () => {
    const store = storeWithSettings();
    const log: string[] = [];
    const cluster = store.cluster({
      before: async (call) => {
        if (call === 'create') throw new MaasError('CLUSTER_REFUSED', 'no');
      },
    });
    const ports = cliPorts({ cluster, uploader: uploader(log) });
    expect(await typed(sent, ports)).toBe(1);
    expect(log).toEqual([]);
  });

  it('sends and writes nothing in a dry run', async () => {
    const store = storeWithSettings();
    const { code, out } = await ran(`${sent} --dry-run`, store);
    expect(code).toBe(0);
    expect(out).toContain('path: maas/models/dga/1.0');
    expect(store.writes).toEqual([]);
  });

  it('deploys nothing when the upload fails', async () => {
    const store = storeWithSettings();
    const failing: Uploader = {
      upload: async () => {
        throw new MaasError('HDFS_UNREACHABLE', 'no name node answered');
      },
    };
    expect((await ran(sent, store, failing)).code).toBe(4);
    expect(store.writes).toEqual([]);
  });

  it('never runs another payload than it sent, even when somebody deploys the version meanwhile', async () => {
    const store = storeWithSettings();
    const slow: Uploader = {
      upload: async (_, target) => {
        store.put({ metadata: { name: 'dga-1.0' }, spec: dgaSpec });
        return { path: target, files: 2, bytes: 2, uploaded: true };
      },
    };
    expect(await ran(sent, store, slow)).toMatchObject({
      code: 1,
      err: expect.stringContaining('error[PAYLOAD_PATH_DIFFERS]'),
    });
    expect(specOf(store)['instances']).toBe(2);
  });

  it('says where it looked for the settings', async () => {
    expect(await ran(sent, new ModelStore())).toMatchObject({
      code: 3,
      err: expect.stringContaining(
        "error[SETTINGS_NOT_FOUND]: ConfigMap maas-system/maas-operator-settings, the operator's published settings, does not exist\n",
      ),
    });
  });
});

describe('remove', () => {
  it('takes instances away', async () => {
    const store = storeWith();
    expect(await ran(`${removeDga} --instances 1`, store)).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 scaled from 2 to 1 instance\n',
      err: '',
    });
  });

  it.each(['', ' --instances 2', ' --instances 99'])('deletes the resource with the last instance:%s', async (all) => {
    const store = storeWith();
    expect((await ran(removeDga + all, store)).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 deleted with its 2 instances\n',
    );
    expect(store.writes).toEqual(['delete dga-1.0']);
  });

  it('touches no other version or model', async () => {
    const store = storeWith();
    store.put({ metadata: { name: 'dga-2.0' }, spec: { ...dgaSpec, version: '2.0' } });
    store.put({ metadata: { name: 'echo-1.0' }, spec: { ...dgaSpec, name: 'echo' } });
    await ran(removeDga, store);
    expect(store.all.map((object) => part(object, 'metadata')['name'])).toEqual(['dga-2.0', 'echo-1.0']);
  });

  it('says that the model is not there', async () => {
    expect(await ran(removeDga, new ModelStore())).toEqual({
      code: 3,
      out: '',
      err:
        'error[MODEL_NOT_FOUND]: dga 1.0 is not deployed in namespace fraud\n' +
        'next: See what is deployed with `kubectl maas list -A`.\n',
    });
  });

  it('says what a dry run would delete', async () => {
    const store = storeWith();
    expect(await ran(`${removeDga} --dry-run -o name`, store)).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0\n',
      err: 'modeldeployment.maas.dev/dga-1.0 deleted with its 2 instances (server dry run)\n',
    });
    expect(store.writes).toEqual([]);
  });
});

describe('many commands at once', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), n: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('remove' as const), n: fc.integer({ min: 1, max: 5 }) }),
  );

  it('have together the effect that they would have one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 0, max: 6 }),
        async (scheduler, steps, initial) => {
          const store = new ModelStore();
          if (initial > 0) store.put({ metadata: { name: 'dga-1.0' }, spec: { ...dgaSpec, instances: initial } });
          const committed: number[] = [];
          const codes: number[] = [];
          const commands = steps.map(async ({ kind, n }, index) => {
            // A call reaches the store when the scheduler says so, and is done at once.
            const cluster = store.cluster({
              before: (call) => scheduler.schedule(Promise.resolve(), `${index} ${call}`),
            });
            const watched = {
              ...cluster,
              create: async (...given: Parameters<typeof cluster.create>) => noted(index, cluster.create(...given)),
              patch: async (...given: Parameters<typeof cluster.patch>) => noted(index, cluster.patch(...given)),
              delete: async (...given: Parameters<typeof cluster.delete>) => noted(index, cluster.delete(...given)),
            };
            const line = `${kind === 'add' ? newDga : removeDga} --instances ${n}`;
            codes[index] = await typed(line, cliPorts({ cluster: watched }));
          });
          const noted = async <T>(index: number, write: Promise<T>): Promise<T> => {
            const result = await write;
            committed.push(index);
            return result;
          };
          await scheduler.waitFor(Promise.all(commands));

          let expected = initial;
          for (const index of committed) {
            const done = steps[index];
            if (done === undefined) continue;
            expected = done.kind === 'add' ? expected + done.n : Math.max(0, expected - done.n);
          }
          const found = specOf(store)['instances'];
          expect(found ?? 0).toBe(expected);
          // Whoever was told "done" has been done once, and only a model that was not there stopped anybody.
          const succeeded = codes.flatMap((code, index) => (code === 0 ? [index] : []));
          expect([...committed].sort((a, b) => a - b)).toEqual(succeeded);
          for (const [index, code] of codes.entries()) {
            if (code !== 0) expect([steps[index]?.kind, code]).toEqual(['remove', 3]);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('add --immutable', () => {
  const letters = { old: 'a'.repeat(64), new: 'b'.repeat(64) };
  const immutable = 'add --name dga --version 1.0 --memory 512 --local-model-path ./dga --immutable';
  const at = (of: keyof typeof letters) => `maas/models/dga/1.0@sha256-${letters[of].slice(0, 16)}`;

  /** A directory that holds these files by now; what is sent goes to `sent`. */
  function directory(files: keyof typeof letters, sent: string[] = []): Uploader {
    return {
      digest: async () => `sha256:${letters[files]}`,
      upload: async (_, target) => {
        const uploaded = !sent.includes(target);
        sent.push(target);
        return { path: target, files: 1, bytes: 10, uploaded };
      },
    };
  }

  const settled = (store = new ModelStore()) => {
    const settings = { hdfs: { nameservices: { lake: { webhdfs: ['http://nn:9870'] } } }, payloadRoot: 'maas/models' };
    store.configMaps.set(keyOf('maas-system', 'maas-operator-settings'), { 'settings.json': JSON.stringify(settings) });
    return store;
  };

  it('deploys from a directory that is named after what is in it', async () => {
    const store = settled();
    expect(await ran(`${immutable} --instances 2`, store, directory('old'))).toMatchObject({ code: 0 });
    expect(specOf(store)).toMatchObject({ instances: 2, payload: { path: at('old') } });
  });

  it('sends nothing and changes nothing when the same is said again', async () => {
    const store = settled();
    const sent: string[] = [];
    await ran(immutable, store, directory('old', sent));
    const writes = [...store.writes];
    const again = await ran(immutable, store, directory('old', sent));
    expect(again).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 unchanged\n',
      err: `${at('old')} has this payload already\n`,
    });
    expect(store.writes).toEqual(writes);
    expect(sent).toEqual([at('old'), at('old')]);
  });

  it('switches what runs to other files, and leaves all else as it is', async () => {
    const store = settled(storeWith({ ...dgaSpec, payload: { path: at('old'), readFrom: 'Store' } }));
    const { out } = await ran(immutable, store, directory('new'));
    expect(out).toBe('modeldeployment.maas.dev/dga-1.0 payload changed\n');
    expect(specOf(store)).toMatchObject({ instances: 2, payload: { path: at('new') } });
    await ran(`${immutable} --instances 3`, store, directory('old'));
    expect(specOf(store)).toMatchObject({ instances: 5, payload: { path: at('old') } });
  });

  it('is put beside a directory that is named', async () => {
    const store = settled();
    await ran(`${immutable} --hdfs-model-path /m/dga/`, store, directory('old'));
    expect(specOf(store)).toMatchObject({ payload: { path: '/m/dga@sha256-aaaaaaaaaaaaaaaa' } });
  });

  it('needs a directory to upload', async () => {
    const { code, err } = await ran('add --name dga --version 1.0 --immutable', settled());
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('--immutable is of --local-model-path') });
  });
});
