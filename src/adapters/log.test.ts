import { describe, expect, it } from 'vitest';
import { MaasError } from '../contracts/errors.ts';
import { createLog } from './log.ts';

function logged(level?: string) {
  const lines: string[] = [];
  const log = createLog({ name: 'test', to: { write: (line) => lines.push(line) }, ...(level && { level }) });
  return { log, lines, entries: () => lines.map((line): unknown => JSON.parse(line)) };
}

describe('a log', () => {
  it('writes an entry as a line of JSON', () => {
    const { log, lines, entries } = logged();
    log.child({ part: 'zookeeper' }).info({ server: 'a:1' }, 'connected');
    log.debug({}, 'not at this level');
    expect(lines).toEqual([expect.stringMatching(/^[^\n]+\n$/)]);
    expect(entries()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        name: 'test',
        part: 'zookeeper',
        server: 'a:1',
        msg: 'connected',
      },
    ]);
  });

  it('says the code of an error, what to do and its cause', () => {
    const { log, entries } = logged();
    const err = new MaasError('ZOOKEEPER_TIMEOUT', 'no answer', { cause: new Error('the socket') });
    log.warn({ err }, 'failed');
    expect(entries()).toMatchObject([
      { err: { code: 'ZOOKEEPER_TIMEOUT', message: 'no answer: the socket', next: 'Check the load of ZooKeeper.' } },
    ]);
  });

  it('lets no text steer a terminal or begin a line of its own, and loses nothing of it', () => {
    const { log, lines, entries } = logged();
    const nasty = 'a\u001b[2Jb\nc\rd\u007f\u009b1m\u202eevil\u2028\u2029\u200f\ud800 \u{e0001} "q" \\ ü 模型 👍';
    log.info({ nasty, [nasty]: 1 }, nasty);
    const line = (lines[0] ?? '').slice(0, -1);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
    expect(line).toContain('ü 模型 👍');
    expect(entries()).toMatchObject([{ nasty, msg: nasty, [nasty]: 1 }]);
  });

  it('of an unknown level speaks at info, and says so', () => {
    const { log, entries } = logged('loud');
    log.debug({}, 'not heard');
    expect(entries()).toMatchObject([
      { level: 'warn', asked: 'loud', msg: 'there is no such log level, so it is info' },
    ]);
  });

  it('can be silent', () => {
    const { log, lines } = logged('silent');
    log.error({}, 'not heard');
    expect(lines).toEqual([]);
  });
});
