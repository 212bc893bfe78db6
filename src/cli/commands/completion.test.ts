import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { someModels } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';

describe('complete', () => {
  const completed = async (...words: string[]) => {
    const ports = cliPorts({ cluster: someModels().cluster() });
    expect(await typed(['__complete', ...words], ports)).toBe(0);
    return ports.out.text;
  };

  it('knows the commands', async () => {
    expect(await completed('li')).toBe('list\tLists the models and what clients see of them.\n:4\n');
  });

  it('knows the flags that are not given yet', async () => {
    expect(await completed('remove', '--name', 'x', '--n')).toBe(
      "--namespace\tNamespace. (default: the context's)\n:4\n",
    );
    expect(await completed('add', '--env', 'A=1', '--en')).toContain('--env\t');
  });

  it('knows values: formats, models, their versions, files', async () => {
    expect(await completed('list', '-o', 'w')).toBe('wide\n:4\n');
    expect(await completed('list', '--name', '')).toBe('dga\necho\n:4\n');
    expect(await completed('remove', '--name', 'dga', '--version', '')).toBe('1.0\n2.0\n:4\n');
    expect(await completed('remove', '--name=echo', '--version', '')).toBe('1.0\n:4\n');
    expect(await completed('why', 'd')).toBe('dga-1.0\ndga-2.0\n:4\n');
    expect(await completed('add', '--local-model-path', '')).toBe(':0\n');
    expect(await completed('add', '--memory', '')).toBe(':4\n');
  });

  it('is silent when the cluster does not answer', async () => {
    const cluster = someModels().cluster({
      before: async () => {
        throw new MaasError('CLUSTER_UNREACHABLE', 'refused');
      },
    });
    const ports = cliPorts({ cluster });
    expect(await typed(['__complete', 'list', '--name', ''], ports)).toBe(0);
    expect([ports.out.text, ports.err.text]).toEqual([':4\n', '']);
  });
});
