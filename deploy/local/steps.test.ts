import { afterEach, expect, test, vi } from 'vitest';
import { remark, seconds, step } from './steps.ts';

afterEach(() => vi.restoreAllMocks());

test.each([
  [0, '0.0 s'],
  [3_149, '3.1 s'],
  [59_949, '59.9 s'],
  [59_960, '1 min 0 s'],
  [125_400, '2 min 5 s'],
])('%d ms is %s', (ms, text) => {
  expect(seconds(ms)).toBe(text);
});

test('what a step remarks stands in its own closing line', async () => {
  const printed: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  await Promise.all([
    step('One', async (say) => {
      say('made');
      await Promise.resolve();
      remark('out of sources');
    }),
    step('Other', async () => {}),
  ]);
  expect(printed.map((line) => line.replaceAll(/ +/g, ' ').trim()).sort()).toEqual([
    expect.stringMatching(/^ok One 0\.\d s made; out of sources$/),
    expect.stringMatching(/^ok Other 0\.\d s$/),
  ]);
});
