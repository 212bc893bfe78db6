import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, settle } from '../../../test/builders/manual-clock.ts';
import { hasCode, MaasError } from '../../contracts/errors.ts';
import { silentLog } from '../../kernel/log.ts';
import { acquireLease, type Leadership, type LeaseClient, type LeaseOptions } from './lease.ts';
import type { Lease, Stored } from './resource-kind.ts';

/** The one lease on a server, as each candidate's connection shows it. */
class LeaseServer {
  stored: Stored<Lease> | undefined;
  writes = 0;
  #version = 0;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** `link` says how this candidate's calls go: cut off, without their answers, or slowly. */
  connect(link: { state: 'up' | 'down' | 'mute'; delayMs: number; answerMs: number }): LeaseClient {
    const travel = async (): Promise<void> => {
      if (link.delayMs > 0) await this.#clock.sleep(link.delayMs);
      if (link.state === 'down') await this.#hang();
    };
    const back = async <T>(value: T): Promise<T> => {
      if (link.answerMs > 0) await this.#clock.sleep(link.answerMs);
      if (link.state === 'mute') await this.#hang();
      return value;
    };
    return {
      get: async () => {
        await travel();
        return back(this.stored);
      },
      create: async (_kind, object) => {
        await travel();
        if (this.stored !== undefined) throw new MaasError('CONFLICT', 'it exists');
        return back(
          this.#store({
            ...object,
            metadata: { ...object.metadata, name: 'lease', uid: `uid-${++this.#version}`, resourceVersion: '' },
          }),
        );
      },
      mergePatch: async (_kind, _object, patch, options) => {
        await travel();
        const known = this.stored;
        if (known === undefined) throw new MaasError('CLUSTER_NOT_FOUND', 'no lease');
        const { uid, resourceVersion } = known.metadata;
        if (options?.uid !== uid || options?.resourceVersion !== resourceVersion)
          throw new MaasError('CONFLICT', 'changed');
        const metadata = { ...known.metadata, ...(patch['metadata'] as object | undefined) };
        return back(this.#store({ ...known, metadata, spec: { ...known.spec, ...(patch['spec'] as Lease['spec']) } }));
      },
    };
  }

  touch(): void {
    if (this.stored !== undefined) this.#store(this.stored);
  }

  async #hang(): Promise<never> {
    await this.#clock.sleep(5_000);
    throw new MaasError('CLUSTER_UNREACHABLE', 'no answer');
  }

  #store(lease: Stored<Lease>): Stored<Lease> {
    this.writes++;
    this.stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(++this.#version) } };
    return this.stored;
  }
}

class Candidate {
  readonly link = { state: 'up' as 'up' | 'down' | 'mute', delayMs: 0, answerMs: 0 };
  leadership: Leadership | undefined;
  leadsSince: number | undefined;
  readonly #stop = new AbortController();

  constructor(clock: ManualClock, server: LeaseServer, identity: string, more: Partial<LeaseOptions> = {}) {
    const options: LeaseOptions = {
      client: server.connect(this.link),
      namespace: 'maas',
      name: 'leader',
      identity,
      clock,
      log: silentLog,
      random: () => 1,
      ...more,
    };
    acquireLease(options, this.#stop.signal).then(
      (leadership) => {
        this.leadership = leadership;
        this.leadsSince = clock.monotonic();
      },
      () => {},
    );
  }

  get leads(): boolean {
    return this.leadership?.holds() === true;
  }
  giveUp(): void {
    this.#stop.abort(new Error('given up'));
  }
}

const world = () => {
  const clock = new ManualClock();
  return { clock, server: new LeaseServer(clock) };
};

describe('the leader lease', () => {
  it('goes to one of several candidates, which keeps it', async () => {
    const { clock, server } = world();
    const candidates = ['a', 'b', 'c'].map((identity) => new Candidate(clock, server, identity));
    await clock.advance(0);
    for (let minute = 0; minute < 10; minute++) {
      expect(candidates.filter((candidate) => candidate.leads)).toHaveLength(1);
      await clock.advance(60_000);
    }
    expect(server.stored?.spec?.leaseTransitions).toBe(0);
    expect(server.stored?.spec).toMatchObject({
      leaseDurationSeconds: 15,
      renewTime: expect.stringMatching(/\.\d{6}Z$/),
    });
  });

  it('passes to another within 20 s after the leader died', async () => {
    const { clock, server } = world();
    const leader = new Candidate(clock, server, 'a');
    await clock.advance(5_000);
    const heir = new Candidate(clock, server, 'b');
    await clock.advance(5_000);
    leader.link.state = 'down';
    const died = clock.monotonic();
    await clock.advance(20_000);
    expect(heir.leads).toBe(true);
    // The heir saw the last renewal a second after it happened, and does not wait for its next turn.
    expect((heir.leadsSince ?? Number.POSITIVE_INFINITY) - died).toBeLessThanOrEqual(16_000);
    expect(server.stored?.spec?.leaseTransitions).toBe(1);
  });

  it('passes to another within 3 s after the leader gave it back', async () => {
    const { clock, server } = world();
    const leader = new Candidate(clock, server, 'a');
    await clock.advance(1_000);
    const heir = new Candidate(clock, server, 'b');
    await clock.advance(7_000);
    const lost: unknown[] = [];
    leader.leadership?.lost.addEventListener('abort', () => lost.push('lost'));
    await leader.leadership?.release();
    expect(leader.leads).toBe(false);
    await clock.advance(3_000);
    expect(heir.leads).toBe(true);
    expect(lost).toEqual([]);
  });

  it('is lost, and said to be, before anyone else can have it', async () => {
    const { clock, server } = world();
    const leader = new Candidate(clock, server, 'a');
    await clock.advance(1_000);
    const heir = new Candidate(clock, server, 'b');
    await clock.advance(1_000);
    let lostAt: number | undefined;
    leader.leadership?.lost.addEventListener('abort', () => {
      lostAt = clock.monotonic();
    });
    leader.link.state = 'down';
    await clock.advance(30_000);
    expect(heir.leads).toBe(true);
    expect((heir.leadsSince ?? 0) - (lostAt ?? Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(5_000);
    expect(hasCode(leader.leadership?.lost.reason, 'LEASE_LOST')).toBe(true);
  });

  it('counts from before a renewal was sent, so a slow answer does not prolong it', async () => {
    const { clock, server } = world();
    const leader = new Candidate(clock, server, 'a');
    await clock.advance(1_000);
    const heir = new Candidate(clock, server, 'b');
    leader.link.answerMs = 3_000;
    await clock.advance(60_000);
    const renewed = server.writes;
    while (server.writes === renewed) await clock.advance(100);
    const stored = clock.monotonic();
    await clock.advance(3_200);
    leader.link.state = 'down';
    let lostAt = Number.POSITIVE_INFINITY;
    leader.leadership?.lost.addEventListener('abort', () => {
      lostAt = clock.monotonic();
    });
    await clock.advance(30_000);
    expect(lostAt).toBeLessThanOrEqual(stored + 10_000);
    expect((heir.leadsSince ?? 0) - lostAt).toBeGreaterThanOrEqual(5_000);
  });

  it('does not hold for a process that was paused past the deadline, before any timer could say so', async () => {
    const { clock, server } = world();
    let paused = 0;
    const leader = new Candidate(clock, server, 'a', {
      clock: { now: clock.now, sleep: clock.sleep, monotonic: () => clock.monotonic() + paused },
    });
    await clock.advance(3_000);
    expect(leader.leads).toBe(true);
    paused = 10_000;
    expect(leader.leadership?.lost.aborted).toBe(false);
    expect(leader.leads).toBe(false);
  });

  it('survives an API server that is away shorter than the deadline', async () => {
    const { clock, server } = world();
    const leader = new Candidate(clock, server, 'a');
    await clock.advance(4_000);
    leader.link.state = 'down';
    await clock.advance(4_000);
    leader.link.state = 'up';
    await clock.advance(60_000);
    expect(leader.leads).toBe(true);
  });

  it('survives a renewal whose answer got lost', async () => {
    const { clock, server } = world();
    const leader = new Candidate(clock, server, 'a');
    await clock.advance(1_900);
    leader.link.state = 'mute';
    await clock.advance(200);
    leader.link.state = 'up';
    await clock.advance(60_000);
    expect(leader.leads).toBe(true);
    expect(server.stored?.spec?.holderIdentity).toBe('a');
  });

  it('carries the annotations of its leader, as they are at each renewal, and can be given back at any moment', async () => {
    const { clock, server } = world();
    let word = 'first';
    const leader = new Candidate(clock, server, 'a', { annotations: () => ({ word }) });
    await clock.advance(0);
    const annotations = () => server.stored?.metadata.annotations;
    expect(annotations()).toEqual({ word: 'first' });
    expect(leader.leadership?.uid).toBe(server.stored?.metadata.uid);
    word = 'second';
    await clock.advance(2_500);
    expect(annotations()).toEqual({ word: 'second' });
    await leader.leadership?.release();
    expect(server.stored?.spec?.holderIdentity).toBe('');
  });

  it('is not disturbed by somebody who annotates it', async () => {
    const { clock, server } = world();
    const leader = new Candidate(clock, server, 'a');
    for (let round = 0; round < 10; round++) {
      await clock.advance(3_300);
      server.touch();
    }
    expect(leader.leads).toBe(true);
  });

  it('is lost at once when another holder is written into it or it is deleted', async () => {
    for (const spoil of ['holder', 'deletion'] as const) {
      const { clock, server } = world();
      const leader = new Candidate(clock, server, 'a');
      await clock.advance(1_000);
      if (spoil === 'deletion') server.stored = undefined;
      else if (server.stored?.spec !== undefined) {
        server.stored = { ...server.stored, spec: { ...server.stored.spec, holderIdentity: 'b' } };
        server.touch();
      }
      await clock.advance(2_500);
      expect(leader.leads).toBe(false);
      expect(hasCode(leader.leadership?.lost.reason, 'LEASE_LOST')).toBe(true);
    }
  });

  it('is not waited for any more when the candidate gives up', async () => {
    const { clock, server } = world();
    new Candidate(clock, server, 'a');
    await clock.advance(1_000);
    const other = new Candidate(clock, server, 'b');
    await clock.advance(1_000);
    const stop = new AbortController();
    const waiting = acquireLease(
      {
        client: server.connect({ state: 'up', delayMs: 0, answerMs: 0 }),
        namespace: 'maas',
        name: 'leader',
        identity: 'c',
        clock,
        log: silentLog,
      },
      stop.signal,
    );
    await settle();
    stop.abort(new Error('stopping'));
    await expect(waiting).rejects.toThrow('stopping');
    other.giveUp();
    await settle();
    const writes = server.writes;
    server.stored = undefined;
    await clock.advance(60_000);
    expect(server.writes).toBe(writes);
  });

  it('has times that make sense', async () => {
    const { clock, server } = world();
    const options: LeaseOptions = {
      client: server.connect({ state: 'up', delayMs: 0, answerMs: 0 }),
      namespace: 'maas',
      name: 'leader',
      identity: 'a',
      clock,
      log: silentLog,
    };
    const never = new AbortController().signal;
    await expect(acquireLease({ ...options, renewDeadlineMs: 15_000 }, never)).rejects.toThrow(TypeError);
    await expect(acquireLease({ ...options, retryMs: 10_000 }, never)).rejects.toThrow(TypeError);
    await expect(acquireLease({ ...options, durationMs: 15_500 }, never)).rejects.toThrow(TypeError);
  });

  it('never has two holders, and always gets one again, whatever the network does', async () => {
    const fault = fc.record({
      who: fc.integer({ min: 0, max: 2 }),
      state: fc.constantFrom('up' as const, 'down' as const, 'mute' as const),
      delayMs: fc.constantFrom(0, 0, 300, 1_500, 4_000),
      forMs: fc.integer({ min: 100, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 12 }), async (faults) => {
        const { clock, server } = world();
        let names = 0;
        const enter = () => new Candidate(clock, server, `replica-${names++}`);
        const candidates = [enter(), enter(), enter()];
        const pass = async (ms: number): Promise<void> => {
          for (let passed = 0; passed < ms; passed += 250) {
            await clock.advance(250);
            expect(candidates.filter((candidate) => candidate.leads).length).toBeLessThanOrEqual(1);
            // A replica that lost its lease ends and is started again.
            candidates.forEach((candidate, index) => {
              if (candidate.leadership?.lost.aborted === true) candidates[index] = enter();
            });
          }
        };
        for (const { who, state, delayMs, forMs } of faults) {
          Object.assign(candidates[who]?.link ?? {}, { state, delayMs });
          await pass(forMs);
        }
        for (const candidate of candidates) Object.assign(candidate.link, { state: 'up', delayMs: 0 });
        await pass(30_000);
        expect(candidates.filter((candidate) => candidate.leads)).toHaveLength(1);
      }),
      { numRuns: 30 },
    );
  });
});
