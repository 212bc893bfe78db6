/** Versions that change place while a client calls all the time: well, in vain, in small steps, and with the operator killed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FollowedLine, Followers, Load, type LoadSum } from '../integration/java.ts';
import { pythonModel } from './payloads.ts';
import { eventually, type ShownModel, Stage } from './stage.ts';
import { tellsWhy } from './why-text.ts';

const versions = ['1.0', '2.0', '3.0', '4.0', '5.0', '6.0'] as const;
const waits = { drain: '2s', stopTimeout: '2s', startupTimeout: '5m' };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('switch');
  await Promise.all(versions.map((version) => stage.payload(`steady-${version}`, pythonModel(version))));
  await stage.apply('steady', { path: pathOf('1.0'), instances: 3, spec: waits });
  await stage.serves('steady', 3);
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const pathOf = (version: string) => `${stage.payloads}/steady-${version}`;

const patch = (spec: object) => stage.k('patch', 'mdl', 'steady', '--type=merge', '-p', JSON.stringify({ spec }));
const switchTo = (version: string, rollout: object = {}) =>
  patch({ version, payload: { path: pathOf(version) }, rollout });

const condition = ({ status }: ShownModel, type: string) => status.conditions.find((each) => each.type === type);

/** Pods that take room: those that have ended are there for a moment longer. */
async function living(): Promise<number> {
  const left = '--field-selector=status.phase!=Succeeded,status.phase!=Failed';
  const text = await stage.k('get', 'pods', '-l', 'app.kubernetes.io/name=maas-model', left, '-o', 'name');
  return text.trim().split('\n').length;
}

async function settled(version: string, instances = 3): Promise<void> {
  await stage.serves('steady', instances);
  await eventually('the versions before are gone', async () => (await living()) === instances);
  expect((await stage.show('steady')).status).toMatchObject({ serving: version, registered: instances });
}

/** Calls a second by version, and how many instances of it answered. */
function table(sum: LoadSum): string {
  return Object.entries(sum.seconds)
    .map(([second, counts]) => {
      const cells = versions.flatMap((version) => {
        const own = Object.entries(counts).filter(([key]) => key.startsWith(`${version} `));
        const calls = own.reduce((all, [, count]) => all + count, 0);
        return own.length === 0 ? [] : [`${version}: ${calls} calls by ${own.length} instances`];
      });
      return `${second}  ${cells.join(', ')}`;
    })
    .filter((line, index, all) => line.slice(12) !== all[index - 1]?.slice(12))
    .join('\n');
}

/** When a client saw each instance of a version come or go, milliseconds since 1970. */
function moments(lines: readonly FollowedLine[], event: 'appeared' | 'vanished', version: string): number[] {
  return lines.flatMap((line) => (line.event === event && line.endpoint.version === version ? [line.at] : []));
}

const spread = (times: readonly number[]) => Math.max(...times) - Math.min(...times);

/** Instances that answered for a version from its first second on, in so many seconds. */
function instancesAtFirst(sum: LoadSum, version: string, seconds: number): number {
  const own = Object.entries(sum.seconds)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, counts]) => Object.keys(counts).filter((key) => key.startsWith(`${version} `)));
  const first = own.findIndex((keys) => keys.length > 0);
  return new Set(own.slice(first, first + seconds).flat()).size;
}

describe('a model with three instances, called fifty times a second', () => {
  it('is served without a failed call whatever version takes the place of which', async () => {
    await using follower = await Followers.start(stage.chroot.connect());
    await using calls = await Load.start(stage.chroot.connect(), {
      ...{ model: 'steady', args: { a: 'b' }, tally: 'version' },
      ...{ threads: 5, pauseMs: 95, forMs: 400_000 },
    });

    // All together, and before the old ones go.
    await switchTo('2.0');
    await settled('2.0');
    const came = () => moments(follower.lines, 'appeared', '2.0');
    const went = () => moments(follower.lines, 'vanished', '1.0');
    // A client hears of it in its own time.
    await eventually('the client has seen it', async () => came().length === 3 && went().length === 3, {
      account: async () => JSON.stringify(follower.lines.slice(-15)),
    });
    expect(Math.max(...came())).toBeLessThanOrEqual(Math.min(...went()));
    console.log(`three came within ${spread(came())} ms, three went within ${spread(went())} ms`);

    // One that cannot come up: it is held, it stalls, and the way back is an edit.
    await switchTo('3.0', { warmup: { expect: { fields: { version: 'no such' } } }, deadline: '5s' });
    await eventually('it is stalled', async () => condition(await stage.show('steady'), 'Stalled')?.status === 'True', {
      account: async () => JSON.stringify((await stage.show('steady')).status, null, 1),
    });
    const stalled = await stage.show('steady');
    expect(condition(stalled, 'Stalled')).toMatchObject({ reason: 'RolloutDeadlineExceeded' });
    expect(condition(stalled, 'Stalled')?.message).toMatch(/status|field "version" is not "no such"/);
    expect(stalled.status).toMatchObject({ serving: '2.0', registered: 0 });
    await tellsWhy(stage, 'steady', 'stalled');
    await switchTo('2.0', { warmup: null, deadline: null });
    await settled('2.0');

    // In small steps: never more than four pods at a time.
    let most = 0;
    await switchTo('4.0', { strategy: 'Surge' });
    await eventually('it is out', async () => {
      most = Math.max(most, await living());
      const { status } = await stage.show('steady');
      return status.serving === '4.0' && status.registered === 3;
    });
    await settled('4.0');
    expect(most).toBeLessThanOrEqual(4);

    // Back and forth while the operator is killed again and again, and fewer instances in the end.
    const operator = async () => {
      const own = `--namespace=${stage.operatorNamespace}`;
      await stage.kubectl('delete', 'pod', own, '--all', '--grace-period=0', '--force');
    };
    await switchTo('5.0', { strategy: null });
    await operator();
    await eventually('the new version starts', async () => (await living()) > 3);
    await operator();
    await switchTo('4.0');
    await operator();
    await switchTo('5.0');
    await eventually('the new version starts', async () => (await living()) > 3);
    await operator();
    await settled('5.0');
    await patch({ instances: 1 });
    await settled('5.0', 1);

    const sum = await calls.stop();
    console.log(`${sum.answered} calls answered, ${sum.failed} failed\n${table(sum)}`);
    expect(calls.failed).toEqual([]);
    expect(sum).toMatchObject({ failed: 0, unfinished: 0 });
    expect(instancesAtFirst(sum, '2.0', 2)).toBe(3);
    expect(instancesAtFirst(sum, '5.0', 2)).toBe(3);
    expect(sum.urls).not.toHaveProperty('3.0');
  }, 600_000);
});
