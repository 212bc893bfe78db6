/** A model that goes wrong in a pod, behind its shield, and clients of the field that bear with it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agentStatus, hostNetworkPorts, type ShieldStatus } from '../../src/contracts/pod-contract.ts';
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

/** The pod of another version, on its node's network, that copies all its calls to the one that goes wrong. */
async function mirrorStatus(): Promise<ShieldStatus | undefined> {
  const pod = (await stage.pods()).find(({ name }) => name.startsWith('mirrors-'));
  const { status } = await stage.show('mirrors');
  for (const { url } of status.endpoints ?? []) {
    for (const port of pod === undefined || url === undefined ? [] : hostNetworkPorts(pod.uid)) {
      const answer = await fetch(`http://${new URL(url ?? '').hostname}:${port}/status`).catch(() => undefined);
      if (answer?.ok === true) return agentStatus.parse(await answer.json()).shield;
    }
  }
  return undefined;
}

it('a model that goes wrong costs clients that call and nothing else, and its shield says what went wrong', async () => {
  await stage.payload('wrong', sometimesWrong());
  const shield = { timeLimit: '1s', maxInFlight: 8, cache: { timeToLive: '1h' } };
  await stage.k('label', 'namespace', stage.namespace, 'pod-security.kubernetes.io/enforce=privileged', '--overwrite');
  await stage.apply('wrong', { instances: 2, spec: { shield } });
  await stage.apply('mirrors', {
    ...{ model: 'wrong', version: '0.9', path: `${stage.payloads}/wrong` },
    spec: { advertise: 'Node', shield: { timeLimit: '1s', mirror: { version: '1.0', percent: 100 } } },
  });
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

  await eventually(
    'the status says which calls fail',
    async () => (await stage.show('wrong')).status.conditions.some(({ type }) => type === 'CallsFailing'),
    { account: async () => JSON.stringify((await stage.show('wrong')).status, null, 1) },
  );
  const found = (await stage.show('wrong')).status.conditions.find(({ type }) => type === 'CallsFailing');
  expect(found?.message).toMatch(
    /^\d+ of \d+ calls failed in the 5 minutes before \S+Z \(.*\), at \d of \d instances?; /,
  );
  expect(await stage.maas('why', 'wrong')).toMatch(
    /^wrong 1.0 is served: 2 of 2 registered\n[\s\S]*^ {2}calls {6}\d+ of/m,
  );
});

it("another version, on its node's network, copies its calls to it, and keeps nobody waiting", async () => {
  const { status } = await stage.serves('mirrors', 1);
  const [{ url = '' } = {}] = status.endpoints ?? [];
  const pod = (await stage.pods()).find(({ name }) => name.startsWith('mirrors-'));
  expect(hostNetworkPorts(pod?.uid ?? '').map((port) => port - 10_000)).toContain(Number(new URL(url).port));
  const call = async (host: string) => (await fetch(`${url}/apply?host=${host}`)).status;
  await eventually('it sees both', async () => (await mirrorStatus())?.mirror?.targets === 2);
  expect([await call('good'), await call('good'), await call('bad')]).toEqual([200, 200, 204]);
  await eventually('both are compared', async () => {
    const { same, failed } = (await mirrorStatus())?.mirror ?? {};
    return same === 2 && failed === 1;
  });
});

it('an instance behind a shield leaves without a failed call', async () => {
  await using load = await Load.start(stage.chroot.connect(), {
    ...{ model: 'wrong', args: { host: 'a' }, threads: 4, pauseMs: 20, forMs: 120_000 },
  });
  const [gone] = (await stage.pods()).map(({ name }) => name).filter((name) => name.startsWith('wrong-'));
  await stage.k('delete', 'pod', `${gone}`);
  await eventually('another one is there', async () => !(await stage.pods()).some(({ name }) => name === gone));
  await stage.serves('wrong', 2);
  const { answered, failed } = await load.stop();
  expect({ failed, many: answered > 50 }).toEqual({ failed: 0, many: true });
});

it('a version that copies to one that is gone serves as before', async () => {
  await stage.k('delete', 'mdl', 'wrong', '--wait=false');
  await eventually('it sees none', async () => (await mirrorStatus())?.mirror?.targets === 0);
  const [{ url = '' } = {}] = (await stage.show('mirrors')).status.endpoints ?? [];
  expect((await fetch(`${url}/apply?host=good`)).status).toBe(200);
  expect((await mirrorStatus())?.mirror).toMatchObject({ same: 2, skipped: 1 });
});
