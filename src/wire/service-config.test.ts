import { expect, test } from 'vitest';
import { hasCode } from '../contracts/errors.ts';
import { defaultServiceConfig, parseServiceConfig } from './service-config.ts';

const parse = (text: string) => parseServiceConfig(new TextEncoder().encode(text), '/metron/maas/config');

test('an absent node means the defaults', () => {
  expect(parseServiceConfig(undefined)).toEqual({ serviceRoot: '/maas/service', queuePath: '/maas/queue' });
});

test.each([
  ['{}', defaultServiceConfig],
  ['\ufeff{ } trailing', defaultServiceConfig],
  ['{"queue":"ZOOKEEPER","queueConfig":{"zk_path":"/q"},"serviceRoot":"/s"}', { serviceRoot: '/s', queuePath: '/q' }],
  ['{"serviceRoot":"/tenants/a b/service"}', { serviceRoot: '/tenants/a b/service', queuePath: '/maas/queue' }],
  ['{"queue":null,"queueConfig":{"zk_path":"/q","more":1}}', { serviceRoot: '/maas/service', queuePath: '/q' }],
  ['{"queueConfig":null}', { serviceRoot: '/maas/service', queuePath: undefined }],
  ['{"queueConfig":{}}', { serviceRoot: '/maas/service', queuePath: undefined }],
  ['{"queueConfig":{"zk_path":"queue/"}}', { serviceRoot: '/maas/service', queuePath: undefined }],
])('%s is read', (text, config) => {
  expect(parse(text)).toEqual(config);
});

test.each([
  ['', 'exists but is empty'],
  ['  ', 'is not JSON: it is empty (byte 2)'],
  ['null', 'is not a JSON object but null'],
  ['[]', 'is not a JSON object but an array'],
  ['"/maas/service"', 'is not a JSON object but a string'],
  ['{"queue":"ZOOKEEPER"', 'is not JSON: it ends too early (byte 20)'],
  ['{"serviceRoot":"/maas/service","zk_path":"/maas/queue"}', 'has a field that clients do not know: "zk_path"'],
  ['{"queue":"KAFKA"}', 'names a queue that does not exist: "KAFKA" (only "ZOOKEEPER" does)'],
  ['{"queue":"zookeeper"}', 'names a queue that does not exist: "zookeeper" (only "ZOOKEEPER" does)'],
  ['{"queueConfig":"/maas/queue"}', 'has a queueConfig that is not an object'],
  ['{"serviceRoot":null}', 'has no text as serviceRoot'],
  ['{"serviceRoot":{}}', 'has a serviceRoot that is not a text'],
  ['{"serviceRoot":"/maas/service/"}', 'has a serviceRoot that ends in a slash'],
  ['{"serviceRoot":"maas/service"}', 'has a serviceRoot that does not start with a slash'],
  ['{"serviceRoot":""}', 'has a serviceRoot that does not start with a slash'],
  ['{"serviceRoot":"/"}', "has the root of ZooKeeper's tree as serviceRoot"],
])('%s is refused', (text, reason) => {
  const refused = () => parse(text);
  expect(refused).toThrow(`The configuration node /metron/maas/config ${reason}`);
  expect(refused).toThrow(expect.toSatisfy((error) => hasCode(error, 'SERVICE_CONFIG_INVALID')));
});
