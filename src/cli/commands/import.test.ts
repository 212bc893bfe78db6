import { describe, expect, it } from 'vitest';
import { typed } from '../../../test/builders/command-line.ts';
import { publishedSettings, wellTree } from '../../../test/builders/well-facts.ts';
import { wellWorld } from '../../../test/builders/well-world.ts';
import { ZnodeTree } from '../../../test/builders/znode-tree.ts';
import { importFields } from '../import/imported.ts';

describe('import', () => {
  const request = (name: string, path: string | null) =>
    JSON.stringify({ name, version: '1.0', numInstances: 2, memory: 512, action: 'ADD', path });
  const yarn = () => wellTree().request(1, request('dga', '/m/dga')).request(2, request('next', '/m/next'));

  it('prints manifests, and writes nothing', async () => {
    const { store, ports } = wellWorld(yarn());
    expect(await typed('import', ports)).toBe(0);
    expect(ports.out.text.match(/^kind: /gm)).toHaveLength(2);
    expect(store.writes).toEqual([]);
  });

  it('names the versions that clients do not take although they are newer', async () => {
    const { ports } = wellWorld(
      wellTree().register({ id: 'a', version: '1.9' }).register({ id: 'b', version: '1.10' }),
    );
    await typed('import', ports);
    expect(ports.err.text.match(/^note: dga: .*$/gm)).toEqual([
      'note: dga: clients that name no version get "1.9", not "1.10": they compare versions as plain text and take the ' +
        'highest. Name it "v1.10", remove "1.9", or have clients ask for the version by its name.',
    ]);
  });

  it('prints JSON of the documented shape', async () => {
    const { ports } = wellWorld(yarn());
    await typed('import -o json', ports);
    const list = JSON.parse(ports.out.text);
    expect(list).toMatchObject({ kind: 'ImportList', apiVersion: 'cli.maas.dev/v1' });
    expect(Object.keys(list.items[0])).toEqual(importFields.map(([field]) => field));
  });

  it('creates what is complete and not here yet', async () => {
    const { store, ports } = wellWorld(yarn().register({ model: 'lost', id: '9' }));
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
    const wrong = wellWorld(tree);
    expect(await typed(`${options} /wrong/{name}`, wrong.ports)).toBe(1);
    const right = wellWorld(tree);
    expect(await typed(`${options} /m/{name}`, right.ports)).toBe(0);
    expect(right.store.peek('dga-1.0')?.['spec']).toMatchObject({ memory: '1Gi', payload: { path: '/m/dga' } });
  });

  it('leaves requests to the operator where it takes them, so that nothing runs twice', async () => {
    const consuming = { ...publishedSettings, legacy: { queue: { enabled: true, namespace: 'fraud' } } };
    const { store, ports } = wellWorld(yarn(), {}, consuming);
    expect(await typed('import --apply', ports)).toBe(0);
    expect(store.writes).toEqual(['create dga-1.0']);
    expect(ports.err.text).toContain('note: next-1.0 was not created: the operator takes the request for it');
  });

  it('creates nothing in a namespace that no operator serves, and says so beside the manifests', async () => {
    const elsewhere = { ...publishedSettings, namespaces: ['lab'] };
    const { store, ports } = wellWorld(yarn(), {}, elsewhere);
    expect(await typed('import --apply', ports)).toBe(3);
    expect(store.writes).toEqual([]);
    expect(ports.err.text).toContain('error[NAMESPACE_NOT_SERVED]: the operator in namespace');
    const printing = wellWorld(yarn(), {}, elsewhere);
    expect(await typed('import', printing.ports)).toBe(0);
    expect(printing.ports.err.text).toContain('does not serve namespace fraud; it serves lab');
    expect(printing.ports.out.text).toContain('kind: ModelDeployment');
  });

  it('says that a name is taken, and goes on', async () => {
    const { store, ports } = wellWorld(yarn());
    store.put({
      metadata: { name: 'dga-1.0', namespace: 'fraud' },
      spec: { name: 'other', version: '1', instances: 1, memory: '1Gi', payload: { path: 'p' } },
    });
    expect(await typed('import --apply', ports)).toBe(1);
    expect(store.writes).toEqual(['create next-1.0']);
    expect(ports.err.text).toContain('note: dga-1.0 was not created: dga-1.0 already exists');
  });

  it('changes nothing in a dry run, and says when there is nothing to do', async () => {
    const dry = wellWorld(yarn());
    expect(await typed('import --apply --dry-run', dry.ports)).toBe(0);
    expect(dry.store.writes).toEqual([]);
    expect(dry.ports.out.text).toContain('(server dry run)');
    const empty = wellWorld(new ZnodeTree());
    expect(await typed('import', empty.ports)).toBe(0);
    expect(empty.ports.err.text).toBe('note: there is nothing to import\n');
  });

  it('prints what it can although HDFS is not known', async () => {
    const { ports } = wellWorld(yarn(), {}, null);
    expect(await typed('import --zookeeper zk:1', ports)).toBe(0);
    expect(ports.out.text).toContain('# The payload could not be seen: no published settings say where HDFS is\n');
  });
});
