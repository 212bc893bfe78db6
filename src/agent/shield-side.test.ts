import { describe, expect, it } from 'vitest';
import { agentInstructions, hostNetworkPorts, hostNetworkShieldPorts } from '../contracts/pod-contract.ts';
import { parseEndpointFile } from '../wire/endpoint-file.ts';
import { lookBehindShield } from './shield-side.ts';

const instructions = agentInstructions.parse({
  ...{ model: 'dga', version: '1.0', clusterId: 'c1', zookeeper: { quorum: 'unused:1' } },
  ...{ hdfs: { nameservices: { local: { webhdfs: ['http://unused:1'] } } }, advertise: 'PodIP', hostNetwork: false },
  ...{ startupTimeoutMs: 60_000, unregisterTimeoutMs: 500 },
});
const pod = { name: 'dga-1', uid: 'u', namespace: 'fraud', ip: '10.0.0.7', nodeIp: '10.0.0.1', nodeName: 'node7' };

describe('behind a shield', () => {
  it.each([
    ['http://127.0.0.1:9000/base', undefined],
    ['https://127.0.0.1:9000', 'endpoint.dat has an https url, and the shield before it speaks http'],
    ['http://0.0.0.0:8098', "endpoint.dat names port 8098, which is the shield's own"],
  ])('an endpoint of %s cannot be used because of: %s', (url, problem) => {
    const { refused } = lookBehindShield({ instructions, pod });
    expect(refused?.(parseEndpointFile(JSON.stringify({ url })))?.message).toBe(problem);
  });

  it('a port on the network of a node is one that no agent has, and no node port of a service', () => {
    const ports = hostNetworkShieldPorts('1f0e2d3c');
    expect(ports.filter((port) => hostNetworkPorts('1f0e2d3c').includes(port))).toEqual([]);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...ports)).toBeLessThan(20_000);
  });
});
