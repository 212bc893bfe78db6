import { describe, expect, it } from 'vitest';
import { typed } from '../../../test/builders/command-line.ts';
import { legacyPorts } from '../../../test/builders/legacy-ports.ts';
import { keyOf, ModelStore, part } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';
import { settingsConfigMap, settingsKey } from '../../contracts/settings.ts';
import type { OverOutcome, PayloadUploader } from '../ports.ts';

const dga = {
  name: 'dga',
  version: '1.0',
  instances: 2,
  memory: '512Mi',
  cpu: '10m',
  payload: { path: '/models/dga', readFrom: 'Store' },
  rollout: { strategy: 'Immediate' },
};
const published = (legacy: unknown = {}) => ({
  hdfs: { nameservices: { lake: { webhdfs: ['http://nn:9870'] } } },
  zookeeper: { quorum: 'zk:2181', configPath: '/elsewhere' },
  legacy,
  invented: 'by a newer operator',
});

function storeWith(...specs: (typeof dga)[]): ModelStore {
  const store = new ModelStore();
  for (const spec of specs) store.put({ metadata: { name: `${spec.name}-${spec.version}` }, spec });
  return store;
}

function publish(store: ModelStore, settings: unknown): ModelStore {
  store.configMaps.set(keyOf('maas-system', settingsConfigMap), { [settingsKey]: JSON.stringify(settings) });
  return store;
}

class Uploads implements Pick<PayloadUploader, 'uploadOver'> {
  readonly calls: string[] = [];
  readonly outcome: Partial<OverOutcome>;

  constructor(outcome: Partial<OverOutcome> = {}) {
    this.outcome = outcome;
  }

  uploadOver = async (localPath: string, target: string): Promise<OverOutcome> => {
    this.calls.push(`${localPath} -> ${target}`);
    const payloadComplete = '2026-03-01T12:00:00.000Z';
    const usual = { files: 2, bytes: 10, uploaded: true, replaced: false, directories: [], payloadComplete };
    return { path: target, ...usual, ...this.outcome };
  };
}

const annotationsOf = (store: ModelStore) =>
  part(part(store.peek('dga-1.0', 'fraud') ?? {}, 'metadata'), 'annotations');

async function ran(store: ModelStore, line: string, uploader?: Partial<PayloadUploader>) {
  const ports = legacyPorts({ cluster: store.cluster(), ...(uploader === undefined ? {} : { uploader }) });
  const code = await typed(`__legacy-deploy ${line}`, ports);
  return { code, out: ports.out.text, err: ports.err.text };
}

const specOf = (store: ModelStore, name = 'dga-1.0', namespace = 'fraud') =>
  part(store.peek(name, namespace) ?? {}, 'spec');
const addDga = '-zq node1:2181 -mo ADD -n dga -v 1.0 -m 512 -hmp /models/dga';

describe('ADD', () => {
  it('deploys what is in HDFS already, also where the operator publishes nothing', async () => {
    const store = new ModelStore();
    expect(await ran(store, `${addDga} -ni 2`)).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 created with 2 instances\n',
      err: '',
    });
    expect(specOf(store)).toEqual(dga);
  });

  it.each<[string, object, string | undefined]>([
    ['next to nothing of the processor, as YARN counted memory alone', {}, '10m'],
    ['what the operator gives such models', { legacy: { cpu: '50m' }, model: { cpu: '1' } }, '50m'],
    ['nothing of it, where the operator has a default for all', { model: { cpu: '250m' } }, undefined],
  ])('asks for %s', async (_what, settings, cpu) => {
    const store = publish(new ModelStore(), { ...published(), ...settings });
    await ran(store, addDga);
    expect(specOf(store)['cpu']).toBe(cpu);
  });

  it('adds to what is there', async () => {
    const store = storeWith(dga);
    expect((await ran(store, addDga)).out).toBe('modeldeployment.maas.dev/dga-1.0 scaled from 2 to 3 instances\n');
  });

  it('raises the memory and never lowers it', async () => {
    const store = storeWith(dga);
    await ran(store, addDga.replace('512', '256'));
    expect(specOf(store)).toMatchObject({ memory: '512Mi', instances: 3 });
    await ran(store, addDga.replace('512', '1024'));
    expect(specOf(store)).toMatchObject({ memory: '1024Mi', instances: 4 });
  });

  it('uploads first, and asks the cluster before that', async () => {
    const store = publish(new ModelStore(), published());
    const uploads = new Uploads();
    expect(await ran(store, `${addDga} -lmp ./dga`, uploads)).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 created with 1 instance\n',
      err: 'uploaded 2 files, 10 B to /models/dga\n',
    });
    expect(annotationsOf(store)).toEqual({ 'maas.dev/payload-complete': '2026-03-01T12:00:00.000Z' });
    expect(uploads.calls).toEqual(['./dga -> /models/dga']);

    const refusing = publish(new ModelStore(), published());
    const cluster = refusing.cluster({
      before: async (call) => {
        if (call === 'create') throw new MaasError('CLUSTER_REFUSED', 'no');
      },
    });
    const unused = new Uploads();
    const ports = legacyPorts({ cluster, uploader: unused });
    expect(await typed(`__legacy-deploy ${addDga} -lmp ./dga`, ports)).toBe(1);
    expect(unused.calls).toEqual([]);
  });

  it('says by when the files are whole, also of a model that is there', async () => {
    const store = publish(storeWith(dga), published());
    await ran(store, `${addDga} -lmp ./dga`, new Uploads());
    expect(annotationsOf(store)).toEqual({ 'maas.dev/payload-complete': '2026-03-01T12:00:00.000Z' });
    expect(specOf(store)['instances']).toBe(3);
  });

  it('says when nothing had to be sent, and what was left out', async () => {
    const store = publish(new ModelStore(), published());
    const outcome = { files: 0, bytes: 0, uploaded: false, directories: ['data', 'lib'] };
    expect((await ran(store, `${addDga} -lmp d`, new Uploads(outcome))).err).toBe(
      'note: only the files directly in d are uploaded, not data/, lib/\n/models/dga has these files already\n',
    );
  });

  it('deploys nothing when the upload fails', async () => {
    const store = publish(new ModelStore(), published());
    const failing: Partial<PayloadUploader> = {
      uploadOver: () => Promise.reject(new MaasError('LOCAL_PATH_INVALID', 'The local path "d" does not exist')),
    };
    const { code, err } = await ran(store, `${addDga} -lmp d`, failing);
    expect([code, err.split('\n')[0]]).toEqual([1, 'error[LOCAL_PATH_INVALID]: The local path "d" does not exist']);
    expect(store.writes).toEqual([]);
  });

  it('needs to know where HDFS is for an upload', async () => {
    const { code, err } = await ran(new ModelStore(), `${addDga} -lmp d`, new Uploads());
    expect([code, err]).toEqual([3, expect.stringContaining('error[SETTINGS_NOT_FOUND]')]);
  });

  it('tells who else runs from files that are different now', async () => {
    const others = [
      { ...dga, version: '0.9', payload: { path: '/models/dga', readFrom: 'Path' } },
      { ...dga, version: '0.8' },
    ];
    const store = publish(storeWith(dga, ...others), published());
    const digest = { path: '/models/dga', script: 'run.sh', files: 1, bytes: 1, digest: 'sha256:aa' };
    store.put({
      metadata: { name: 'dga-0.7' },
      spec: { ...dga, version: '0.7' },
      status: { payload: { ...digest, copy: '/store/aa' } },
    });
    const { err } = await ran(store, `${addDga}/ -lmp d`, new Uploads({ replaced: true }));
    expect(err).toContain('note: dga 1.0 runs already, and new files do not reach it');
    expect(err).toContain('note: dga 0.9 was started from the same path');
    expect(err).toContain('note: dga 0.8 is deployed from the same path and not copied from there yet');
    expect(err).not.toContain('dga 0.7');
    const same = publish(storeWith(dga), published());
    expect((await ran(same, `${addDga} -lmp d`, new Uploads())).err).not.toContain('note');
  });

  it('refuses another path for the same version', async () => {
    const { code, err } = await ran(storeWith(dga), '-mo ADD -n dga -v 1.0 -m 1 -hmp /other');
    expect([code, err]).toEqual([1, expect.stringContaining('error[PAYLOAD_PATH_DIFFERS]')]);
  });

  it('needs memory for a new model only', async () => {
    expect((await ran(new ModelStore(), '-mo ADD -n dga -v 1.0 -hmp /models/dga')).code).toBe(2);
    expect((await ran(storeWith(dga), '-mo ADD -n dga -v 1.0 -hmp /models/dga')).code).toBe(0);
  });

  it('goes by what the operator says of old requests: namespace and memory', async () => {
    const queue = {
      namespace: 'models',
      namespaces: [{ prefix: 'dns-', namespace: 'dns' }],
      memory: { incrementMb: 1_024, maximumMb: 4_096 },
    };
    const store = publish(new ModelStore(), published({ queue }));
    await ran(store, addDga);
    expect(specOf(store, 'dga-1.0', 'models')).toMatchObject({ memory: '1024Mi' });
    await ran(store, '-mo ADD -n dns-x -v 1 -m 2000 -hmp /x');
    expect(specOf(store, 'dns-x-1', 'dns')).toMatchObject({ memory: '2048Mi' });
    await ran(store, '-mo ADD -n dns-x -v 1 -m 2000 -hmp /x --namespace here');
    expect(specOf(store, 'dns-x-1', 'here')).toMatchObject({ memory: '2048Mi' });
    const { code, err } = await ran(store, '-mo ADD -n big -v 1 -m 4097 -hmp /x');
    expect([code, err]).toEqual([2, expect.stringContaining('-m 4097: more than the maximum of 4096 MB')]);
  });
});

describe('REMOVE', () => {
  it('takes one away unless told how many, and the resource with the last', async () => {
    const store = storeWith(dga);
    expect((await ran(store, '-mo REMOVE -n dga -v 1.0 -m 512 -hmp x')).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 scaled from 2 to 1 instance\n',
    );
    expect((await ran(store, '-mo REMOVE -n dga -v 1.0 -ni 9')).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 deleted with its 1 instance\n',
    );
    expect(store.peek('dga-1.0')).toBeUndefined();
  });

  it('is an error for a model that is not there', async () => {
    const { code, err } = await ran(storeWith(dga), '-mo REMOVE -n dga -v 2.0');
    expect([code, err]).toEqual([3, expect.stringContaining('error[MODEL_NOT_FOUND]: dga 2.0')]);
  });
});

describe('the exit code', () => {
  it('is that of kubectl maas', async () => {
    expect(await ran(new ModelStore(), '-mo NONSENSE')).toMatchObject({ code: 2, out: '' });
    expect(await ran(new ModelStore(), '-h')).toMatchObject({ code: 0, err: '' });
  });
});
