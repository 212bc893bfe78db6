/**
 * Threads of the clients in the field, of a model that goes wrong once: what becomes of them without a shield, and behind
 * the one of a real agent.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AgentPod } from './agent-pod.ts';
import { Chroot } from './chroot.ts';
import { Load } from './java.ts';

let chroot: Chroot;
beforeAll(async () => {
  chroot = await Chroot.make();
});
afterAll(async () => {
  await chroot[Symbol.asyncDispose]();
});

let children = 0;
const pods: AgentPod[] = [];
afterEach(async () => {
  for (const pod of pods.splice(0)) await pod[Symbol.asyncDispose]();
});

const shield = { timeLimitMs: 500, maxInFlight: 4, maxQueued: 4, queueTimeMs: 500, onError: 'NoContent' };

interface Stand {
  readonly pod: AgentPod;
  /** For clients that see this pod alone. */
  readonly connect: string;
}

async function aPod(instructions: object = { shield }): Promise<Stand> {
  const child = `shield-${children++}`;
  await chroot.nodes.create(`${chroot.path}/${child}`);
  const connect = chroot.connect(child);
  const pod = new AgentPod({ quorum: connect, instructions });
  pods.push(pod);
  return { pod: pod.startAgent(), connect };
}

/** A model that does this with the first request (`q`, `r`), and answers all others. It prints its port. */
const firstOf = (first: string, host: string) => `
  let calls = 0;
  const server = require('node:http').createServer((q, r) => {
    if (calls++ === 0) { ${first} } else r.end('{"calls":' + calls + '}');
  });
  server.listen(0, '${host}', () => console.log(server.address().port));`;

const goingWrong = {
  hangs: '',
  'answers 500 with a body': `r.writeHead(500); r.end('{"error":"no"}');`,
  'closes within its answer': `r.writeHead(200, { 'content-length': 99 }); r.write('{"cut', () => r.destroy());`,
  'closes without an answer': 'r.destroy();',
} as const;

/** Three calls of one thread: what came of each that failed, and how many were answered. */
async function threeCalls(connect: string): Promise<{ failed: string[]; answered: number; unfinished: number }> {
  await using load = await Load.start(connect, { model: 'dga', threads: 1, count: 3, forMs: 3_000 });
  const { answered, unfinished } = await load.sum();
  return { failed: load.failed.flatMap((line) => ('kind' in line ? [line.kind] : [])), answered, unfinished };
}

async function urlOf(pod: AgentPod): Promise<string | undefined> {
  await pod.becomes('Registered');
  return (await pod.status())?.url;
}

test('an agent that was killed comes back to the same port, beside a model that lives', async () => {
  const { pod, connect } = await aPod();
  await pod.startModel(firstOf('r.end("{}");', '127.0.0.1'));
  const url = await urlOf(pod);
  await pod.killAgent('SIGKILL');
  pod.startAgent();
  expect(await urlOf(pod)).toBe(url);
  expect(await threeCalls(connect)).toEqual({ failed: [], answered: 3, unfinished: 0 });
  expect((await pod.status())?.shield).toMatchObject({ requests: 3, errors: 0 });
});

describe.each([
  ['hangs', { failed: [], answered: 0, unfinished: 1 }, { failed: ['status'], answered: 2, unfinished: 0 }],
  [
    'answers 500 with a body',
    { failed: ['status', 'broken-thread', 'broken-thread'], answered: 0, unfinished: 0 },
    { failed: ['status'], answered: 2, unfinished: 0 },
  ],
  [
    'closes within its answer',
    { failed: ['other'], answered: 2, unfinished: 0 },
    { failed: ['status'], answered: 2, unfinished: 0 },
  ],
  ['closes without an answer', { failed: [], answered: 3, unfinished: 0 }, { failed: [], answered: 3, unfinished: 0 }],
] as const)('of a model that %s', (how, without, behind) => {
  test('a thread without a shield', async () => {
    const { pod, connect } = await aPod({});
    const port = await pod.startModel(firstOf(goingWrong[how], '0.0.0.0'));
    expect(await urlOf(pod)).toMatch(new RegExp(`:${port}$`));
    expect(await threeCalls(connect)).toEqual(without);
  });

  test('a thread behind one', async () => {
    const { pod, connect } = await aPod();
    const port = await pod.startModel(firstOf(goingWrong[how], '127.0.0.1'));
    const url = await urlOf(pod);
    expect(url).not.toContain(`:${port}`);
    expect(url).toMatch(new RegExp(`:${(await pod.status())?.shield?.port}$`));
    expect(await threeCalls(connect)).toEqual(behind);
  });
});
