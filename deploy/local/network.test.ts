import { describe, expect, test } from 'vitest';
import { freeSubnet, hostAddress, routesIn } from './network.ts';

describe('the subnet', () => {
  test('is the first candidate where nothing is in the way', () => {
    expect(freeSubnet(['192.168.1.0/24', '172.17.0.0/16', 'fd00::/64'])).toBe('10.201.0.0/24');
  });

  test('keeps off ranges that hold it, lie in it, or are it', () => {
    const holds = freeSubnet(['10.201.0.0/16']);
    expect(holds).toBe('10.202.0.0/24');
    expect(freeSubnet(['10.201.0.7/32'])).toBe('10.201.16.0/24');
    expect(freeSubnet(['10.201.0.0/24', '10.201.16.0/20'])).toBe('10.201.32.0/24');
  });

  test('is refused where everything is in use', () => {
    expect(() => freeSubnet(['10.0.0.0/8'])).toThrow('no free subnet');
  });
});

test('an address in a subnet', () => {
  expect(hostAddress('10.201.16.0/24', 128)).toBe('10.201.16.128');
});

test('routes as the kernel lists them', () => {
  const table = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
br-maas\t0000C90A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
`;
  expect(routesIn(table)).toEqual(['10.201.0.0/24', '192.168.0.0/16']);
});
