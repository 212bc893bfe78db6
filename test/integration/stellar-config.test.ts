/** The forms of the configuration node: what we make of each is what the clients in the field make of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasCode } from '../../src/contracts/errors.ts';
import { parseServiceConfig, type ServiceConfig } from '../../src/wire/service-config.ts';
import { encodeRegistration } from '../../src/wire/service-instance.ts';
import { aRegistration } from '../builders/registration.ts';
import { Chroot } from './chroot.ts';
import { newClients } from './java.ts';

const readable: readonly (string | undefined)[] = [
  undefined,
  '{}',
  '{ }\n',
  '{"queue":"ZOOKEEPER","queueConfig":{"zk_path":"/maas/queue"},"serviceRoot":"/maas/service"}',
  '{"serviceRoot":"/maas/service"}',
  '{"serviceRoot":"/tenants/a b/models"}',
  '{"queueConfig":{"zk_path":"/elsewhere","more":{"of":"it"}}}',
  '{"queueConfig":{}}',
  '{"queueConfig":null}',
  '{"queue":null}',
  '{} and more',
  '\ufeff{}',
  '{"queue":"ZOOKEEPER","queueConfig":{"zk_path":"/tenant/queue"},"serviceRoot":"/tenant/service"}',
];

const refused: readonly string[] = [
  '',
  ' ',
  'null',
  '[]',
  '"/maas/service"',
  '10.0.0.1',
  '{"serviceRoot":"/maas/service"',
  '{"serviceRoot":"/maas/service","zookeeper":"here"}',
  '{"queue":"KAFKA"}',
  '{"queue":"zookeeper"}',
  '{"queueConfig":"/maas/queue"}',
  '{"queueConfig":[]}',
  '{"serviceRoot":null}',
  '{"serviceRoot":{}}',
  '{"serviceRoot":""}',
  '{"serviceRoot":"maas/service"}',
  '{"serviceRoot":"/maas/service/"}',
  '{"serviceRoot":"/maas//service"}',
  '{"serviceRoot":"/maas/../service"}',
];

let chroot: Chroot;
beforeAll(async () => {
  chroot = await Chroot.make();
});
afterAll(async () => {
  await chroot[Symbol.asyncDispose]();
});

function parsed(text: string | undefined): ServiceConfig {
  return parseServiceConfig(text === undefined ? undefined : new TextEncoder().encode(text));
}

/** A child of the chroot for each form, with the form as its configuration node. */
async function configured(name: string, forms: readonly (string | undefined)[]): Promise<string[]> {
  const connects: string[] = [];
  for (const [index, form] of forms.entries()) {
    const path = `${chroot.path}/${name}-${index}`;
    await chroot.nodes.create(path);
    if (form !== undefined) await chroot.nodes.create(`${path}/metron/maas/config`, form);
    connects.push(chroot.connect(`${name}-${index}`));
  }
  return connects;
}

test('clients find the registrations below the root that we read', async () => {
  const connects = await configured('readable', readable);
  const registration = aRegistration();
  for (const [index, form] of readable.entries()) {
    const root = `${chroot.path}/readable-${index}${parsed(form).serviceRoot}`;
    await chroot.nodes.create(`${root}/dga/${registration.id}`, encodeRegistration(registration));
  }
  const clients = await newClients(...connects);
  for (const [index, form] of readable.entries()) {
    expect({ form, ...clients[index] }).toMatchObject({ form, event: 'list', endpoints: [{ id: registration.id }] });
  }
});

test('clients are broken by every form that we refuse', async () => {
  const clients = await newClients(...(await configured('refused', refused)));
  for (const [index, form] of refused.entries()) {
    expect({ form, ...clients[index] }).toMatchObject({ form, event: 'broken', error: expect.any(String) });
  }
});

test.each(refused)('%j is refused', (form) => {
  expect(() => parsed(form)).toThrow(expect.toSatisfy((error) => hasCode(error, 'SERVICE_CONFIG_INVALID')));
});
