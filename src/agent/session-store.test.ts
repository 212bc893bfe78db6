import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseEndpointFile } from '../wire/endpoint-file.ts';
import { SessionStore } from './session-store.ts';

let directory: string;
let store: SessionStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'session-'));
  store = new SessionStore(directory);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const session = (number: number) => ({
  id: number.toString(16).padStart(16, '0'),
  password: `secret ${number}`,
  timeoutMs: 10_000,
});

describe('SessionStore', () => {
  it('gives back the last session and the ids of all', async () => {
    expect(await store.load()).toEqual({ ids: [] });
    await store.save(session(1));
    await store.save(session(2));
    await store.save(session(2));
    expect(await store.load()).toEqual({ last: session(2), ids: [session(1).id, session(2).id] });
  });

  it('remembers a bounded number of ids, the latest ones', async () => {
    for (let number = 1; number <= 40; number += 1) await store.save(session(number));
    const { ids } = await store.load();
    expect(ids).toHaveLength(17);
    expect(ids.at(-1)).toBe(session(40).id);
  });

  it('keeps the password from others', async () => {
    await store.save(session(1));
    expect(statSync(join(directory, 'session.json')).mode & 0o077).toBe(0);
  });

  it.each(['', '{', 'null', '{"id":"x"}', '{"id":"0000000000000001","password":"","timeoutMs":1,"earlier":[]}'])(
    'takes %j for nothing',
    async (text) => {
      writeFileSync(join(directory, 'session.json'), text);
      expect(await store.load()).toEqual({ ids: [] });
    },
  );

  it('says where nothing can be written, and writes it when that is over', async () => {
    mkdirSync(join(directory, 'session.json.new'));
    await expect(store.save(session(1))).rejects.toMatchObject({ code: 'AGENT_STATE_UNWRITABLE' });
    expect(await store.load()).toEqual({ ids: [] });
    rmdirSync(join(directory, 'session.json.new'));
    await store.save(session(1));
    expect((await store.load()).last).toEqual(session(1));
  });

  it('keeps every id, in whatever order and however quickly sessions follow each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }), async (numbers) => {
        const own = mkdtempSync(join(directory, 'run-'));
        const quick = new SessionStore(own);
        await Promise.all(numbers.map((number) => quick.save(session(number))));
        const { last, ids } = await new SessionStore(own).load();
        expect(last).toEqual(session(numbers.at(-1) ?? 0));
        expect([...ids].sort()).toEqual([...new Set(numbers)].map((number) => session(number).id).sort());
      }),
      { numRuns: 30 },
    );
  });

  it('does not take for nothing what it cannot read just now', async () => {
    mkdirSync(join(directory, 'session.json'));
    await expect(store.load()).rejects.toThrow('EISDIR');
  });

  it('finds the last whole word of an agent that was killed while it wrote', async () => {
    await store.save(session(1));
    writeFileSync(join(directory, 'session.json.new'), '{"id":"0000');
    const next = new SessionStore(directory);
    expect((await next.load()).last).toEqual(session(1));
    await next.save(session(2));
    expect((await next.load()).ids).toEqual([session(1).id, session(2).id]);
  });

  it('gives back the endpoint that was to be registered, and of which start', async () => {
    expect(await store.registered()).toBeUndefined();
    const endpoint = parseEndpointFile('{"url": "https://0.0.0.0:1500/m/", "functions": {"__proto__": "x"}}');
    await store.setRegistered('a', endpoint);
    await store.setRegistered('a', endpoint);
    expect(await new SessionStore(directory).registered()).toEqual({ mark: 'a', endpoint });
    await store.setRegistered('b', parseEndpointFile('{"url": "http://other"}'));
    const { mark, endpoint: last } = (await store.registered()) ?? {};
    expect([mark, last?.port, last?.functions]).toEqual(['b', undefined, { apply: 'apply' }]);
  });

  it.each(['', '{', '[]', '{"mark":"a"}', '{"mark":"a","endpoint":"{"}'])('takes %j for no endpoint', async (text) => {
    writeFileSync(join(directory, 'registered.json'), text);
    expect(await store.registered()).toBeUndefined();
  });

  it('remembers what is settled for the life of the pod', async () => {
    expect(await store.verifiedDigest()).toBeUndefined();
    expect(await store.isRevoked()).toBe(false);
    await store.setVerified('sha256:abc');
    await store.setRevoked();
    const next = new SessionStore(directory);
    expect(await next.verifiedDigest()).toBe('sha256:abc');
    expect(await next.isRevoked()).toBe(true);
  });
});
