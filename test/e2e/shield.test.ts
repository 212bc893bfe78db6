/** A model that goes wrong in a pod, behind its shield, and clients of the field that bear with it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Load, type LoadOptions } from '../integration/java.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('shield');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

/** Listens on localhost alone; `host=bad` is answered with 500 and a body, `host=hang` is not answered. */
function sometimesWrong(): Record<string, string> {
  const { 'server.py': server = '', ...others } = pythonModel('1.0', { host: '127.0.0.1' });
  const wrong = `
        if "host=hang" in self.path:
            time.sleep(3600)
        status = 500 if "host=bad" in self.path else 200
        self.send_response(status)`;
  return { ...others, 'server.py': server.replace('\n        self.send_response(200)', wrong) };
}

async function calls(host: string, options: Partial<LoadOptions> = {}) {
  const asked = { model: 'wrong', args: { host }, threads: 1, ...options };
  await using load = await Load.start(stage.chroot.connect(), asked);
  const { answered, kinds, unfinished } = await load.sum();
  return { answered, kinds, unfinished };
}

it('a model that goes wrong costs clients that call and nothing else, and its shield says what went wrong', async () => {
  await stage.payload('wrong', sometimesWrong());
  const shield = { timeLimit: '1s', maxInFlight: 8, cache: { timeToLive: '1h' } };
  await stage.apply('wrong', { instances: 2, spec: { shield } });
  const { status } = await stage.serves('wrong', 2);
  for (const { url } of status.endpoints ?? []) expect(url).toMatch(/^http:\/\/.*:8098$/);

  expect(await calls('bad', { count: 3 })).toEqual({ answered: 0, kinds: { status: 3 }, unfinished: 0 });
  expect(await calls('hang', { count: 2 })).toEqual({ answered: 0, kinds: { status: 2 }, unfinished: 0 });
  expect(await calls('good', { count: 20 })).toEqual({ answered: 20, kinds: {}, unfinished: 0 });

  const counted = async (result: string) => {
    let sum = 0;
    for (const { url = '' } of status.endpoints ?? []) {
      const text = await (await fetch(url.replace(/:8098$/, ':8099/metrics'))).text();
      sum += Number(new RegExp(`^maas_model_requests_total\\{.*result="${result}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
    }
    return sum;
  };
  expect([await counted('status'), await counted('timeout')]).toEqual([3, 2]);
  // The first one at each of the instances.
  expect((await counted('answered')) + (await counted('cached'))).toBe(20);
  expect(await counted('answered')).toBeLessThanOrEqual(2);
});

it('an instance behind a shield leaves without a failed call', async () => {
  await using load = await Load.start(stage.chroot.connect(), {
    ...{ model: 'wrong', args: { host: 'a' }, threads: 4, pauseMs: 20, forMs: 120_000 },
  });
  const [gone] = (await stage.pods()).map(({ name }) => name);
  await stage.k('delete', 'pod', `${gone}`);
  await eventually('another one is there', async () => !(await stage.pods()).some(({ name }) => name === gone));
  await stage.serves('wrong', 2);
  const { answered, failed } = await load.stop();
  expect({ failed, many: answered > 50 }).toEqual({ failed: 0, many: true });
});
