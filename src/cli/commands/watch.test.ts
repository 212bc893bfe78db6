import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { FakeInstances } from '../../../test/builders/fake-instances.ts';
import { ManualClock } from '../../../test/builders/manual-clock.ts';
import { ModelStore } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';
import type { ApiObject } from '../ports.ts';

const spec = { name: 'dga', version: '1.0', instances: 1, memory: '64Mi', payload: { path: '/models/dga' } };
const ready = (status: string, reason: string) => ({
  observedGeneration: 1,
  registered: status === 'True' ? 1 : 0,
  conditions: [{ type: 'Ready', status, reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  endpoints: [{ pod: 'dga-a', version: '1.0', state: reason === 'Serving' ? 'Registered' : reason }],
});

type Step = readonly ApiObject[] | 'lost' | 'heard again';

function seen(line: string, steps: readonly Step[], terminal: boolean, before = async () => {}) {
  const store = new ModelStore();
  store.put({ metadata: { name: 'dga-1.0' }, spec });
  const asked: unknown[] = [];
  const clock = new ManualClock(Date.parse('2026-01-01T01:00:00Z'));
  const ports = cliPorts({
    cluster: store.cluster({ before }),
    terminal,
    clock,
    looking: {
      instances: () =>
        new FakeInstances().reader({
          liveModels: async function* (namespace, name, _, onTrouble) {
            asked.push([namespace, name]);
            for (const step of steps) {
              if (step === 'lost') onTrouble(new MaasError('CLUSTER_UNREACHABLE', 'https://one:6443: refused'));
              else if (step === 'heard again') onTrouble(undefined);
              else yield step;
              await new Promise((resolve) => setImmediate(resolve));
            }
          },
        }),
    },
  });
  return typed(line, ports).then((code) => ({ code, out: ports.out.text, err: ports.err.text, asked }));
}

function models(): { readonly first: ApiObject; readonly second: ApiObject } {
  const store = new ModelStore();
  const metadata = { name: 'dga-1.0', uid: 'one' };
  return {
    first: store.put({ metadata, spec, status: ready('False', 'WaitingForEndpoint') }),
    second: store.put({ metadata, spec, status: ready('True', 'Serving') }),
  };
}

describe('watch', () => {
  it('prints a line of JSON for each change to a pipe, and none where nothing changed', async () => {
    const { first, second } = models();
    const { code, out, asked } = await seen('watch dga', [[first], [first], [second], []], false);
    const printed = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(printed.map(({ at, type, model }) => [at, type, model.resource, model.state.reason])).toEqual([
      ['2026-01-01T01:00:00.000Z', 'present', 'dga-1.0', 'WaitingForEndpoint'],
      ['2026-01-01T01:00:00.000Z', 'changed', 'dga-1.0', 'Serving'],
      ['2026-01-01T01:00:00.000Z', 'deleted', 'dga-1.0', 'Serving'],
    ]);
    expect([code, asked]).toEqual([0, [['fraud', 'dga-1.0']]]);
  });

  it('draws a table over the one before on a terminal, with the instances of one that is named', async () => {
    const { first, second } = models();
    const { out, err, code } = await seen('watch dga-1.0', [[first], [second], []], true);
    const start = '\u001b';
    const plain = (text: string) => text.replaceAll(new RegExp(`${start}\\[[\\d;]*m`, 'g'), '');
    const [one = '', two = '', three = ''] = out.split(new RegExp(`${start}\\[\\d+A\\r${start}\\[J`));
    expect(plain(one)).toBe(
      `MODEL   VERSION   DESIRED   READY   REGISTERED   REASON               AGE\n` +
        `dga     1.0       1         -       0            WaitingForEndpoint   60m\n\n` +
        `INSTANCE   VERSION   STATE                URL\ndga-a      1.0       WaitingForEndpoint   -\n`,
    );
    expect(plain(two)).toContain('dga-a      1.0       Registered   -\n');
    expect([plain(three), err, code]).toEqual(['No models.\n', 'dga-1.0 is gone\n', 0]);
    // It goes up by as many lines as it had drawn.
    expect(out).toContain('\u001b[5A\r\u001b[J');
  });

  it('says that what it shows may be old while the cluster does not answer', async () => {
    const { first, second } = models();
    const { out, err } = await seen('watch dga', [[first], 'lost', 'heard again', [second], []], false);
    expect(out.trim().split('\n')).toHaveLength(3);
    expect(err).toBe(
      'note: what was seen last may be old: https://one:6443: refused; it goes on when the cluster answers\n' +
        'note: the cluster answers again\n',
    );
    const terminal = await seen('watch dga', [[first], 'lost', 'heard again', [second], []], true);
    const screens = terminal.out.split('\u001b[J');
    expect(screens.map((screen) => screen.includes('what was seen last may be old'))).toEqual([
      ...[false, true, false, false, false],
    ]);
    expect(screens[1]).toContain('WaitingForEndpoint');
  });

  it('ends at once where there is no cluster to follow', async () => {
    const nobody = async () => {
      throw new MaasError('CLUSTER_UNREACHABLE', 'https://one:6443: refused');
    };
    const { code, err, asked } = await seen('watch', [], false, nobody);
    expect([code, asked]).toEqual([4, []]);
    expect(err).toContain('https://one:6443: refused');
  });

  it('follows all namespaces where it is told to', async () => {
    expect((await seen('watch -A', [], false)).asked).toEqual([[undefined, undefined]]);
    expect((await seen('watch -A dga', [], false)).code).toBe(2);
  });
});
