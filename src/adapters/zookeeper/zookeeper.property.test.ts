/** Whatever happens to connections and sessions: every call ends, and every watch ends with the truth. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FakeServer, type Fate } from '../../../test/builders/fake-zookeeper-server.ts';
import { hasCode } from '../../contracts/errors.ts';
import { silentLog } from '../../kernel/log.ts';
import { systemClock } from '../../kernel/system-clock.ts';
import { ZooKeeper } from './zookeeper.ts';

const names = ['a', 'b', 'c'];
const name = fc.constantFrom(...names);
const text = fc.string({ maxLength: 5 });

const ownAction = fc.oneof(
  fc.record({ act: fc.constant('create' as const), name, text, ephemeral: fc.boolean() }),
  fc.record({ act: fc.constant('set' as const), name, text }),
  fc.record({ act: fc.constant('delete' as const), name }),
  fc.record({ act: fc.constant('read' as const), name }),
);
const foreignAction = fc.record({ act: fc.constantFrom('put' as const, 'remove' as const), name, text });
const fault = fc.record({
  act: fc.constantFrom(
    'disconnect' as const,
    'freeze' as const,
    'expire' as const,
    'garbage' as const,
    'unknown event' as const,
    'refuse' as const,
    'mute' as const,
    'welcome' as const,
  ),
});
const fate: fc.Arbitrary<Fate> = fc.oneof(
  fc.constantFrom<Fate>('drop', 'lose'),
  fc.integer({ min: 0, max: 40 }).map((cutAfter) => ({ cutAfter })),
  fc.constantFrom<Fate>({ error: -9_999 }, { xid: 77 }, { body: Buffer.alloc(3) }),
);
const badLuck = fc.record({ act: fc.constant('bad luck' as const), fate });
const rest = fc.record({ act: fc.constant('rest' as const), ms: fc.integer({ min: 0, max: 30 }) });
const steps = fc.array(fc.oneof(ownAction, ownAction, foreignAction, foreignAction, fault, badLuck, rest, rest), {
  minLength: 3,
  maxLength: 25,
});

type Command = (typeof steps extends fc.Arbitrary<infer Commands> ? Commands : never)[number];

/** What each command does to the server or asks of the client; a call's error is its outcome. */
class Scenario {
  readonly calls: Promise<unknown>[] = [];
  readonly #fake: FakeServer;
  readonly #zk: ZooKeeper;
  /** Of the next request. */
  #fate: Fate | undefined;

  constructor(fake: FakeServer, zk: ZooKeeper) {
    this.#fake = fake;
    this.#zk = zk;
    fake.fate = () => {
      const now = this.#fate ?? 'answer';
      this.#fate = undefined;
      return now;
    };
  }

  async play(command: Command): Promise<void> {
    const fake = this.#fake;
    switch (command.act) {
      case 'create':
        return this.#call(
          this.#zk.create(`/n/${command.name}`, Buffer.from(command.text), { ephemeral: command.ephemeral }),
        );
      case 'set':
        return this.#call(this.#zk.set(`/n/${command.name}`, Buffer.from(command.text)));
      case 'delete':
        return this.#call(this.#zk.delete(`/n/${command.name}`));
      case 'read':
        return this.#call(this.#zk.get(`/n/${command.name}`));
      case 'put':
        return fake.put(`/n/${command.name}`, command.text);
      case 'remove':
        if (fake.nodes.has(`/n/${command.name}`)) fake.remove(`/n/${command.name}`);
        return;
      case 'disconnect':
        return fake.disconnect();
      case 'freeze':
        return fake.freeze();
      case 'expire':
        for (const session of [...fake.sessions.keys()]) fake.expire(session);
        return;
      case 'garbage':
        return fake.sendRaw(Buffer.from([0, 0, 0, 1, 255]));
      case 'unknown event':
        return fake.sendEvent(99, '/n/a');
      case 'refuse':
        fake.greeting = 'close';
        return;
      case 'mute':
        fake.greeting = 'stay silent';
        return;
      case 'welcome':
        fake.greeting = 'answer';
        return;
      case 'bad luck':
        this.#fate = command.fate;
        return;
      case 'rest':
        return await systemClock.sleep(command.ms);
    }
  }

  heal(): void {
    this.#fake.greeting = 'answer';
    this.#fate = undefined;
  }

  #call(call: Promise<unknown>): void {
    this.calls.push(call.catch((error: unknown) => error));
  }
}

const expected = [
  'ZOOKEEPER_CONFLICT',
  'ZOOKEEPER_ERROR',
  'ZOOKEEPER_SESSION_EXPIRED',
  'ZOOKEEPER_TIMEOUT',
  'ZOOKEEPER_UNREACHABLE',
] as const;

describe('whatever happens', () => {
  it('every call ends, and every watch ends with the truth', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (commands) => {
        await using fake = await FakeServer.start();
        fake.put('/n', '');
        const zk = new ZooKeeper({
          quorum: fake.address,
          sessionTimeoutMs: 150,
          clock: systemClock,
          log: silentLog,
        });
        try {
          const nodes = new Map<string, string | undefined>();
          let children: string[] | undefined;
          for (const each of names) zk.watchNode(`/n/${each}`, (node) => nodes.set(each, node?.data.toString()));
          zk.watchChildren('/n', (now) => {
            children = now;
          });
          await zk.connected(2_000);
          const scenario = new Scenario(fake, zk);
          for (const command of commands) await scenario.play(command);
          scenario.heal();
          const errors = (await Promise.all(scenario.calls)).filter((outcome) => outcome instanceof Error);
          expect(errors.filter((error) => !hasCode(error, ...expected))).toEqual([]);
          await vi.waitFor(
            () => {
              // Until it is noticed, what was true before the silence may still be true, and nobody could be told.
              expect(fake.frozen).toBe(0);
              expect(fake.sessions.has(zk.session()?.id ?? '')).toBe(true);
              expect(children?.toSorted()).toEqual(names.filter((each) => fake.nodes.has(`/n/${each}`)));
              for (const each of names) {
                expect([each, nodes.has(each)]).toEqual([each, true]);
                expect([each, nodes.get(each)]).toEqual([each, fake.nodes.get(`/n/${each}`)?.data.toString()]);
              }
            },
            { timeout: 5_000, interval: 5 },
          );
          const session = zk.session()?.id ?? '';
          await zk.close();
          expect(fake.sessions.has(session)).toBe(false);
        } finally {
          await zk.close();
        }
      }),
      { numRuns: 25, interruptAfterTimeLimit: 40_000 },
    );
  });
});
