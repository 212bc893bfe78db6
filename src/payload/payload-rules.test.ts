import { describe, expect, it } from 'vitest';
import type { MaasError } from '../contracts/errors.ts';
import { checkPayloadPaths, isIgnored } from './payload-rules.ts';

function refusal(...paths: string[]): MaasError {
  try {
    checkPayloadPaths('/m', paths);
  } catch (error) {
    return error as MaasError;
  }
  throw new Error('accepted');
}

describe('checkPayloadPaths', () => {
  it.each([
    [['run.sh'], 'run.sh'],
    [['start me.sh', 'data/model.pkl', 'lib/run.sh', 'lib/x/other.sh'], 'start me.sh'],
    [['.sh'], '.sh'],
    // Copies of editors, operating systems and network file systems, in a directory that somebody put there as it was.
    [['run.sh', '._run.sh'], 'run.sh'],
    [['run.sh', '.run.sh.swp', '.#run.sh', '#run.sh#', 'run.sh~', 'run.sh.bak', '.~lock.run.sh#'], 'run.sh'],
    [['run.sh', '.backup.sh', '.git/hooks/pre-commit.sh'], 'run.sh'],
    [['.start.sh', '._.start.sh', '.#x.sh'], '.start.sh'],
    [['u\u0308.sh', 'RUN.SH'], 'ü.sh'],
    [['run.sh', 'a/b', 'a b', 'a%b', "it's", 'a\\b'], 'run.sh'],
    [['run.sh', 'lib/endpoint.dat', 'a/x.py', 'b/x.py'], 'run.sh'],
  ])('%j: the script is %s', (paths, script) => {
    expect(checkPayloadPaths('/m', paths)).toBe(script);
  });

  it.each([
    [[], 'PAYLOAD_NO_SCRIPT'],
    [['lib/run.sh', 'run.bash'], 'PAYLOAD_NO_SCRIPT'],
    [['a.sh', 'b.sh'], 'PAYLOAD_SEVERAL_SCRIPTS'],
    [['.a.sh', '.b.sh'], 'PAYLOAD_SEVERAL_SCRIPTS'],
    [['._run.sh', 'run.sh~'], 'PAYLOAD_NO_SCRIPT'],
    [['run.sh', '../x'], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', 'a/../../x'], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', '/etc/passwd'], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', 'a//b'], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', 'a\nb'], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', '\u001b[2J'], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', 'a:b'], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', 'x'.repeat(256)], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', `${'x'.repeat(200)}/`.repeat(25).concat('f')], 'PAYLOAD_NAME_INVALID'],
    [['run.sh', 'ü', 'u\u0308'], 'PAYLOAD_NAME_COLLISION'],
    [['run.sh', 'ü/a', 'u\u0308/a'], 'PAYLOAD_NAME_COLLISION'],
    [['run.sh', 'ü', 'u\u0308/a'], 'PAYLOAD_NAME_COLLISION'],
    [['run.sh._COPYING_'], 'PAYLOAD_INCOMPLETE'],
    [['run.sh', 'data/big._COPYING_'], 'PAYLOAD_INCOMPLETE'],
  ])('%j is %s', (paths, code) => {
    const error = refusal(...paths);
    expect(error.code).toBe(code);
    expect(error.message).toContain('/m');
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });
});

it.each([
  ['endpoint.dat', true],
  ['lib/endpoint.dat', false],
  ['.maas-manifest.json', true],
  ['lib/.maas-manifest.json', false],
  ['.staging-0123456789ab-x', true],
  ['.staging-0123456789ab-x/run.sh', true],
  ['lib/.staging-x', false],
  ['run.sh', false],
])('%s is left out: %s', (path, ignored) => {
  expect(isIgnored(path)).toBe(ignored);
});
