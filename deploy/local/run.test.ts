import { describe, expect, test } from 'vitest';
import { CommandFailed, run, runPiped, succeeds } from './run.ts';

describe('running a program', () => {
  test('gives its output', async () => {
    expect(await run('sh', ['-c', 'cat; echo "$WORD"'], { input: 'in ', env: { WORD: 'out' } })).toBe('in out\n');
  });

  test('that fails says how, with the end of what it printed', async () => {
    const failing = run('sh', ['-c', 'echo one; echo two >&2; exit 3']);
    await expect(failing).rejects.toThrow(CommandFailed);
    await expect(failing).rejects.toThrow(/exit code 3\n(one\ntwo|two\none)/);
  });

  test('that is not there fails', async () => {
    await expect(run('/no/such/program', [])).rejects.toThrow('ENOENT');
    expect(await succeeds('/no/such/program', [])).toBe(false);
  });

  test('that takes too long is killed', async () => {
    await expect(run('sleep', ['60'], { timeoutMs: 50 })).rejects.toThrow('ended by SIGKILL');
  });

  test('that does not read its input is no failure', async () => {
    expect(await run('true', [], { input: 'x'.repeat(1_000_000) })).toBe('');
  });
});

describe('a pipe', () => {
  test('gives the output of its end', async () => {
    expect(await runPiped(['echo', 'one'], ['tr', 'a-z', 'A-Z'])).toBe('ONE\n');
  });

  test.each([
    ['first', ['sh', '-c', 'echo one; exit 4'], ['cat'], 'exit code 4'],
    ['second', ['echo', 'one'], ['sh', '-c', 'cat > /dev/null; exit 5'], 'exit code 5'],
  ] as const)('fails when the %s part does', async (_, first, second, how) => {
    await expect(runPiped([...first], [...second])).rejects.toThrow(how);
  });
});
