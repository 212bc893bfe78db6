/** Payloads that are large, odd or late, through a real HDFS into real pods. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonModel, script } from './payloads.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('payload');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const gibibyte = 2 ** 30;

describe('a payload', () => {
  it('of 3 GB comes into a pod whose agent may use 128Mi', async () => {
    const directory = await stage.payload('large', pythonModel('1.0'));
    const block = Buffer.alloc(2 ** 20, 'weights ');
    const length = 3 * gibibyte;
    const weights = () =>
      Readable.from(
        (function* () {
          for (let sent = 0; sent < length; sent += block.length) yield block;
        })(),
      );
    await stage.hdfs.write(`${directory}/weights.bin`, weights, { length, overwrite: true });
    await stage.apply('large', {});
    await stage.serves('large', 1, 240_000);
    const [pod] = (await stage.pods()).filter((candidate) => candidate.name.startsWith('large-'));
    expect(pod?.restarts).toBe(0);
    const limit = '{.spec.initContainers[0].resources.limits.memory}';
    expect(await stage.k('get', 'pod', pod?.name ?? '', '-o', `jsonpath=${limit}`)).toBe('128Mi');
    const size = await stage.k('exec', pod?.name ?? '', '-c', 'model', '--', 'stat', '-c', '%s', 'weights.bin');
    expect(Number(size)).toBe(length);
    await stage.k('delete', 'mdl', 'large');
  }, 420_000);

  it('keeps its subdirectories, odd names and empty files, and is writable for the script', async () => {
    await stage.payload('odd', {
      ...script(
        'set -e\ncat "data dir/100 %.txt" "größe.txt"\ntest -e empty\necho written > state\nexec python server.py 1.0',
      ),
      'server.py': pythonModel('1.0')['server.py'] ?? '',
      'data dir/100 %.txt': 'percent\n',
      'größe.txt': 'umlaut\n',
      empty: '',
      'tools/setup.sh': 'echo a script below the top is data',
    });
    await stage.apply('odd', {});
    await stage.serves('odd', 1);
    const [pod] = (await stage.pods()).filter((candidate) => candidate.name.startsWith('odd-'));
    expect(await stage.k('logs', pod?.name ?? '', '-c', 'model')).toContain('percent\numlaut\n');
  });
});
