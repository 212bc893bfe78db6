/** Modes in the cluster: set with `kubectl maas mode`, obeyed without a restart, and told in the status. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { modesConfigMap, modesKey } from '../../src/contracts/modes.ts';
import { ended, type Ran } from '../integration/cli-process.ts';
import { applyModel } from '../integration/java.ts';
import { present } from '../integration/world.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('modes');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

/** `kubectl maas mode ...` as a user runs it. */
function mode(...args: string[]): Promise<Ran> {
  const program = join(projectRoot, 'src/bin/kubectl-maas.ts');
  const child = spawn(process.execPath, [program, 'mode', '--operator-namespace', stage.operatorNamespace, ...args], {
    env: { ...process.env, KUBECONFIG: present('cluster').kubeconfig },
  });
  return ended(child);
}

/** Ids of a model's registrations; none too where it never had one. */
async function registered(model: string): Promise<string[]> {
  return stage.registered(model).catch((error: unknown) => {
    if (error instanceof Error && error.message.endsWith('NONODE')) return [];
    throw error;
  });
}

const podsOf = async (name: string) => (await stage.pods()).filter((pod) => pod.name.startsWith(`${name}-`));

/** What the Ready condition says comes to hold these words. */
async function messageHas(name: string, words: string): Promise<void> {
  const message = async () =>
    (await stage.show(name)).status.conditions.find((condition) => condition.type === 'Ready')?.message ?? '';
  await eventually(`${name} says "${words}"`, async () => (await message()).includes(words), { account: message });
}

async function registeredIs(model: string, count: number, withinMs: number): Promise<void> {
  await eventually(`${count} of ${model} are registered`, async () => (await registered(model)).length === count, {
    withinMs,
  });
}

describe('modes', () => {
  it('take a model through observe, shadow, active and drain without a restart', async () => {
    await stage.payload('walk', pythonModel('1.0'));
    expect(await mode('--model', 'walk', 'observe')).toMatchObject({ code: 0, out: 'walk: observe, was active\n' });
    await stage.apply('walk', { instances: 2 });
    const observed = await stage.reasonIs('walk', 'Observed');
    await messageHas('walk', 'held back: pin the payload, a new version');
    expect(observed).toContain('only looks');
    expect(await stage.k('get', 'deployment,configmap', '-l', 'maas.dev/model=walk', '-o', 'name')).toBe('');

    expect((await mode('--model', 'walk', 'shadow')).code).toBe(0);
    expect(await stage.reasonIs('walk', 'Shadow', 90_000)).toContain('2 of 2 answer');
    const pods = await podsOf('walk');
    expect(pods.map((pod) => pod.ready)).toEqual([true, true]);
    expect(await registered('walk')).toEqual([]);
    expect((await stage.show('walk')).status).toMatchObject({ ready: 2, registered: 0 });

    // A foreign one, as the original would have it all the while.
    const foreign = {
      model: 'walk',
      version: '0.9',
      id: '2',
      url: 'http://127.0.0.1:9',
      functions: {},
      registeredAt: 1,
    };
    await stage.chroot.register(foreign);
    expect((await mode('--model', 'walk', 'active')).code).toBe(0);
    await registeredIs('walk', 3, 5_000);
    await stage.reasonIs('walk', 'Serving');
    expect(await applyModel(stage.chroot.connect(), { model: 'walk', args: { host: 'x' } })).toMatchObject({
      answer: { version: '1.0' },
    });

    expect((await mode('--model', 'walk', 'drain')).code).toBe(0);
    await registeredIs('walk', 1, 5_000);
    expect(await registered('walk')).toEqual(['2']);
    await stage.reasonIs('walk', 'Draining');
    await messageHas('walk', '2 of 2 answer');

    expect((await mode('--model', 'walk', 'default')).code).toBe(0);
    await registeredIs('walk', 3, 5_000);
    expect(await podsOf('walk')).toEqual(pods);
  });

  it('switch a version in shadow, and let clients have it when it is done', async () => {
    await stage.payload('turn', pythonModel('1.0'));
    await stage.payload('turn-2', pythonModel('2.0'));
    await mode('--model', 'turn', 'shadow');
    await stage.apply('turn', {});
    await stage.reasonIs('turn', 'Shadow', 90_000);
    const [before] = await podsOf('turn');
    await stage.apply('turn', { version: '2.0', path: `${stage.payloads}/turn-2` });
    await eventually('only the new version runs', async () => {
      const now = await podsOf('turn');
      return now.length === 1 && now[0]?.name !== before?.name && now[0]?.ready === true;
    });
    await stage.reasonIs('turn', 'Shadow');
    expect(await registered('turn')).toEqual([]);
    await mode('--model', 'turn', 'active');
    await registeredIs('turn', 1, 5_000);
    expect((await stage.serves('turn', 1)).status.serving).toBe('2.0');
  });

  it('survive an upgrade of the chart, and a spoilt ConfigMap', async () => {
    await stage.payload('keeps', pythonModel('1.0'));
    await mode('--model', 'keeps', 'shadow');
    await stage.apply('keeps', {});
    await stage.reasonIs('keeps', 'Shadow', 90_000);
    const map = ['--namespace', stage.operatorNamespace, 'configmap', modesConfigMap];
    const written = await stage.kubectl('get', ...map, '-o', `jsonpath={.data.modes\\.json}`);
    const spoil = (text: string) =>
      stage.kubectl('patch', ...map, '--type=merge', '-p', JSON.stringify({ data: { [modesKey]: text } }));
    await spoil('{"default": "active"');
    await messageHas('keeps', 'is not JSON, so the modes of before hold');
    await eventually('there is an event', async () => {
      const field = `involvedObject.name=${modesConfigMap}`;
      return (
        await stage.kubectl('get', 'events', '-n', stage.operatorNamespace, '--field-selector', field, '-o', 'name')
      ).includes('event');
    });
    // Another process that never saw what was written before.
    await stage.install({ logLevel: 'debug' });
    await stage.k('annotate', 'mdl', 'keeps', 'looked=again');
    await eventually('it is in shadow still', async () => (await stage.reason('keeps')) === 'Shadow');
    expect(await registered('keeps')).toEqual([]);
    await spoil(written);
    await eventually('all is well again', async () => {
      const message = (await stage.show('keeps')).status.conditions[0]?.message ?? '';
      return message.startsWith('1 of 1 answer') && !message.includes('not JSON');
    });
    await mode('active');
    await mode('--model', 'keeps', 'default');
    await registeredIs('keeps', 1, 5_000);
  });

  it('are changed by whom the role of the chart is bound to, and read by everybody', async () => {
    const { operatorNamespace } = stage;
    const as = (who: string, verb: string, name: string) =>
      stage
        .kubectl(
          'auth',
          'can-i',
          verb,
          `configmaps/${name}`,
          '-n',
          operatorNamespace,
          '--as',
          who,
          '--as-group',
          'system:authenticated',
        )
        .then((said) => said.trim())
        .catch(() => 'no');
    const role = `${stage.release}-maas-operator-modes-editor`;
    await stage.kubectl('create', 'rolebinding', 'modes', '-n', operatorNamespace, `--role=${role}`, '--user=alice');
    expect(await as('alice', 'patch', modesConfigMap)).toBe('yes');
    expect(await as('alice', 'create', 'another')).toBe('no');
    expect(await as('bob', 'get', modesConfigMap)).toBe('yes');
    expect(await as('bob', 'patch', modesConfigMap)).toBe('no');
    // Making it anew, as `kubectl maas mode` does, takes no right to make anything else.
    await stage.kubectl('delete', 'configmap', modesConfigMap, '-n', operatorNamespace);
    const manifest = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: modesConfigMap, namespace: operatorNamespace },
    };
    const apply = (object: object, who: string) =>
      stage.kubectlIn(JSON.stringify(object), 'apply', '--server-side', '-f', '-', '--as', who);
    await apply(manifest, 'alice');
    const another = { ...manifest, metadata: { ...manifest.metadata, name: 'another' } };
    await expect(apply(another, 'alice')).rejects.toThrow(/forbidden/i);
    await stage.kubectl('delete', 'configmap', modesConfigMap, '-n', operatorNamespace);
    await expect(apply(manifest, 'bob')).rejects.toThrow(/forbidden/i);
  });
});
