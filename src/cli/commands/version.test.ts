import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { keyOf, ModelStore } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';

describe('version', () => {
  it('tells those that are known', async () => {
    const store = new ModelStore();
    store.configMaps.set(keyOf('maas', 'maas-operator-settings'), {
      'settings.json': JSON.stringify({
        hdfs: { nameservices: { a: { webhdfs: ['http://nn:9870'] } } },
        agent: { image: 'maas-operator:1.2.0' },
      }),
    });
    const ports = cliPorts({ cluster: store.cluster() });
    expect(await typed('version --operator-namespace maas', ports)).toBe(0);
    expect(ports.out.text).toBe('client:     1.2.3\noperator:   maas-operator:1.2.0\nkubernetes: v1.37.2\n');
  });

  it('tells its own without asking, and when nobody answers', async () => {
    const cluster = new ModelStore().cluster({
      before: async () => {
        throw new MaasError('CLUSTER_UNREACHABLE', 'refused');
      },
    });
    const alone = cliPorts({ cluster });
    expect(await typed('version --client -o json', alone)).toBe(0);
    expect(JSON.parse(alone.out.text)).toEqual({ client: '1.2.3', operator: null, kubernetes: null });
    expect(alone.err.text).toBe('');
    const asking = cliPorts({ cluster });
    expect(await typed('version', asking)).toBe(0);
    expect(asking.out.text).toBe('client:     1.2.3\n');
    expect(asking.err.text).toContain("note: the cluster's version is not known: refused\n");
  });
});
