/** Nodes that are drained while a client calls all the time: two nodes, there and back, and in the middle of a switch. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findEngine } from '../../deploy/local/engine.ts';
import { load } from '../../deploy/local/images.ts';
import { addSecondNode, removeSecondNode, type SecondNode } from '../../deploy/local/second-node.ts';
import { Load } from '../integration/java.ts';
import { present } from '../integration/world.ts';
import { cleanUp } from './clean-up.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
let second: SecondNode;

function cluster() {
  const { nodeContainer, ...of } = present('cluster');
  if (nodeContainer === null) throw new Error('this test adds a node to a cluster like ours, and there is none');
  return { ...of, nodeContainer, ...present('tools') };
}

beforeAll(async () => {
  await findEngine();
  const { kind, name } = cluster();
  const opening = Stage.open('drain').then((opened) => {
    stage = opened;
  });
  // Both to the end, whatever becomes of the other: what was made is there to be removed.
  const [node, opened] = await Promise.allSettled([addSecondNode(cluster()), opening]);
  if (node.status === 'rejected') throw node.reason;
  if (opened.status === 'rejected') throw opened.reason;
  second = node.value;
  const images = Object.values(present('images')).filter((image) => image !== null);
  await load({ kind, cluster: name, node: second.name }, ...images);
  await stage.payload('steady', pythonModel('1.0'));
  await stage.payload('steady-2', pythonModel('2.0'));
  const scheduling = { tolerations: [second.toleration] };
  await stage.apply('steady', { instances: 3, spec: { drain: '2s', stopTimeout: '2s', scheduling } });
  await stage.serves('steady', 3);
});
afterAll(async () => {
  await cleanUp(
    () => stage?.kubectl('uncordon', cluster().nodeContainer),
    () => stage?.[Symbol.asyncDispose](),
    () => removeSecondNode(cluster()),
  );
});

/** Nodes of the model's instances, sorted. */
async function places(): Promise<string[]> {
  const all = '{range .items[*]}{.metadata.deletionTimestamp} {.spec.nodeName}{"\\n"}{end}';
  const text = await stage.k('get', 'pods', '-l', 'app.kubernetes.io/name=maas-model', '-o', `jsonpath=${all}`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(' '))
    .map((line) => line.trim())
    .sort();
}

/** As an administrator does it, for the instances of our model alone: others may have theirs on the node. */
async function drain(node: string): Promise<void> {
  const { metadata } = await stage.show('steady');
  const mine = `--pod-selector=maas.dev/owner-uid=${metadata.uid}`;
  await stage.kubectl('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', mine, '--timeout=120s');
}

const onlyOn = (node: string) => async () => (await places()).every((place) => place === node);

describe('a model with three instances, called fifty times a second', () => {
  it('is on both nodes, and is served without a failed call while each of them is drained, also during a switch', async () => {
    const { nodeContainer: first } = cluster();
    expect(new Set(await places())).toEqual(new Set([first, second.name]));
    await using calls = await Load.start(stage.chroot.connect(), {
      ...{ model: 'steady', args: { a: 'b' } },
      ...{ threads: 5, pauseMs: 95, forMs: 240_000 },
    });

    await drain(second.name);
    await stage.serves('steady', 3);
    await eventually('all are on the first node', onlyOn(first));
    await stage.kubectl('uncordon', second.name);

    await drain(first);
    await stage.serves('steady', 3);
    await eventually('all are on the second node', onlyOn(second.name));
    await stage.kubectl('uncordon', first);

    const change = { version: '2.0', payload: { path: `${stage.payloads}/steady-2` } };
    await stage.k('patch', 'mdl', 'steady', '--type=merge', '-p', JSON.stringify({ spec: change }));
    await eventually('both versions are there', async () => (await places()).length > 3);
    await eventually(
      'both have a budget',
      async () => (await stage.k('get', 'pdb', '-o', 'name')).match(/\//g)?.length === 2,
    );
    await drain(second.name);
    const { status } = await stage.serves('steady', 3);
    expect(status.serving).toBe('2.0');
    await stage.kubectl('uncordon', second.name);

    const sum = await calls.stop();
    console.log(`drained three times: ${sum.answered} calls answered, ${sum.failed} failed`);
    expect(calls.failed).toEqual([]);
    expect(sum).toMatchObject({ failed: 0, unfinished: 0 });
    expect(sum.answered).toBeGreaterThan(500);
  });
});
