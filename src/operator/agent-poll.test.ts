import { describe, expect, it, vi } from 'vitest';
import { HastyClock } from '../../test/builders/manual-clock.ts';
import { aPod } from '../../test/builders/model-deployment.ts';
import { instanceId } from '../contracts/names.ts';
import { hostNetworkPorts } from '../contracts/pod-contract.ts';
import type { PodView } from '../plan/observation.ts';
import { AgentPoll } from './agent-poll.ts';

const pod = aPod();
const said = (instance = instanceId(pod.name, pod.uid)) =>
  JSON.stringify({ instance, stage: 'WaitingForEndpoint', since: '2026-03-01T12:00:00Z', zookeeper: 'connected' });

function setUp(answer: (url: string) => Promise<string>) {
  const clock = new HastyClock();
  const urls: string[] = [];
  const poll = new AgentPoll((url) => {
    urls.push(url);
    return answer(url);
  }, clock);
  /** What whoever is told looks at then. */
  const seen: (string | undefined)[] = [];
  const news = () => seen.push(poll.view([pod]).get(pod.uid)?.stage);
  /** Asks what is due, and gives what was known before. */
  const look = (pods: readonly PodView[], told: () => void) => {
    poll.ask(pods, told);
    return poll.view(pods);
  };
  return { poll, look, urls, pass: clock.pass, news, seen };
}

describe('AgentPoll', () => {
  it('asks in the background and tells when the answer differs', async () => {
    const { look, urls, news, seen } = setUp(async () => said());
    expect(look([pod], news).size).toBe(0);
    await vi.waitFor(() => expect(seen).toEqual(['WaitingForEndpoint']));
    expect(look([pod], news).get(pod.uid)?.stage).toBe('WaitingForEndpoint');
    expect(urls).toEqual(['http://10.0.0.9:8099/status']);
  });

  it.each([
    ['an answer of another instance', async () => said('somebody-else')],
    ['an answer that is none', async () => '<html>'],
    ['a refused connection', async () => Promise.reject(new Error('refused'))],
  ])('takes %s for nothing', async (_name, answer) => {
    const { look, urls, news, seen, pass } = setUp(answer);
    look([pod], news);
    pass(1_000);
    await vi.waitFor(() => {
      look([pod], news);
      expect(urls.length).toBe(2);
    });
    expect(look([pod], news).size).toBe(0);
    expect(seen).toEqual([]);
  });

  it('does not ask twice at once, nor pods that leave or have no address', async () => {
    let answered = (_text: string) => {};
    const { look, urls, news, seen, pass } = setUp(() => new Promise((resolve) => (answered = resolve)));
    const { ip: _ip, ...withoutAddress } = pod;
    look([pod, aPod({ uid: 'gone', deleting: true }), { ...withoutAddress, uid: 'new' }], news);
    pass(60_000);
    look([pod], news);
    expect(urls.length).toBe(1);
    answered(said());
    await vi.waitFor(() => expect(seen).toEqual(['WaitingForEndpoint']));
  });

  it("forgets an answer that became old, and finds an agent on the node's network by the ports of its UID", async () => {
    const ports = hostNetworkPorts(pod.uid);
    const { look, news, pass, urls } = setUp(async (url) =>
      url.includes(`:${ports[1]}/`) ? said() : Promise.reject(new Error('refused')),
    );
    const host = aPod({ hostNetwork: true });
    look([host], news);
    await vi.waitFor(() => expect(look([host], news).get(host.uid)?.stage).toBe('WaitingForEndpoint'));
    expect(urls).toEqual(ports.slice(0, 2).map((port) => `http://10.0.1.1:${port}/status`));
    pass(20_000);
    expect(look([host], news).size).toBe(0);
  });

  it('asks those behind a shield how calls go, and only calls that fail are news', async () => {
    const recent = { seconds: 300, requests: 0, errors: 0, results: {} };
    let shield = { inFlight: 0, queued: 0, requests: 0, errors: 0, recent };
    const { poll, urls, news, seen, pass } = setUp(async () =>
      JSON.stringify({ ...JSON.parse(said()), verifiedDigest: 'sha256:aa', shield }),
    );
    const up = aPod({ ready: true });
    const asked = async (count: number) => {
      poll.ask([up], news);
      await vi.waitFor(() => expect(urls.length).toBe(count));
      await new Promise((resolve) => setImmediate(resolve));
    };
    await asked(1);
    expect(seen).toHaveLength(1);
    pass(13_000);
    poll.ask([up], news);
    expect(urls.length).toBe(1);
    pass(2_000);
    shield = { ...shield, requests: 7, recent: { ...recent, requests: 7 } };
    await asked(2);
    expect(seen).toHaveLength(1);
    pass(15_000);
    shield = { ...shield, errors: 1, recent: { ...recent, requests: 8, errors: 1, results: { status: 1 } } };
    await asked(3);
    expect(seen).toHaveLength(2);
    expect(poll.shields([up]).get(up.uid)).toEqual(shield);
    pass(60_000);
    expect(poll.shields([up]).size).toBe(0);
  });

  it('asks a bounded number at once, and those that answer do not wait for those that do not', async () => {
    const answers = new Map<string, (text: string) => void>();
    const { look, urls, news, pass } = setUp((url) => new Promise((resolve) => answers.set(url, resolve)));
    const many = (name: string, from: number) =>
      Array.from({ length: 200 }, (_, at) =>
        aPod({ name: `${name}-${at}`, uid: `${name}-${at}`, ip: `10.${from}.0.${at}` }),
      );
    const silent = many('silent', 1);
    look(silent, news);
    expect(urls.length).toBe(64);
    // All of them are asked in the end, and none of them says anything.
    await vi.waitFor(() => {
      for (const answer of answers.values()) answer('');
      expect(urls.length).toBe(200);
    });
    await vi.waitFor(() => {
      for (const answer of answers.values()) answer('');
      pass(20_000);
      look(silent, news);
      expect(urls.length).toBeGreaterThan(200);
    });
    look(many('new', 2), news);
    await vi.waitFor(() => expect(urls.filter((url) => url.startsWith('http://10.2.')).length).toBe(64));
  });
});

describe('hostNetworkPorts', () => {
  it('are four different ports outside the ranges that systems hand out', () => {
    const ports = hostNetworkPorts(pod.uid);
    expect(new Set(ports).size).toBe(4);
    for (const port of ports) expect(port >= 20_000 && port < 30_000).toBe(true);
  });
});
