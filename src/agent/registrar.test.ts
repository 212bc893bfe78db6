import { describe, expect, it, vi } from 'vitest';
import { EphemeralRegistry } from '../../test/builders/ephemeral-registry.ts';
import { MaasError } from '../contracts/errors.ts';
import { silentLog } from '../kernel/log.ts';
import type { Registration } from '../wire/service-instance.ts';
import { Registrar } from './registrar.ts';

const path = '/maas/service/dga/dga-abc';
const markerPath = '/maas/operator/c1/instances/dga-abc';
const registration: Registration = {
  model: 'dga',
  version: '1.0',
  id: 'dga-abc',
  url: 'http://10.0.0.7:1500',
  functions: { apply: 'apply' },
  registeredAt: 1_000,
};
const always = () => true;

async function connected(
  registry = new EphemeralRegistry(),
  earlier: string[] = [],
  keepSession = () => Promise.resolve(),
) {
  const told = { disturbed: 0, revoked: 0 };
  const session = registry.open(undefined);
  const registrar = new Registrar(session, {
    configPath: '/metron/maas/config',
    markersPath: '/maas/operator/c1/instances',
    model: 'dga',
    instance: 'dga-abc',
    marker: Buffer.from('{"pod":"fraud/dga-abc","model":"dga"}'),
    earlier: new Set(earlier),
    keepSession,
    disturbed: () => {
      told.disturbed += 1;
    },
    revoked: () => {
      told.revoked += 1;
    },
    log: silentLog,
  });
  return { registry, session, registrar, told };
}

describe('Registrar', () => {
  it('makes what is missing, once', async () => {
    const { registry, session, registrar } = await connected();
    expect(await registrar.register(registration, always)).toBe(true);
    expect(registry.ownerOf(path)).toBe(session.session()?.id);
    expect(registry.ownerOf(markerPath)).toBe(session.session()?.id);
    expect(registry.ownerOf('/maas/service/dga')).toBeUndefined();
    expect(await registrar.register({ ...registration, registeredAt: 2_000 }, always)).toBe(false);
  });

  it('registers where the configuration says, and moves with it', async () => {
    const { registry, registrar, told } = await connected();
    registry.put('/metron/maas/config', '{"serviceRoot":"/models"}');
    await registrar.register(registration, always);
    expect(registry.nodes.has('/models/dga/dga-abc')).toBe(true);
    registry.put('/metron/maas/config', '{}');
    await registrar.inspect();
    expect(told.disturbed).toBe(1);
    expect(await registrar.register(registration, always)).toBe(true);
    expect(registry.nodes.has('/models/dga/dga-abc')).toBe(false);
    expect(registry.nodes.has(path)).toBe(true);
  });

  it('does not register by a configuration that clients cannot read', async () => {
    const { registry, registrar } = await connected();
    registry.put('/metron/maas/config', '');
    await expect(registrar.register(registration, always)).rejects.toMatchObject({ code: 'SERVICE_CONFIG_INVALID' });
  });

  it('settles an attempt whose answer was lost', async () => {
    const { registry, session, registrar } = await connected();
    session.loseNextAnswer = true;
    await expect(registrar.register(registration, always)).rejects.toMatchObject({ code: 'ZOOKEEPER_TIMEOUT' });
    const before = registry.history.length;
    expect(await registrar.register(registration, always)).toBe(false);
    expect(registry.history.length).toBe(before);
  });

  it('makes nothing in a session that could not be kept', async () => {
    const failing = () => Promise.reject(new MaasError('AGENT_STATE_UNWRITABLE', 'the volume is full'));
    const { registry, registrar } = await connected(undefined, [], failing);
    await expect(registrar.register(registration, always)).rejects.toMatchObject({ code: 'AGENT_STATE_UNWRITABLE' });
    expect(registry.nodes.has(path)).toBe(false);
    expect(registry.nodes.has(markerPath)).toBe(false);
  });

  it('makes nothing in a session that began while another one was being kept', async () => {
    const registry = new EphemeralRegistry();
    const kept: (string | undefined)[] = [];
    let expireOnce = () => registry.session.expire();
    const { registrar, session } = await connected(registry, [], async () => {
      kept.push(registry.session.session()?.id);
      expireOnce();
      expireOnce = () => {};
    });
    let written: string | undefined;
    registry.written = (owner) => {
      written = owner;
    };
    await registrar.register(registration, always);
    expect(kept).toHaveLength(2);
    expect(written).toBe(kept[1]);
    expect(written).toBe(session.session()?.id);
  });

  it('writes nothing that is no longer wanted', async () => {
    const { registry, registrar } = await connected();
    await expect(registrar.register(registration, () => false)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(registry.nodes.has(path)).toBe(false);
  });

  it('replaces the nodes of an earlier session of its pod, and nobody else’s', async () => {
    const registry = new EphemeralRegistry();
    registry.put(path, 'old', 'aaaa');
    registry.put(markerPath, 'old', 'aaaa');
    const stranger = await connected(registry);
    await expect(stranger.registrar.register(registration, always)).rejects.toMatchObject({
      code: 'ZOOKEEPER_CONFLICT',
    });
    const heir = await connected(registry, ['aaaa']);
    expect(await heir.registrar.register(registration, always)).toBe(true);
    expect(registry.ownerOf(path)).toBe(heir.session.session()?.id);
  });

  it('notices what others do to the registration', async () => {
    const { registry, registrar, told } = await connected();
    await registrar.register(registration, always);
    registry.drop(path);
    await vi.waitFor(() => expect(told.disturbed).toBe(1));
    await registrar.register(registration, always);
    registry.put(path, '{}', registry.ownerOf(path));
    await vi.waitFor(() => expect(told.disturbed).toBe(2));
    await registrar.register(registration, always);
    expect(registry.text(path)).toContain('"url":"http://10.0.0.7:1500"');
  });

  it('does not take its own doing for a disturbance', async () => {
    const { registrar, told } = await connected();
    await registrar.register(registration, always);
    await registrar.inspect();
    await registrar.unregister();
    await registrar.inspect();
    expect(told).toEqual({ disturbed: 0, revoked: 0 });
  });

  it('hears that it is revoked', async () => {
    const { registry, session, registrar, told } = await connected();
    await registrar.register(registration, always);
    registry.put(markerPath, 'revoked', session.session()?.id);
    await vi.waitFor(() => expect(told.revoked).toBe(1));
    await expect(registrar.register(registration, always)).rejects.toMatchObject({ code: 'REGISTRATION_REVOKED' });
    await registrar.unregister();
    expect(registry.nodes.has(path)).toBe(false);
    // For the agent after this one, until this one has noted it.
    expect(registry.text(markerPath)).toBe('revoked');
  });

  it('unregisters what is its own, whether or not it made it', async () => {
    const registry = new EphemeralRegistry();
    registry.put(path, 'old', 'aaaa');
    registry.put(markerPath, 'foreign', 'ffff');
    const { registrar } = await connected(registry, ['aaaa']);
    await registrar.unregister();
    expect(registry.nodes.has(path)).toBe(false);
    expect(registry.nodes.has(markerPath)).toBe(true);
    await registrar.unregister();
  });

  it('settles an unregistration whose answer was lost', async () => {
    const { registry, session, registrar } = await connected();
    await registrar.register(registration, always);
    session.loseNextAnswer = true;
    await expect(registrar.unregister()).rejects.toMatchObject({ code: 'ZOOKEEPER_TIMEOUT' });
    await registrar.unregister();
    expect(registry.nodes.has(path)).toBe(false);
  });
});
