import { describe, expect, it } from 'vitest';
import type { EndpointFile } from '../../wire/endpoint-file.ts';
import type { Pod } from '../assignment.ts';
import { advertisedEndpoint } from './advertised-endpoint.ts';

const pod: Pod = {
  name: 'dga-1',
  uid: 'u',
  namespace: 'fraud',
  ip: '10.0.0.7',
  nodeIp: '192.168.0.1',
  nodeName: 'node7',
};
const model = { name: 'dga detector', version: '1.0' };
const endpoint: EndpointFile = { scheme: 'http', port: 1500, path: '', functions: {}, otherHost: undefined };

describe('advertisedEndpoint', () => {
  it.each<[string, Partial<EndpointFile>, Partial<Pod>, string]>([
    ['PodIP', {}, {}, 'http://10.0.0.7:1500'],
    ['PodIP', { scheme: 'https', port: undefined, path: '/m/' }, {}, 'https://10.0.0.7/m/'],
    ['PodIP', {}, { ip: 'fd00::7' }, 'http://[fd00::7]:1500'],
    ['PodIP', { otherHost: 'attacker.example' }, {}, 'http://10.0.0.7:1500'],
    ['Node', {}, {}, 'http://192.168.0.1:1500'],
    ['http://{podIP}.pods.example:{port}', {}, {}, 'http://10.0.0.7.pods.example:1500'],
    ['http://{podIP}:{port}', {}, { ip: 'fd00::7' }, 'http://[fd00::7]:1500'],
    ['http://[{podIP}]:{port}', {}, { ip: 'fd00::7' }, 'http://[fd00::7]:1500'],
    ['http://[{podIP}]:{port}', {}, {}, 'http://10.0.0.7:1500'],
    ['https://gw/{namespace}/{pod}', { path: '/m' }, {}, 'https://gw/fraud/dga-1/m'],
    ['https://gw/{model}/{version}/', { path: '/m' }, {}, 'https://gw/dga%20detector/1.0/m'],
    ['http://{node}:{port}/{nodeIP}', { port: undefined }, {}, 'http://node7:80/192.168.0.1'],
  ])('%s %j %j', (advertise, file, who, url) => {
    expect(advertisedEndpoint(advertise, { ...endpoint, ...file }, { ...pod, ...who }, model)).toBe(url);
  });

  it.each([
    ['http://{podIP}.pods.example:{port}', 'http://[fd00::7].pods.example:1500'],
    ['{podIP}:{port}', '[fd00::7]:1500'],
    ['http://{pod} {port}', 'http://dga-1 1500'],
  ])('refuses %s where it makes no URL', (advertise, made) => {
    expect(() => advertisedEndpoint(advertise, endpoint, { ...pod, ip: 'fd00::7' }, model)).toThrow(
      expect.objectContaining({ code: 'SETTINGS_INVALID', message: expect.stringContaining(made) }),
    );
  });

  it('names a placeholder that does not exist', () => {
    expect(() => advertisedEndpoint('http://{host}', endpoint, pod, model)).toThrow(
      expect.objectContaining({ code: 'SETTINGS_INVALID', message: expect.stringContaining('{host}') }),
    );
    expect(() => advertisedEndpoint('http://{constructor}', endpoint, pod, model)).toThrow();
  });
});
