import { expect, test } from 'vitest';
import { firstPods } from './family-cluster.ts';
import { kindConfig } from './kind-config.ts';
import { podNetwork } from './pod-network.ts';

test('pods of a node get an address of each family of their cluster, and a way out for each', () => {
  expect(podNetwork(firstPods('ipv6'))).toMatchObject({
    plugins: [{ ipam: { ranges: [[{ subnet: 'fd00:10:244::/64' }]], routes: [{ dst: '::/0' }] } }, { type: 'portmap' }],
  });
  expect(podNetwork(firstPods('dual'))).toMatchObject({
    plugins: [
      {
        ipam: {
          ranges: [[{ subnet: '10.244.0.0/24' }], [{ subnet: 'fd00:10:244::/64' }]],
          routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
        },
      },
      { type: 'portmap' },
    ],
  });
});

test('a cluster of kind says its families and mounts what its node needs', () => {
  const text = kindConfig({
    name: 'maas-ipv6',
    patches: '/cache/patches',
    networking: { ipFamily: 'ipv6', podSubnet: 'fd00:10:244::/56' },
    files: { '/etc/cni/net.d/10-pods.conflist': '/cache/10-pods.conflist' },
  });
  expect(text).toContain('networking:\n  ipFamily: "ipv6"\n  podSubnet: "fd00:10:244::/56"\nnodes:\n');
  expect(text).toContain(`  - hostPath: "/cache/10-pods.conflist"
    containerPath: /etc/cni/net.d/10-pods.conflist
    readOnly: true
kubeadmConfigPatches:
`);
});
