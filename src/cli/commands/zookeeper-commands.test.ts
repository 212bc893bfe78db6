/** doctor, status and import as commands: what they ask for, print and end with. */
import { describe, expect, it } from 'vitest';
import { cliPorts, type Looking } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { keyOf, ModelStore } from '../../../test/builders/model-store.ts';
import { publishedSettings, wellNow, wellTree } from '../../../test/builders/well-facts.ts';
import { ZnodeTree } from '../../../test/builders/znode-tree.ts';
import { customResourceDefinition } from '../../contracts/crd.ts';
import { MaasError } from '../../contracts/errors.ts';
import { doctorFields } from '../doctor/report.ts';
import { importFields } from '../import/imported.ts';
import type { ClusterInspector, HdfsInspector } from '../ports.ts';

const wellInspector: ClusterInspector = {
  crd: async () => ({
    ...customResourceDefinition(),
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  }),
  clusterUid: async () => 'here',
  operators: async () => [
    {
      metadata: { name: 'maas-operator' },
      spec: { replicas: 1, template: { spec: { serviceAccountName: 'maas' } } },
      status: { readyReplicas: 1 },
    },
  ],
  lease: async () => ({
    spec: { holderIdentity: 'one', renewTime: new Date(wellNow).toISOString(), leaseDurationSeconds: 15 },
  }),
  can: async () => true,
  keysOf: async () => [],
  namespaceExists: async () => true,
  nodes: async () => [],
};
const wellHdfs: HdfsInspector = {
  reach: async () => {},
  nameNodes: async () => [{ address: 'http://nn1:9870', role: 'active', safeMode: false, problem: undefined }],
  payload: async (path) => {
    if (!path.startsWith('/m/')) throw new MaasError('HDFS_PATH_MISSING', `There is nothing at ${path}`);
    return { path, script: 'run.sh', files: 1, bytes: 10 };
  },
};

function world(tree: ZnodeTree, looking: Partial<Looking> = {}, settings: object | null = publishedSettings) {
  const store = new ModelStore();
  if (settings !== null) {
    const key = keyOf('maas-system', 'maas-operator-settings');
    store.configMaps.set(key, { 'settings.json': JSON.stringify(settings) });
  }
  const quorums: string[] = [];
  const ports = cliPorts({
    cluster: store.cluster(),
    looking: {
      zookeeper: ({ quorum }) => {
        quorums.push(quorum);
        return tree;
      },
      inspect: () => wellInspector,
      hdfs: () => wellHdfs,
      touch: async () => ({ outcome: 'connected' }),
      ...looking,
    },
  });
  return { store, ports, quorums };
}

const garbage = () => wellTree().put('/maas/service/spam/1', 'garbage');
const outranked = () =>
  wellTree()
    .register({ id: '1', version: '1.9', url: 'http://n:1' })
    .register({ id: '2', version: '1.10', url: 'http://n:1' });
/** The usual registration of the tests is of the machine itself. */
const well = () => wellTree().register({ url: 'http://node7:1500' });

describe('doctor', () => {
  it.each([
    ['nothing', well(), '', 0],
    ['a warning', outranked().register({ url: 'http://n:1' }), '', 0],
    ['a warning, strictly', outranked().register({ url: 'http://n:1' }), ' --strict', 1],
    ['for information only, strictly', well().request(1, 'null', wellNow), ' --strict', 0],
    ['an error', garbage(), '', 1],
  ])('ends with its exit code when it found %s', async (_what, tree, options, code) => {
    const { ports } = world(tree);
    expect({
      code: await typed(`doctor${options}`, ports),
      out: ports.out.text,
      err: ports.err.text,
    }).toMatchObject({
      code,
      err: '',
    });
    expect(tree.closed).toBe(1);
  });

  it('says what it looked at where nothing is wrong', async () => {
    const { ports, quorums } = world(well());
    await typed('doctor', ports);
    expect(quorums).toEqual(['zk:2181']);
    expect(ports.out.text).toBe(
      'Nothing is wrong.\nChecked: ZooKeeper at zk:2181; configuration node /metron/maas/config; ' +
        '1 registration below /maas/service; request queue /maas/queue; 1 endpoint by connecting; 0 models; CRD; operator; ' +
        "the operator's permissions; your permissions; HDFS lake.\n",
    );
  });

  it('prints a finding with its evidence and its cure', async () => {
    const { ports } = world(well().put('/maas/service/spam/\u001b1', ''));
    await typed('doctor', ports);
    expect(ports.out.text).toContain(
      'error[RegistrationUnreadable]: /maas/service/spam/\\u001b1\n  it has no data\n' +
        '  cure: Remove the node, or let whoever made it write it again.\n1 error.\n',
    );
    const named = world(garbage());
    await typed('doctor --no-connect -o name', named.ports);
    expect(named.ports.out.text).toBe('RegistrationUnreadable /maas/service/spam/1\n');
  });

  it('prints JSON of the documented shape', async () => {
    const { ports } = world(garbage());
    expect(await typed('doctor -o json', ports)).toBe(1);
    const report = JSON.parse(ports.out.text);
    const { findings, ...head } = report;
    expect([...Object.keys(head).slice(2), ...Object.keys(findings[0]).map((name) => `findings[].${name}`)]).toEqual(
      doctorFields.map(([field]) => field),
    );
    expect(report).toMatchObject({ kind: 'DoctorReport', apiVersion: 'cli.maas.dev/v1', errors: 2 });
  });

  it('looks at the second queue too, where requests go on to the original', async () => {
    const queue = { enabled: true, namespace: 'fraud', forwardTo: '/maas/yarn-queue' };
    const tree = well().put('/maas/yarn-queue/qn-0000000001', 'null', { createdAt: wellNow - 3_600_000 });
    const { ports } = world(tree, {}, { ...publishedSettings, legacy: { queue } });
    await typed('doctor -o name', ports);
    expect(ports.out.text).toBe('QueueNotDrained /maas/yarn-queue\n');
  });

  it('connects to nothing when it is told so', async () => {
    const { ports } = world(well(), {
      touch: async () => {
        throw new Error('touched');
      },
    });
    expect(await typed('doctor --no-connect', ports)).toBe(0);
  });

  it('goes on with the rest whatever is away', async () => {
    const tree = wellTree();
    tree.failure = new MaasError('ZOOKEEPER_UNREACHABLE', 'zk: refused');
    const away = async () => {
      throw new MaasError('HDFS_UNREACHABLE', 'nn1: refused');
    };
    const forbidden = async () => {
      throw new MaasError('CLUSTER_FORBIDDEN', 'you may not');
    };
    const { ports } = world(tree, {
      hdfs: () => ({ ...wellHdfs, reach: away }),
      inspect: () => ({ ...wellInspector, crd: forbidden, lease: forbidden }),
    });
    expect(await typed('doctor -o name', ports)).toBe(1);
    expect(ports.out.text.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'ZooKeeperUnreachable',
      'HdfsUnreachable',
      'NotChecked',
      'NotChecked',
      '',
    ]);
  });

  it('looks at the ZooKeeper that is named, though nothing is published', async () => {
    const { ports, quorums } = world(garbage(), {}, null);
    expect(await typed('doctor --zookeeper other:2181/x -o name', ports)).toBe(1);
    expect(quorums).toEqual(['other:2181/x']);
    expect(ports.out.text).toContain('RegistrationUnreadable');
    expect(ports.out.text).toContain('SettingsMissing');
  });
});

describe('status', () => {
  it('tells a person what the table does not show', async () => {
    const { ports } = world(garbage().put('/metron/maas/config', '').request(1, 'null'));
    expect(await typed('status', ports)).toBe(0);
    expect(ports.err.text).toBe(
      'note: The configuration node /metron/maas/config exists but is empty\n' +
        'note: clients cannot read 1 registration, which hides all models from them: see `kubectl maas doctor`\n' +
        'note: the queue of the old deploy client holds 1 request\n',
    );
    expect(ports.out.text).toContain('Foreign');
  });

  it('says so when there is nothing, and prints the documented shape for scripts', async () => {
    const people = world(new ZnodeTree());
    expect(await typed('status', people.ports)).toBe(0);
    expect([people.ports.out.text, people.ports.err.text]).toEqual(['', 'No models found.\n']);
    const script = world(garbage());
    await typed('status -o json', script.ports);
    expect(script.ports.err.text).toBe('');
    expect(JSON.parse(script.ports.out.text)).toMatchObject({ kind: 'StatusReport', items: [{ model: 'dga' }] });
  });

  it('shows the resources of its own namespace to who may look at no other', async () => {
    const { store, ports } = world(wellTree());
    const own = store.cluster();
    const narrow = {
      ...ports,
      connect: () => ({
        ...own,
        list: async (namespace: string | undefined) => {
          if (namespace === undefined) throw new MaasError('CLUSTER_FORBIDDEN', 'you may not');
          return own.list(namespace);
        },
      }),
    };
    expect(await typed('status', narrow)).toBe(0);
    expect(ports.err.text).toBe('note: only resources of namespace fraud are shown: you may not list those of all\n');
  });

  it('fails where ZooKeeper cannot be asked, with the code for no access', async () => {
    const tree = wellTree();
    tree.failure = new MaasError('ZOOKEEPER_UNREACHABLE', 'zk: refused');
    const { ports } = world(tree);
    expect(await typed('status', ports)).toBe(4);
    expect(tree.closed).toBe(1);
  });

  it('says how to name a ZooKeeper where none is published', async () => {
    const { zookeeper: _, ...without } = publishedSettings;
    const { ports } = world(wellTree(), {}, without);
    expect(await typed('status', ports)).toBe(1);
    expect(ports.err.text).toContain('--zookeeper');
    const nothing = world(wellTree(), {}, null);
    expect(await typed('status', nothing.ports)).toBe(3);
  });
});

describe('import', () => {
  const request = (name: string, path: string | null) =>
    JSON.stringify({ name, version: '1.0', numInstances: 2, memory: 512, action: 'ADD', path });
  const yarn = () => wellTree().request(1, request('dga', '/m/dga')).request(2, request('next', '/m/next'));

  it('prints manifests, and writes nothing', async () => {
    const { store, ports } = world(yarn());
    expect(await typed('import', ports)).toBe(0);
    expect(ports.out.text.match(/^kind: /gm)).toHaveLength(2);
    expect(store.writes).toEqual([]);
  });

  it('prints JSON of the documented shape', async () => {
    const { ports } = world(yarn());
    await typed('import -o json', ports);
    const list = JSON.parse(ports.out.text);
    expect(list).toMatchObject({ kind: 'ImportList', apiVersion: 'cli.maas.dev/v1' });
    expect(Object.keys(list.items[0])).toEqual(importFields.map(([field]) => field));
  });

  it('creates what is complete and not here yet', async () => {
    const { store, ports } = world(yarn().register({ model: 'lost', id: '9' }));
    store.put({
      metadata: { name: 'mine', namespace: 'fraud' },
      spec: { name: 'next', version: '1.0', instances: 1, memory: '1Gi', payload: { path: 'p' } },
    });
    expect(await typed('import --apply', ports)).toBe(1);
    expect(store.writes).toEqual(['create dga-1.0']);
    expect(ports.out.text).toBe('modeldeployment.maas.dev/dga-1.0 created with 1 instance\n');
    expect(ports.err.text).toContain('note: next 1.0 is here already, as modeldeployment.maas.dev/mine\n');
    expect(ports.err.text).toContain('note: lost-1.0 was not created: memory and payload.path are not known\n');
    expect(ports.err.text).toContain('error[IMPORT_INCOMPLETE]: 1 of 2 models could not be created');
  });

  it('takes a guess of the payload only where one is', async () => {
    const tree = new ZnodeTree().register();
    const options = 'import --apply --memory 1Gi --payload-path';
    const wrong = world(tree);
    expect(await typed(`${options} /wrong/{name}`, wrong.ports)).toBe(1);
    const right = world(tree);
    expect(await typed(`${options} /m/{name}`, right.ports)).toBe(0);
    expect(right.store.peek('dga-1.0')?.['spec']).toMatchObject({ memory: '1Gi', payload: { path: '/m/dga' } });
  });

  it('leaves requests to the operator where it takes them, so that nothing runs twice', async () => {
    const consuming = { ...publishedSettings, legacy: { queue: { enabled: true, namespace: 'fraud' } } };
    const { store, ports } = world(yarn(), {}, consuming);
    expect(await typed('import --apply', ports)).toBe(0);
    expect(store.writes).toEqual(['create dga-1.0']);
    expect(ports.err.text).toContain('note: next-1.0 was not created: the operator takes the request for it');
  });

  it('creates nothing in a namespace that no operator serves, and says so beside the manifests', async () => {
    const elsewhere = { ...publishedSettings, namespaces: ['lab'] };
    const { store, ports } = world(yarn(), {}, elsewhere);
    expect(await typed('import --apply', ports)).toBe(3);
    expect(store.writes).toEqual([]);
    expect(ports.err.text).toContain('error[NAMESPACE_NOT_SERVED]: the operator in namespace');
    const printing = world(yarn(), {}, elsewhere);
    expect(await typed('import', printing.ports)).toBe(0);
    expect(printing.ports.err.text).toContain('does not serve namespace fraud; it serves lab');
    expect(printing.ports.out.text).toContain('kind: ModelDeployment');
  });

  it('says that a name is taken, and goes on', async () => {
    const { store, ports } = world(yarn());
    store.put({
      metadata: { name: 'dga-1.0', namespace: 'fraud' },
      spec: { name: 'other', version: '1', instances: 1, memory: '1Gi', payload: { path: 'p' } },
    });
    expect(await typed('import --apply', ports)).toBe(1);
    expect(store.writes).toEqual(['create next-1.0']);
    expect(ports.err.text).toContain('note: dga-1.0 was not created: dga-1.0 already exists');
  });

  it('changes nothing in a dry run, and says when there is nothing to do', async () => {
    const dry = world(yarn());
    expect(await typed('import --apply --dry-run', dry.ports)).toBe(0);
    expect(dry.store.writes).toEqual([]);
    expect(dry.ports.out.text).toContain('(server dry run)');
    const empty = world(new ZnodeTree());
    expect(await typed('import', empty.ports)).toBe(0);
    expect(empty.ports.err.text).toBe('note: there is nothing to import\n');
  });

  it('prints what it can although HDFS is not known', async () => {
    const { ports } = world(yarn(), {}, null);
    expect(await typed('import --zookeeper zk:1', ports)).toBe(0);
    expect(ports.out.text).toContain('# The payload could not be seen: no published settings say where HDFS is\n');
  });
});
