import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../test/builders/cli-ports.ts';
import { keyOf, ModelStore } from '../../test/builders/model-store.ts';
import { MaasError } from '../contracts/errors.ts';
import type { ListCommand, VersionCommand } from './command.ts';
import { complete } from './complete.ts';
import { run } from './run.ts';

const listAll: ListCommand = {
  kind: 'list',
  cluster: {},
  output: 'name',
  namespace: undefined,
  allNamespaces: false,
  model: undefined,
  version: undefined,
  operatorNamespace: 'maas-system',
};

function someModels(): ModelStore {
  const store = new ModelStore();
  const model = (name: string, version: string, namespace: string, status = {}) =>
    store.put({
      metadata: { name: `${name}-${version}`, namespace },
      spec: { name, version, instances: 1, memory: '1Gi', payload: { path: 'p' } },
      status,
    });
  model('echo', '1.0', 'fraud');
  model('dga', '2.0', 'fraud', { serving: '1.5' });
  model('dga', '1.0', 'fraud');
  model('dga', '1.0', 'lab');
  return store;
}

async function listed(command: ListCommand, store = someModels()) {
  const ports = cliPorts({ cluster: store.cluster() });
  const code = await run(command, ports);
  return { code, out: ports.out.text.replaceAll('modeldeployment.maas.dev/', ''), err: ports.err.text };
}

describe('list', () => {
  it('shows one namespace in the order of names', async () => {
    expect(await listed(listAll)).toEqual({ code: 0, out: 'dga-1.0\ndga-2.0\necho-1.0\n', err: '' });
    expect((await listed({ ...listAll, namespace: 'lab' })).out).toBe('dga-1.0\n');
  });

  it('shows all namespaces', async () => {
    const { out } = await listed({ ...listAll, allNamespaces: true, output: undefined });
    expect(out.split('\n').map((line) => line.split(/ +/).slice(0, 3).join(' '))).toEqual([
      'NAMESPACE MODEL VERSION',
      'fraud dga 1.0',
      'fraud dga 2.0',
      'fraud echo 1.0',
      'lab dga 1.0',
      '',
    ]);
  });

  it('is narrowed by name and version, the version that is still served included', async () => {
    expect((await listed({ ...listAll, model: 'dga' })).out).toBe('dga-1.0\ndga-2.0\n');
    expect((await listed({ ...listAll, version: '1.0' })).out).toBe('dga-1.0\necho-1.0\n');
    expect((await listed({ ...listAll, model: 'dga', version: '1.5' })).out).toBe('dga-2.0\n');
  });

  it('says so when there is nothing, where a person reads it', async () => {
    const nothing = { ...listAll, model: 'none' };
    expect(await listed({ ...nothing, output: 'table' })).toEqual({
      code: 0,
      out: '',
      err: 'No models found in namespace fraud.\n',
    });
    expect((await listed({ ...nothing, output: 'table', allNamespaces: true })).err).toBe('No models found.\n');
    expect(JSON.parse((await listed({ ...nothing, output: 'json' })).out)).toMatchObject({ items: [] });
  });

  it('fails as JSON when JSON is asked for', async () => {
    const cluster = someModels().cluster({
      before: async () => {
        throw new MaasError('CLUSTER_FORBIDDEN', 'you may not', { next: 'Ask.' });
      },
    });
    const ports = cliPorts({ cluster, terminal: true });
    expect(await run({ ...listAll, output: 'json' }, ports)).toBe(4);
    expect(JSON.parse(ports.err.text)).toEqual({
      error: { code: 'CLUSTER_FORBIDDEN', message: 'you may not', next: 'Ask.' },
    });
  });

  it('fails in colours on a terminal', async () => {
    const cluster = someModels().cluster({
      before: async () => {
        throw new Error('odd\u001b');
      },
    });
    const ports = cliPorts({ cluster, terminal: true });
    expect(await run(listAll, ports)).toBe(1);
    expect(ports.err.text).toBe(
      '\u001b[31merror[INTERNAL]\u001b[0m: odd\\u001b\n\u001b[1mnext\u001b[0m: Report it with the log around it.\n',
    );
  });
});

describe('version', () => {
  const command: VersionCommand = {
    kind: 'version',
    cluster: {},
    output: undefined,
    clientOnly: false,
    operatorNamespace: 'maas',
  };

  it('tells those that are known', async () => {
    const store = new ModelStore();
    store.configMaps.set(keyOf('maas', 'maas-operator-settings'), {
      'settings.json': JSON.stringify({
        hdfs: { nameservices: { a: { webhdfs: ['http://nn:9870'] } } },
        agent: { image: 'maas-operator:1.2.0' },
      }),
    });
    const ports = cliPorts({ cluster: store.cluster() });
    expect(await run(command, ports)).toBe(0);
    expect(ports.out.text).toBe('client:     1.2.3\noperator:   maas-operator:1.2.0\nkubernetes: v1.37.2\n');
  });

  it('tells its own without asking, and when nobody answers', async () => {
    const cluster = new ModelStore().cluster({
      before: async () => {
        throw new MaasError('CLUSTER_UNREACHABLE', 'refused');
      },
    });
    const alone = cliPorts({ cluster });
    expect(await run({ ...command, clientOnly: true, output: 'json' }, alone)).toBe(0);
    expect(JSON.parse(alone.out.text)).toEqual({ client: '1.2.3', operator: null, kubernetes: null });
    expect(alone.err.text).toBe('');
    const asking = cliPorts({ cluster });
    expect(await run(command, asking)).toBe(0);
    expect(asking.out.text).toBe('client:     1.2.3\n');
    expect(asking.err.text).toContain("note: the cluster's version is not known: refused\n");
  });
});

describe('complete', () => {
  const completed = (...words: string[]) => complete(words, cliPorts({ cluster: someModels().cluster() }));

  it('knows the commands', async () => {
    expect(await completed('l')).toBe('list\tLists the models and what clients see of them.\n:4\n');
  });

  it('knows the flags that are not given yet', async () => {
    expect(await completed('remove', '--name', 'x', '--n')).toBe(
      "--namespace\tNamespace. (default: the context's)\n:4\n",
    );
    expect(await completed('add', '--env', 'A=1', '--en')).toContain('--env\t');
  });

  it('knows values: formats, models, their versions, files', async () => {
    expect(await completed('list', '-o', 'w')).toBe('wide\n:4\n');
    expect(await completed('list', '--name', '')).toBe('dga\necho\n:4\n');
    expect(await completed('remove', '--name', 'dga', '--version', '')).toBe('1.0\n2.0\n:4\n');
    expect(await completed('remove', '--name=echo', '--version', '')).toBe('1.0\n:4\n');
    expect(await completed('add', '--local-model-path', '')).toBe(':0\n');
    expect(await completed('add', '--memory', '')).toBe(':4\n');
  });

  it('is silent when the cluster does not answer', async () => {
    const cluster = someModels().cluster({
      before: async () => {
        throw new MaasError('CLUSTER_UNREACHABLE', 'refused');
      },
    });
    expect(await complete(['list', '--name', ''], cliPorts({ cluster }))).toBe(':4\n');
  });
});
