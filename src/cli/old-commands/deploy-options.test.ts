import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asMaasError } from '../../contracts/errors.ts';
import { deployHelp, deployOptions, type LegacyDeploy, parseLegacyDeploy } from './deploy-options.ts';

const env = { namespace: undefined, operatorNamespace: 'maas-system' };
const parsed = (...argv: string[]) => parseLegacyDeploy(argv, env);

function refusal(...argv: string[]): string {
  try {
    return `accepted: ${JSON.stringify(parsed(...argv))}`;
  } catch (error) {
    const { code, message } = asMaasError(error);
    return `${code}: ${message}`;
  }
}

const everywhere = { cluster: {}, namespace: undefined, operatorNamespace: 'maas-system' };
const add: LegacyDeploy = {
  ...everywhere,
  mode: 'ADD',
  model: 'dga',
  version: '1.0',
  instances: 2,
  memoryMb: 512,
  localPath: './dga',
  hdfsPath: '/user/root/models',
};

describe('the command line of the old deploy client', () => {
  it.each<[string, string[]]>([
    [
      'short',
      '-mo ADD -n dga -v 1.0 -ni 2 -m 512 -lmp ./dga -hmp /user/root/models -zq node1:2181 -zr /x -l f'.split(' '),
    ],
    [
      'long',
      (
        '--mode ADD --name dga --version 1.0 --num_instances 2 --memory 512 --local_model_path ./dga ' +
        '--hdfs_model_path /user/root/models --zk_quorum node1:2181 --zk_root /x --log4j f'
      ).split(' '),
    ],
    [
      'short with two dashes, long with one',
      '--mo ADD --n dga -version 1.0 -num_instances 2 --m 512 --lmp ./dga -hdfs_model_path /user/root/models'.split(
        ' ',
      ),
    ],
    ['with equals signs', '-mo=ADD --name=dga -v=1.0 -ni=2 --memory=512 -lmp=./dga --hmp=/user/root/models'.split(' ')],
    ['with -zk', '-zk node1:2181 -mo add -n dga -v 1.0 -ni 2 -m 512 -lmp ./dga -hmp /user/root/models'.split(' ')],
    [
      'with --zk, and said twice',
      '--zk a:1 -zk a:1 -mo Add -n dga -v 1.0 -ni 2 -m 512 -lmp ./dga -hmp /user/root/models'.split(' '),
    ],
  ])('is read %s', (_how, argv) => {
    expect(parsed(...argv)).toEqual(add);
  });

  it('has the defaults that it had', () => {
    expect(parsed('-mo', 'ADD', '-n', 'dga', '-v', '1', '-hmp', 'm')).toMatchObject({
      instances: 1,
      memoryMb: undefined,
      localPath: undefined,
    });
    expect(parsed('-mo', 'REMOVE', '-n', 'dga', '-v', '1')).toEqual({
      ...everywhere,
      mode: 'REMOVE',
      model: 'dga',
      version: '1',
      instances: 1,
    });
  });

  it('does not look at what a mode does not need', () => {
    expect(refusal('-mo', 'REMOVE', '-n', 'a', '-v', '1', '-m', 'much', '-lmp', '/no', '-hmp', '')).toMatch(
      /^accepted/,
    );
    const list = parsed('-mo', 'LIST', '-zq', 'z:1', '-m', 'x', '-ni', '-3', '-hmp', '', '-n', 'dga', '-v', '1');
    expect(list).toEqual({
      ...everywhere,
      mode: 'LIST',
      model: 'dga',
      version: '1',
      quorum: 'z:1',
      configPath: undefined,
    });
  });

  it('takes what is new from options and environment, the option first', () => {
    const argv = ['-mo', 'LIST', '--context', 'c', '--kubeconfig', 'k', '--operator-namespace', 'o'];
    expect(parsed(...argv)).toMatchObject({ cluster: { context: 'c', kubeconfig: 'k' }, operatorNamespace: 'o' });
    const from = { namespace: 'fraud', operatorNamespace: 'ours' };
    expect(parseLegacyDeploy(['-mo', 'LIST'], from)).toMatchObject(from);
    expect(parseLegacyDeploy(['-mo', 'LIST', '--namespace', 'dns'], from)).toMatchObject({ namespace: 'dns' });
  });

  it.each([[[]], [['-h']], [['--help']], [['-help']], [['-mo', 'ADD', '--h']]])('asks for help with %j', (argv) => {
    expect(parsed(...argv)).toBeUndefined();
    for (const { short, long } of deployOptions) expect(deployHelp()).toContain(`-${short}, --${long}`);
  });

  const named = ['-n', 'dga', '-v', '1.0'];
  it.each<[string, string[], RegExp]>([
    ['no mode', named, /every call needs -mo/],
    ['another mode', ['-mo', 'UPDATE', ...named], /no mode "UPDATE"/],
    ['ADD without a path', ['-mo', 'ADD', ...named], /ADD needs -hmp/],
    ['ADD without a name', ['-mo', 'ADD', '-v', '1', '-hmp', 'x'], /ADD needs -n/],
    ['REMOVE without a version', ['-mo', 'REMOVE', '-n', 'x'], /REMOVE needs -v/],
    ['an empty name', ['-mo', 'REMOVE', '-n', '', '-v', '1'], /-n: "" cannot be used/],
    ['an empty version', ['-mo', 'REMOVE', '-n', 'a', '-v', ''], /-v: "" cannot be used/],
    ['an empty path', ['-mo', 'ADD', ...named, '-hmp', ''], /-hmp: "" cannot be used/],
    ['an empty local path', ['-mo', 'ADD', ...named, '-hmp', 'x', '-lmp', ''], /-lmp: "" cannot be used/],
    ['a name with a slash', ['-mo', 'REMOVE', '-n', 'a/b', '-v', '1'], /-n: "a\/b" cannot be used/],
    ['no instances', ['-mo', 'REMOVE', ...named, '-ni', '0'], /-ni: "0".*from 1 to 1000/],
    ['fewer than none', ['-mo', 'REMOVE', ...named, '-ni', '-1'], /-ni: "-1".*from 1/],
    ['memory in words', ['-mo', 'ADD', ...named, '-hmp', 'x', '-m', '512Mi'], /-m: "512Mi".*megabytes/],
    ['no memory', ['-mo', 'ADD', ...named, '-hmp', 'x', '-m', '0'], /-m: "0".*megabytes/],
    ['an unknown option', ['-mo', 'LIST', '-q', 'x'], /no option "-q"/],
    ['a stray word', ['-mo', 'LIST', '-n', 'my', 'model'], /"model" belongs to no option/],
    ['a value that was forgotten', ['-mo', 'LIST', '-n', '-v', '1'], /-n, --name needs a value/],
    ['a value that was forgotten at the end', ['-mo', 'LIST', '-n'], /-n, --name needs a value/],
    ['two different values', ['-mo', 'LIST', '-n', 'a', '--name', 'b'], /given twice, as "a" and as "b"/],
    ['a dash alone', ['-mo', 'LIST', '-'], /"-" belongs to no option/],
  ])('refuses %s', (_what, argv, message) => {
    expect(refusal(...argv)).toMatch(/^USAGE: /);
    expect(refusal(...argv)).toMatch(message);
  });

  it('takes a value that begins with a dash, if it is no option', () => {
    expect(parsed('-mo', 'LIST', '-n', '-dga')).toMatchObject({ model: '-dga' });
  });

  it('never fails otherwise than by refusing', () => {
    const word = fc.oneof(
      fc.constantFrom(...deployOptions.flatMap(({ short, long }) => [`-${short}`, `--${long}`])),
      fc.constantFrom('ADD', 'LIST', 'REMOVE', '', '-', '--', '=', '-n=', '1', 'x'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (argv) => {
        expect(refusal(...argv)).toMatch(/^(accepted|USAGE)/);
      }),
    );
  });
});
