/** The old queue, from the old client's own library to pods and back, with the permissions that the chart gives. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { recordConfigMap } from '../../src/legacy/queue-record.ts';
import { rejectedRequests } from '../builders/rejected-requests.ts';
import { enqueue, legacyList } from '../integration/java.ts';
import { killInPod } from './docker.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
let connect: string;
beforeAll(async () => {
  stage = await Stage.open('queue');
  connect = stage.chroot.connect();
  const queue = {
    enabled: true,
    namespace: stage.namespace,
    models: ['dga', 'big', 'busy', 'light*'],
    forwardTo: '/maas/yarn',
  };
  await stage.install({ legacy: { queue } });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const version = '1.0';

async function instances(resource: string): Promise<number | undefined> {
  const shown = await stage.k('get', 'mdl', resource, '--ignore-not-found', '-o', 'jsonpath={.spec.instances}');
  return shown === '' ? undefined : Number(shown);
}

async function queued(queue = 'queue'): Promise<string[]> {
  return await stage.chroot.nodes.children(`${stage.chroot.path}/maas/${queue}`);
}

describe('the old deploy client', () => {
  it('starts instances, sees them, and takes them away', async () => {
    const path = await stage.payload('dga', pythonModel(version));
    // A manifest may come first: it says here that an instance needs little of this machine.
    await stage.apply('detector', { model: 'dga', version, path, instances: 0 });
    await enqueue(connect, { mode: 'ADD', name: 'dga', version, instances: 2, memory: 96, path });
    await stage.serves('detector', 2);
    const lines = (await legacyList(connect)).split('\n');
    expect(lines[0]).toBe('Model dga @ 1.0');
    expect(lines.filter((line) => /^dga:1\.0 @ http:\/\/[0-9.]+:\d+ serving:$/.test(line))).toHaveLength(2);
    expect(lines.filter((line) => line === '\tapply=apply')).toHaveLength(2);

    await enqueue(connect, { mode: 'REMOVE', name: 'dga', version, instances: 1 });
    await stage.serves('detector', 1);
    await enqueue(connect, { mode: 'REMOVE', name: 'dga', version, instances: 1 });
    await eventually('the resource is gone', async () => (await instances('detector')) === undefined);
    await eventually('no client sees it', async () => (await stage.registered('dga')).length === 0);
  });

  it('gives each ADD room on a node of two processors, as memory alone bounds them', async () => {
    const names = ['light1', 'light2', 'light3'];
    for (const name of names) {
      const path = await stage.payload(name, pythonModel(version));
      await enqueue(connect, { mode: 'ADD', name, version, instances: 1, memory: 64, path });
    }
    for (const name of names) {
      await eventually(`${name} is there`, async () => (await instances(`${name}-1.0`)) === 1);
      await stage.serves(`${name}-1.0`, 1);
    }
    expect(await stage.k('get', 'mdl', 'light3-1.0', '-o', 'jsonpath={.spec.cpu}')).toBe('10m');
    for (const name of names) await enqueue(connect, { mode: 'REMOVE', name, version, instances: 1 });
    await eventually('they are gone', async () => (await instances('light3-1.0')) === undefined);
  });

  it('is told of nothing, but whoever looks finds what could not be done', async () => {
    await enqueue(connect, { mode: 'ADD', name: 'dga', version, instances: 1, memory: 96 });
    await enqueue(connect, { mode: 'LIST' });
    await eventually('both are off the queue', async () => (await queued()).length === 0);
    const text = await stage.kubectl('get', 'configmap', recordConfigMap, '-n', stage.operatorNamespace, '-o', 'json');
    const { data } = z.object({ data: z.record(z.string(), z.string()) }).parse(JSON.parse(text));
    expect(rejectedRequests(data).map(({ why }) => why)).toEqual(['it names no path, which a new model needs']);
    await eventually('describe tells it', async () => {
      const told = await stage.kubectl('describe', 'configmap', recordConfigMap, '-n', stage.operatorNamespace);
      return told.includes('RequestRejected') && told.includes('NullRequest');
    });
  });

  it('has requests for others go on to them', async () => {
    await enqueue(connect, { mode: 'ADD', name: 'theirs', version, instances: 1, memory: 96, path: '/x' });
    await eventually('it is in the second queue', async () => (await queued('yarn')).length === 1);
    expect(await queued()).toEqual([]);
  });
});

describe('a request that waits for room', () => {
  it('does not hold the others up', async () => {
    const path = await stage.payload('big', pythonModel(version));
    await enqueue(connect, { mode: 'ADD', name: 'big', version, instances: 1, memory: 4_000_000, path });
    await enqueue(connect, { mode: 'ADD', name: 'busy', version, instances: 1, memory: 96, path: '/nowhere' });
    await eventually('the second is done', async () => (await instances('busy-1.0')) === 1);
    await stage.reasonIs('big-1.0', 'Unschedulable');
    await stage.k('delete', 'mdl', 'big-1.0');
  });
});

describe('an operator that is killed', () => {
  it('does each request once all the same', async () => {
    const pods = ['get', 'pods', '-n', stage.operatorNamespace, '-o', 'jsonpath={.items[*].metadata.uid}'];
    let uid = '';
    await eventually('one operator is left', async () => {
      uid = await stage.kubectl(...pods);
      return uid !== '' && !uid.includes(' ');
    });
    await enqueue(connect, { mode: 'ADD', name: 'busy', version, instances: 1, memory: 96, path: '/nowhere' });
    await eventually('it is done', async () => (await queued()).length === 0);
    const before = (await instances('busy-1.0')) ?? 0;
    const request = JSON.stringify({ name: 'busy', version, numInstances: 1, memory: 0, action: 'ADD', path: null });
    const count = 40;
    for (let at = 0; at < count; at++) {
      await stage.chroot.nodes.create(`${stage.chroot.path}/maas/queue/qn-${1_000_000_000 + at}`, request);
      if (at % 15 !== 14) continue;
      await eventually('it is killed', () =>
        killInPod(uid, 'operator.cjs').then(
          () => true,
          // It may not be up again since the last time.
          () => false,
        ),
      );
    }
    await eventually('all are done', async () => (await queued()).length === 0, { withinMs: 120_000 });
    expect(await instances('busy-1.0')).toBe(before + count);
  });
});
