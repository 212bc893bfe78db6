import { describe, expect, it } from 'vitest';
import type { Pod } from '../assignment.ts';
import { canonicalAddress, type Reachable } from './listening-sockets.ts';
import { bindAdvice, toldAddress } from './told-address.ts';

const v4: Pod = {
  name: 'dga-1',
  uid: 'u',
  namespace: 'fraud',
  ip: '10.0.0.7',
  nodeIp: '192.168.0.1',
  nodeName: 'node7',
};
const v6: Pod = { ...v4, ip: 'fd00::7', nodeIp: 'fd01::1' };
const model = { name: 'dga', version: '1.0' };
const only = (address: string): Reachable => new Set([canonicalAddress(address) ?? '']);

describe('toldAddress', () => {
  it.each<[string, Pod, string, Reachable, string]>([
    ['PodIP', v4, '10.0.0.7', only('10.0.0.7'), '0.0.0.0'],
    ['PodIP', v6, '[fd00::7]', only('fd00::7'), '::'],
    ['Node', v4, '192.168.0.1', only('192.168.0.1'), '0.0.0.0'],
    ['Node', v6, '[fd01::1]', only('fd01::1'), '::'],
    ['http://{podIP}:{port}', v6, '[fd00::7]', only('fd00::7'), '::'],
    ['http://{nodeIP}:{port}', v4, '192.168.0.1', 'IPv4', '0.0.0.0'],
    ['http://{nodeIP}:{port}', v6, '[fd01::1]', 'IPv6', '::'],
    ['http://{podIP}.pods.example:{port}', v4, '10.0.0.7.pods.example', 'any', '0.0.0.0 or ::'],
    ['https://gw.example/{model}/{pod}', v6, 'gw.example', 'any', '0.0.0.0 or ::'],
    // A proxy may change the family.
    ['https://[2001:db8::1]/{model}/{pod}', v4, '[2001:db8::1]', 'any', '0.0.0.0 or ::'],
    ['https://203.0.113.5/{model}/{pod}', v6, '203.0.113.5', 'any', '0.0.0.0 or ::'],
    ['https://{nothing}/', v6, 'https://{nothing}/', 'any', '0.0.0.0 or ::'],
  ])('%s of a pod', (advertise, pod, host, reachable, advice) => {
    const told = toldAddress(advertise, pod, model);
    expect(told).toEqual({ host, reachable });
    expect(bindAdvice(told)).toBe(advice);
  });
});
