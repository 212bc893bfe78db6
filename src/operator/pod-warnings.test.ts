import { describe, expect, it, vi } from 'vitest';
import { HastyClock, settle } from '../../test/builders/manual-clock.ts';
import { aPod, start } from '../../test/builders/model-deployment.ts';
import { MaasError } from '../contracts/errors.ts';
import { silentLog } from '../kernel/log.ts';
import type { ContainerView, PodView, PodWarning } from '../plan/observation.ts';
import { type ListPodWarnings, PodWarnings } from './pod-warnings.ts';

const waiting = (reason: string): ContainerView => ({ restarts: 0, state: { kind: 'waiting', reason, message: '' } });
const held = aPod({ agent: waiting('PodInitializing'), model: waiting('PodInitializing') });
const warning: PodWarning = {
  podUid: held.uid,
  reason: 'FailedMount',
  message: 'secret "x" not found',
  lastSeen: start,
};

function setUp(list: ListPodWarnings, age = 5_000) {
  const clock = new HastyClock(start + age);
  const asked: { namespace: string; at: number }[] = [];
  const poll = new PodWarnings(
    (namespace) => {
      asked.push({ namespace, at: clock.monotonic() });
      return list(namespace);
    },
    clock,
    silentLog,
  );
  /** What whoever is told looks at then. */
  const seen: (readonly PodWarning[] | undefined)[] = [];
  const news = () => seen.push(poll.view([held]).get(held.uid));
  /** Asks what is due, and gives what was known before. */
  const look = (pods: readonly PodView[], told: () => void) => {
    poll.ask(pods, told);
    return poll.view(pods);
  };
  return { look, asked, news, seen, pass: clock.pass };
}

describe('PodWarnings', () => {
  it('asks in the background, once for all pods of a namespace, and tells when something new is heard', async () => {
    const { look, asked, news, seen } = setUp(async () => [warning]);
    const other = { ...held, uid: 'other' };
    expect(look([held, other], news).size).toBe(0);
    await vi.waitFor(() => expect(seen).toEqual([[warning]]));
    expect(look([held, other], news)).toEqual(new Map([[held.uid, [warning]]]));
    expect(asked.map(({ namespace }) => namespace)).toEqual(['fraud']);
  });

  it.each<[string, Partial<PodView>]>([
    ['is ready', { ready: true }],
    ['leaves', { deleting: true }],
    ['is dead', { dead: { why: 'Evicted', at: 0 } }],
    ['has no node', { unschedulable: 'no room' }],
    ['waits at a gate', { gated: 'not admitted' }],
    [
      'runs',
      { agent: { restarts: 0, state: { kind: 'running' } }, model: { restarts: 0, state: { kind: 'running' } } },
    ],
    ['was made just now', { createdAt: start + 4_000 }],
    [
      'ran and crashed',
      {
        agent: { restarts: 0, state: { kind: 'running' } },
        model: {
          ...waiting('CrashLoopBackOff'),
          restarts: 1,
          lastTermination: { kind: 'terminated', exitCode: 1, reason: 'Error', message: '' },
        },
      },
    ],
  ])('asks nothing about a pod that %s', (_name, changes) => {
    const { look, asked, news } = setUp(async () => []);
    expect(look([{ ...held, ...changes }], news).size).toBe(0);
    expect(asked).toEqual([]);
  });

  it('asks about an image that is not pulled although the agent runs', () => {
    const { look, asked, news } = setUp(async () => []);
    look([{ ...held, agent: { restarts: 0, state: { kind: 'running' } }, model: waiting('ErrImagePull') }], news);
    expect(asked).toHaveLength(1);
  });

  it('asks less and less often while nothing changes, but soon about a pod that is new', async () => {
    const { look, asked, news, pass } = setUp(async () => [warning]);
    for (let second = 0; second < 60; second++) {
      look([held], news);
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
      pass(1_000);
    }
    expect(asked.length).toBeLessThan(12);
    expect(asked.length).toBeGreaterThan(5);
    const before = asked.length;
    pass(2_000);
    look([held, { ...held, uid: 'new' }], news);
    expect(asked.length).toBe(before + 1);
  });

  it('leaves an older role alone for a minute', async () => {
    const { look, asked, news, seen, pass } = setUp(async () => {
      throw new MaasError('CLUSTER_FORBIDDEN', 'no');
    });
    for (let second = 0; second < 59; second++) {
      look([held], news);
      await settle();
      pass(1_000);
    }
    expect(seen).toEqual([]);
    expect(asked.length).toBe(1);
  });
});
