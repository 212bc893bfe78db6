import { expect, it } from 'vitest';
import { MaasError } from '../contracts/errors.ts';
import { type Call, measured } from './measured-calls.ts';

class Client {
  readonly #secret = 7;
  async get(path: string): Promise<string> {
    if (path === '/missing') throw new MaasError('HDFS_PATH_MISSING', 'nothing there');
    if (path === '/given-up') throw new DOMException('given up', 'AbortError');
    if (path === '/odd') throw new TypeError('odd');
    return `${path} ${this.#secret}`;
  }
  state(): string {
    return `state ${this.#secret}`;
  }
}

it('tells of each call how it ended and how long it took, and changes neither', async () => {
  let now = 0;
  const calls: Call[] = [];
  const client = measured(new Client(), ['get'], {
    monotonic: () => {
      now += 250;
      return now;
    },
    observe: (call) => calls.push(call),
  });
  expect(await client.get('/a')).toBe('/a 7');
  await expect(client.get('/missing')).rejects.toThrow('nothing there');
  await expect(client.get('/given-up')).rejects.toThrow('given up');
  await expect(client.get('/odd')).rejects.toThrow(TypeError);
  expect(client.state()).toBe('state 7');
  const seconds = 0.25;
  expect(calls).toEqual(
    ['OK', 'HDFS_PATH_MISSING', 'INTERRUPTED', 'INTERNAL'].map((code) => ({ operation: 'get', code, seconds })),
  );
});
