import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EphemeralRegistry } from '../../../test/builders/ephemeral-registry.ts';
import { aRegistration } from '../../../test/builders/registration.ts';
import { silentLog } from '../../kernel/log.ts';
import { encodeRegistration } from '../../wire/service-instance.ts';
import { mirroredUrl } from './mirror.ts';
import { MirrorTargets } from './mirror-targets.ts';

const configPath = '/metron/maas/config';
let registry: EphemeralRegistry;
let targets: MirrorTargets;

beforeEach(() => {
  registry = new EphemeralRegistry();
  targets = new MirrorTargets(registry.open(undefined), { configPath, model: 'dga', version: '2.0' }, silentLog);
});
afterEach(() => targets.close());

const put = (id: string, version: string, root = '/maas/service', url = `http://${id}.example:8098`) =>
  registry.put(`${root}/dga/${id}`, encodeRegistration(aRegistration({ model: 'dga', id, version, url })));
const are = (...urls: string[]) => vi.waitFor(() => expect(targets.all.map(({ url }) => url).sort()).toEqual(urls));

describe('the instances to mirror to', () => {
  it('are those of the version, as they come and go', async () => {
    await are();
    put('a', '2.0');
    put('b', '1.0');
    put('c', '2.0');
    await are('http://a.example:8098', 'http://c.example:8098');
    registry.drop('/maas/service/dga/a');
    put('c', '2.0', '/maas/service', 'http://moved.example:1');
    await are('http://moved.example:1');
    registry.put('/maas/service/dga/c', 'garbage');
    await are();
  });

  it('are where clients look, also after that has changed', async () => {
    put('a', '2.0');
    put('b', '2.0', '/elsewhere');
    await are('http://a.example:8098');
    registry.put(configPath, '{"serviceRoot":"/elsewhere"}');
    await are('http://b.example:8098');
    registry.put(configPath, 'garbage');
    await new Promise((resolve) => setImmediate(resolve));
    await are('http://b.example:8098');
  });
});

it.each([
  ['/apply?a=1', {}, {}, 'http://b:1/apply?a=1'],
  ['/v1/apply?a=1?b', { apply: 'v1/apply' }, { apply: '/v2/score' }, 'http://b:1/v2/score?a=1?b'],
  ['/other', { apply: 'apply', other: 'other' }, { apply: 'apply' }, undefined],
  ['/unknown', {}, {}, undefined],
])('%s of %j is called at %j as %s', (path, functions, theirs, url) => {
  const apply = { apply: 'apply' };
  const target = { url: 'http://b:1/', functions: { ...apply, ...theirs } };
  expect(mirroredUrl(path, { path: '', functions: { ...apply, ...functions } }, target)).toBe(url);
  const based = mirroredUrl(`/base${path}`, { path: '/base/', functions: { ...apply, ...functions } }, target);
  expect(based).toBe(url);
});
