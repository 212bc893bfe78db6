import { describe, expect, it } from 'vitest';
import { typed } from '../../../test/builders/command-line.ts';
import { publishedSettings, wellNow, wellTree } from '../../../test/builders/well-facts.ts';
import { garbage, wellHdfs, wellInspector, wellWorld } from '../../../test/builders/well-world.ts';
import { MaasError } from '../../contracts/errors.ts';
import { doctorFields } from '../doctor/report.ts';

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
    const { ports } = wellWorld(tree);
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
    const { ports, quorums } = wellWorld(well());
    await typed('doctor', ports);
    expect(quorums).toEqual(['zk:2181']);
    expect(ports.out.text).toBe(
      'Nothing is wrong.\nChecked: ZooKeeper at zk:2181; configuration node /metron/maas/config; ' +
        '1 registration below /maas/service; request queue /maas/queue; 1 endpoint by connecting; 0 models; CRD; operator; ' +
        "the operator's permissions; your permissions; HDFS lake.\n",
    );
  });

  it('prints a finding with its evidence and its cure', async () => {
    const { ports } = wellWorld(well().put('/maas/service/spam/\u001b1', ''));
    await typed('doctor', ports);
    expect(ports.out.text).toContain(
      'error[RegistrationUnreadable]: /maas/service/spam/\\u001b1\n  it has no data\n' +
        '  cure: Remove the node, or let whoever made it write it again.\n1 error.\n',
    );
    const named = wellWorld(garbage());
    await typed('doctor --no-connect -o name', named.ports);
    expect(named.ports.out.text).toBe('RegistrationUnreadable /maas/service/spam/1\n');
  });

  it('prints JSON of the documented shape', async () => {
    const { ports } = wellWorld(garbage());
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
    const { ports } = wellWorld(tree, {}, { ...publishedSettings, legacy: { queue } });
    await typed('doctor -o name', ports);
    expect(ports.out.text).toBe('QueueNotDrained /maas/yarn-queue\n');
  });

  it('names what is left of a model that is gone, and not what belongs to one that was made just now', async () => {
    const pin = (name: string, owner: string) => ({ namespace: 'fraud', name, owner, paths: [] });
    const { ports, store } = wellWorld(well(), {
      inspect: () => ({
        ...wellInspector,
        pins: async () => {
          const spec = { name: 'dga', version: '1.0', memory: '64Mi', payload: { path: '/m/dga' } };
          store.put({ metadata: { name: 'new', uid: 'new' }, spec });
          return [pin('old-1', 'old'), pin('new-1', 'new')];
        },
      }),
    });
    await typed('doctor', ports);
    expect(ports.out.text).toContain(
      'warning[ModelOrphaned]: namespace fraud\n  1 pinned payload of the ModelDeployment with the UID old, which is gone: old-1\n' +
        '  cure: Delete it with `kubectl delete deploy,pdb,cm -n fraud -l maas.dev/owner-uid=old`, unless it is to go on serving.\n',
    );
    expect(ports.out.text).not.toContain('new-1');
  });

  it('connects to nothing when it is told so', async () => {
    const { ports } = wellWorld(well(), {
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
    const { ports } = wellWorld(tree, {
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
    const { ports, quorums } = wellWorld(garbage(), {}, null);
    expect(await typed('doctor --zookeeper other:2181/x -o name', ports)).toBe(1);
    expect(quorums).toEqual(['other:2181/x']);
    expect(ports.out.text).toContain('RegistrationUnreadable');
    expect(ports.out.text).toContain('SettingsMissing');
  });
});
