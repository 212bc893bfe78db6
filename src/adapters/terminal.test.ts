import { expect, it } from 'vitest';
import { terminalOutput } from './terminal.ts';

const looks = (stream: { isTTY?: boolean; columns?: number }, env: NodeJS.ProcessEnv = { TERM: 'xterm' }) => {
  const { terminal, colour, width } = terminalOutput({ write: () => true, ...stream }, env);
  return { terminal, colour, width };
};

it.each([
  ['a pipe', {}, { TERM: 'xterm' }, { terminal: false, colour: false, width: 80 }],
  ['a terminal', { isTTY: true, columns: 120 }, { TERM: 'xterm' }, { terminal: true, colour: true, width: 120 }],
  ['one that does not say its size', { isTTY: true, columns: 0 }, {}, { terminal: true, colour: true, width: 80 }],
  ['one without colours', { isTTY: true }, { NO_COLOR: '1' }, { terminal: true, colour: false, width: 80 }],
  ['one that can do nothing', { isTTY: true }, { TERM: 'dumb' }, { terminal: false, colour: false, width: 80 }],
])('knows %s', (_what, stream, env, wanted) => {
  expect(looks(stream, env)).toEqual(wanted);
});

it('writes as it is told', () => {
  let text = '';
  terminalOutput({ write: (more) => (text += more) }, {}).write('line\n');
  expect(text).toBe('line\n');
});
