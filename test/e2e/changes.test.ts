/** The second deployment: the same version again with other bytes, changes that cannot come up, pods that died. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uploadManifestName } from '../../src/contracts/payload.ts';
import { pythonModel } from './payloads.ts';
import { eventually, type ShownModel, Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('change');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

/** Files as `kubectl maas add` leaves them: with a list of them, so that nobody waits whether more will come. */
async function upload(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const listed = Object.entries(files).map(([path, text]) => ({
    path,
    length: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
  }));
  const manifest = JSON.stringify({ maasManifest: 1, files: listed });
  return stage.payload(name, { ...files, [uploadManifestName]: manifest });
}

async function answerOf(shown: ShownModel): Promise<unknown> {
  const url = shown.status.endpoints.find((endpoint) => endpoint.url !== undefined)?.url;
  return (await fetch(`${url}/apply`, { signal: AbortSignal.timeout(5_000) })).json();
}

function condition(shown: ShownModel, type: string) {
  return shown.status.conditions.find((each) => each.type === type);
}

async function warnings(name: string): Promise<string[]> {
  const jsonpath = '{range .items[?(@.type=="Warning")]}{.reason}{"\\n"}{end}';
  const text = await stage.k(
    'get',
    'events',
    '--field-selector',
    `involvedObject.name=${name}`,
    '-o',
    `jsonpath=${jsonpath}`,
  );
  return text.split('\n');
}

const patch = (name: string, spec: object) =>
  stage.k('patch', 'mdl', name, '--type=merge', '-p', JSON.stringify({ spec }));

describe.concurrent('the same version again, at once', () => {
  it.each(['Path', 'Store'] as const)(
    'runs the new bytes each time while the old pods stop slowly: %s',
    async (readFrom) => {
      const name = `again-${readFrom.toLowerCase()}`;
      const digests = new Set<string>();
      for (let turn = 1; turn <= 20; turn++) {
        const path = await upload(name, pythonModel(`turn-${turn}`));
        await stage.k('delete', 'mdl', name, '--ignore-not-found');
        await stage.apply(name, { path, spec: { drain: '20s', payload: { path, readFrom } } });
        const shown = await stage.serves(name, 1);
        expect(await answerOf(shown)).toEqual({ version: `turn-${turn}` });
        const digest = shown.status.payload?.digest ?? '';
        digests.add(digest);
        expect(shown.status.payload?.verified).toBe(1);
        expect(shown.status.endpoints.filter(({ url }) => url !== undefined).map((each) => each.digest)).toEqual([
          digest,
        ]);
      }
      expect(digests.size).toBe(20);
    },
  );
});

describe.concurrent('a change that does not come up', () => {
  it.each<[string, object, string, RegExp]>([
    ['image', { image: 'localhost:1/no/such:image' }, 'ImagePullFailed', /no\/such:image/],
    ['cpu', { cpu: '900' }, 'Unschedulable', /Insufficient cpu/],
    ['script', { env: [{ name: 'BROKEN', value: 'yes' }] }, 'ScriptEnded', /told to break/],
    ['class', { scheduling: { priorityClassName: 'no-such-class' } }, 'PriorityClassMissing', /no-such-class/],
  ])('is told with its reason, stalls, and is mended by the next change: %s', async (field, change, reason, words) => {
    const name = `broken-${field}`;
    const model = pythonModel('1.0');
    const path = await upload(name, {
      ...model,
      'run.sh': `#!/bin/bash\nif [ -n "$BROKEN" ]; then echo told to break >&2; exit 4; fi\n${model['run.sh']}`,
    });
    await stage.apply(name, { path, spec: { startupTimeout: '15s' } });
    const before = await stage.serves(name, 1);

    await patch(name, change);
    await stage.reasonIs(name, reason);
    await eventually('it is stalled', async () => condition(await stage.show(name), 'Stalled')?.status === 'True');
    const shown = await stage.show(name);
    expect(condition(shown, 'Ready')).toMatchObject({ status: 'False', message: expect.stringMatching(words) });
    expect(condition(shown, 'Ready')?.message).toMatch(
      /the change is not out: 0 of 1 registered with the present spec, 1 /,
    );
    expect(condition(shown, 'Stalled')).toMatchObject({ reason: 'ProgressDeadlineExceeded' });
    expect(shown.status).toMatchObject({ registered: 1, updated: 0, serving: '1.0' });
    expect(await answerOf(shown)).toEqual({ version: '1.0' });
    await expect(stage.k('wait', '--for=condition=Ready', `mdl/${name}`, '--timeout=1s')).rejects.toThrow(/timed out/);
    await eventually('events warn', async () => {
      const told = await warnings(name);
      return told.includes(reason) && told.includes('ProgressDeadlineExceeded');
    });

    // Another change, not back: what was stuck must not be in its way.
    const mended = { image: null, cpu: '20m', env: [{ name: 'LEVEL', value: 'high' }], scheduling: null };
    await patch(name, mended);
    const after = await stage.serves(name, 1);
    expect(after.status).toMatchObject({ registered: 1, updated: 1 });
    expect(condition(after, 'Ready')).toMatchObject({ status: 'True', reason: 'Serving' });
    expect(condition(after, 'Stalled')?.status).toBe('False');
    expect(before.status.endpoints[0]?.pod).not.toBe(after.status.endpoints[0]?.pod);
  });

  it('and is taken back leaves the instance of before as it was', async () => {
    const path = await upload('taken-back', pythonModel('1.0'));
    await stage.apply('taken-back', { path });
    const before = await stage.serves('taken-back', 1);
    await patch('taken-back', { image: 'localhost:1/no/such:image' });
    await stage.reasonIs('taken-back', 'ImagePullFailed');
    await patch('taken-back', { image: null });
    const after = await stage.serves('taken-back', 1);
    expect(after.status.endpoints.map(({ pod }) => pod)).toEqual(before.status.endpoints.map(({ pod }) => pod));
  });
});

describe.concurrent('pods that died', () => {
  it('do not speak for those that live', async () => {
    const path = await upload('evicted', pythonModel('1.0'));
    await stage.apply('evicted', { path, spec: { resources: { limits: { 'ephemeral-storage': '40Mi' } } } });
    const { status } = await stage.serves('evicted', 1);
    const pod = status.endpoints[0]?.pod ?? '';
    await stage.k(
      'exec',
      pod,
      '-c',
      'model',
      '--',
      'dd',
      'if=/dev/zero',
      'of=/maas/payload/fill',
      'bs=1M',
      'count=300',
    );
    await eventually(
      'the node evicts it',
      async () =>
        (await stage.k('get', 'pod', pod, '-o', 'jsonpath={.status.phase} {.status.reason}')) === 'Failed Evicted',
      { withinMs: 120_000 },
    );
    await eventually('another one serves', async () => {
      const { status: now } = await stage.serves('evicted', 1);
      return now.endpoints.every((each) => each.pod !== pod);
    });
    const shown = await stage.show('evicted');
    expect(shown.status).toMatchObject({ replicas: 1, ready: 1, registered: 1, endpointsTotal: 1 });
    expect(condition(shown, 'Ready')).toMatchObject({ reason: 'Serving', message: '1 of 1 registered' });
    expect(await stage.k('get', 'pod', pod, '-o', 'jsonpath={.status.phase}')).toBe('Failed');
  });
});
