import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { someModels } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';

async function listed(line: string, store = someModels()) {
  const ports = cliPorts({ cluster: store.cluster() });
  const code = await typed(line, ports);
  return { code, out: ports.out.text.replaceAll('modeldeployment.maas.dev/', ''), err: ports.err.text };
}

describe('list', () => {
  it('shows one namespace in the order of names', async () => {
    expect(await listed('list -o name')).toEqual({ code: 0, out: 'dga-1.0\ndga-2.0\necho-1.0\n', err: '' });
    expect((await listed('list -o name -n lab')).out).toBe('dga-1.0\n');
  });

  it('shows all namespaces', async () => {
    const { out } = await listed('list -A');
    expect(out.split('\n').map((line) => line.split(/ +/).slice(0, 3).join(' '))).toEqual([
      'NAMESPACE MODEL VERSION',
      'fraud dga 1.0',
      'fraud dga 2.0',
      'fraud echo 1.0',
      'lab dga 1.0',
      '',
    ]);
  });

  it('is narrowed by name and version, the version that is still served included', async () => {
    expect((await listed('list -o name --name dga')).out).toBe('dga-1.0\ndga-2.0\n');
    expect((await listed('list -o name --version 1.0')).out).toBe('dga-1.0\necho-1.0\n');
    expect((await listed('list -o name --name dga --version 1.5')).out).toBe('dga-2.0\n');
  });

  it('says so when there is nothing, where a person reads it', async () => {
    expect(await listed('list --name none -o table')).toEqual({
      code: 0,
      out: '',
      err: 'No models found in namespace fraud.\n',
    });
    expect((await listed('list --name none -o table -A')).err).toBe('No models found.\n');
    expect(JSON.parse((await listed('list --name none -o json')).out)).toMatchObject({ items: [] });
  });

  it('fails as JSON when JSON is asked for', async () => {
    const cluster = someModels().cluster({
      before: async () => {
        throw new MaasError('CLUSTER_FORBIDDEN', 'you may not', { next: 'Ask.' });
      },
    });
    const ports = cliPorts({ cluster, terminal: true });
    expect(await typed('list -o json', ports)).toBe(4);
    expect(JSON.parse(ports.err.text)).toEqual({
      error: { code: 'CLUSTER_FORBIDDEN', message: 'you may not', next: 'Ask.' },
    });
  });

  it('fails in colours on a terminal', async () => {
    const cluster = someModels().cluster({
      before: async () => {
        throw new Error('odd\u001b');
      },
    });
    const ports = cliPorts({ cluster, terminal: true });
    expect(await typed('list -o name', ports)).toBe(1);
    expect(ports.err.text).toBe(
      '\u001b[31merror[INTERNAL]\u001b[0m: odd\\u001b\n\u001b[1mnext\u001b[0m: Report it with the log around it.\n',
    );
  });
});
