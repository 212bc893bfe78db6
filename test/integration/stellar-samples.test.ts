/** The sample models in the runtime image, called by the clients of the field. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { run } from '../../deploy/local/run.ts';
import { advertisedUrl, type EndpointFile, parseEndpointFile } from '../../src/wire/endpoint-file.ts';
import { aRegistration } from '../builders/registration.ts';
import { Chroot } from './chroot.ts';
import { applyModel, Load } from './java.ts';
import { present } from './world.ts';

let chroot: Chroot;
beforeAll(async () => {
  chroot = await Chroot.make();
});
afterAll(async () => {
  await chroot[Symbol.asyncDispose]();
});

/** Polls until it gives something; its last failure otherwise. */
async function eventually<T>(attempt: () => Promise<T>, withinMs = 30_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

/** A sample that runs in a container of the runtime image. */
class Sample implements AsyncDisposable {
  readonly endpoint: EndpointFile;
  readonly url: string;
  private readonly container: string;

  private constructor(container: string, endpoint: EndpointFile, address: string) {
    this.container = container;
    this.endpoint = endpoint;
    this.url = advertisedUrl(endpoint, address);
  }

  static async start(name: string): Promise<Sample> {
    const container = `maas-sample-${name}-${randomUUID().slice(0, 8)}`;
    const script = 'cp -r /sample /tmp/payload && cd /tmp/payload && exec bash ./*.sh';
    const { network } = present('engine');
    const { runtime } = present('images');
    await docker('create', '--rm', '--name', container, '--network', network, runtime, 'bash', '-c', script);
    try {
      await docker('cp', join(projectRoot, 'deploy/samples', name), `${container}:/sample`);
      await docker('start', container);
      const read = async () => parseEndpointFile(await docker('exec', container, 'cat', '/tmp/payload/endpoint.dat'));
      const address = await docker(
        'inspect',
        '--format',
        `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
        container,
      );
      return new Sample(container, await eventually(read), address.trim());
    } catch (error) {
      await docker('rm', '--force', container);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker('rm', '--force', this.container);
  }
}

async function docker(...args: readonly string[]): Promise<string> {
  const { host } = present('engine');
  return await run('docker', args, host === null ? {} : { env: { DOCKER_HOST: host } });
}

async function registered(name: string, sample: Sample): Promise<string> {
  const { functions } = sample.endpoint;
  await chroot.register(aRegistration({ model: name, url: sample.url, functions }), name);
  return chroot.connect(name);
}

test('echo answers Stellar with its arguments, and a person with the word', async () => {
  await using sample = await Sample.start('echo');
  expect(sample.endpoint).toMatchObject({ port: 1500, path: '', functions: { apply: 'echo' }, otherHost: undefined });
  const word = await eventually(async () => (await fetch(`${sample.url}/echo/foobar`)).text());
  expect(word).toBe('foobar');

  const connect = await registered('echo', sample);
  const args = { word: 'foo bar!', quoted: '"\\"', empty: '' };
  const call = async () => {
    const line = await applyModel(connect, { model: 'echo', args });
    if (line.event !== 'answer') throw new Error(line.error);
    return line.answer;
  };
  expect(await eventually(call)).toEqual(args);
});

test('echo serves one at a time: some of many calls may be refused, and none is answered wrongly', async () => {
  await using sample = await Sample.start('echo');
  const connect = await registered('echo-busy', sample);
  await using load = await Load.start(connect, { model: 'echo-busy', threads: 4, count: 60, args: { word: 'foobar' } });
  const { answered, failed, kinds, unfinished } = await load.sum();
  expect({ calls: answered + failed, unfinished }).toEqual({ calls: 60, unfinished: 0 });
  expect(answered).toBeGreaterThan(0);
  expect(Object.keys(kinds).filter((kind) => kind !== 'refused' && kind !== 'dropped')).toEqual([]);
});

test('dga tells made-up domains from legitimate ones', async () => {
  await using sample = await Sample.start('dga');
  expect(sample.endpoint).toMatchObject({ path: '', functions: { apply: 'apply' } });
  const connect = await registered('dga', sample);
  const answer = async (host: string) => {
    const line = await applyModel(connect, { model: 'dga', args: { host } });
    if (line.event !== 'answer') throw new Error(line.error);
    return line.answer;
  };
  expect(await eventually(() => answer('yahoo.com'))).toEqual({ is_malicious: 'legit' });
  expect(await answer('amazon.com')).toEqual({ is_malicious: 'legit' });
  expect(await answer('qx7gtfpl.biz')).toEqual({ is_malicious: 'malicious' });

  await using load = await Load.start(connect, { model: 'dga', threads: 4, count: 400, args: { host: 'yahoo.com' } });
  expect(await load.sum()).toMatchObject({ answered: 400, failed: 0 });
});
