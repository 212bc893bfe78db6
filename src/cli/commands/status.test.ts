import { describe, expect, it } from 'vitest';
import { typed } from '../../../test/builders/command-line.ts';
import { publishedSettings, wellTree } from '../../../test/builders/well-facts.ts';
import { garbage, wellWorld } from '../../../test/builders/well-world.ts';
import { ZnodeTree } from '../../../test/builders/znode-tree.ts';
import { MaasError } from '../../contracts/errors.ts';

describe('status', () => {
  it('tells a person what the table does not show', async () => {
    const { ports } = wellWorld(garbage().put('/metron/maas/config', '').request(1, 'null'));
    expect(await typed('status', ports)).toBe(0);
    expect(ports.err.text).toBe(
      'note: The configuration node /metron/maas/config exists but is empty\n' +
        'note: clients cannot read 1 registration, which hides all models from them: see `kubectl maas doctor`\n' +
        'note: the queue of the old deploy client holds 1 request\n',
    );
    expect(ports.out.text).toContain('Foreign');
  });

  it('says so when there is nothing, and prints the documented shape for scripts', async () => {
    const people = wellWorld(new ZnodeTree());
    expect(await typed('status', people.ports)).toBe(0);
    expect([people.ports.out.text, people.ports.err.text]).toEqual(['', 'No models found.\n']);
    const script = wellWorld(garbage());
    await typed('status -o json', script.ports);
    expect(script.ports.err.text).toBe('');
    expect(JSON.parse(script.ports.out.text)).toMatchObject({ kind: 'StatusReport', items: [{ model: 'dga' }] });
  });

  it('shows the resources of its own namespace to who may look at no other', async () => {
    const { store, ports } = wellWorld(wellTree());
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
    const { ports } = wellWorld(tree);
    expect(await typed('status', ports)).toBe(4);
    expect(tree.closed).toBe(1);
  });

  it('says how to name a ZooKeeper where none is published', async () => {
    const { zookeeper: _, ...without } = publishedSettings;
    const { ports } = wellWorld(wellTree(), {}, without);
    expect(await typed('status', ports)).toBe(1);
    expect(ports.err.text).toContain('--zookeeper');
    const nothing = wellWorld(wellTree(), {}, null);
    expect(await typed('status', nothing.ports)).toBe(3);
  });
});
