import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { keyOf, ModelStore } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';
import { modesConfigMap, modesKey } from '../../contracts/modes.ts';
import { settingsConfigMap } from '../../contracts/settings.ts';
import { parseArguments } from '../parse.ts';
import type { Cluster } from '../ports.ts';

const namespace = 'maas-system';
const where = keyOf(namespace, modesConfigMap);

/** An operator's namespace, with modes where they are given. */
function installed(text?: string): ModelStore {
  const store = new ModelStore();
  store.putConfigMap(namespace, settingsConfigMap, {});
  if (text !== undefined) store.putConfigMap(namespace, modesConfigMap, { [modesKey]: text });
  return store;
}

async function set(line: string, store: ModelStore, cluster: Cluster = store.cluster()) {
  const ports = cliPorts({ cluster });
  const code = await typed(line, ports);
  const modes = () => JSON.parse(store.configMaps.get(where)?.[modesKey] ?? 'null') as unknown;
  return { code, out: ports.out.text, err: ports.err.text, modes };
}

const mixed = '{"default":"shadow","models":{"dga":"active","echo":"drain"}}';

describe('mode', () => {
  it('prints what holds', async () => {
    expect((await set('mode', installed(mixed))).out).toBe(
      'MODEL          MODE\ndga            active\necho           drain\n(all others)   shadow\n',
    );
    expect((await set('mode', installed())).out).toBe('MODEL          MODE\n(all others)   active\n');
    expect((await set('mode --model dga', installed(mixed))).out).toBe('MODEL   MODE\ndga     active\n');
    expect((await set('mode --model other -o name', installed(mixed))).out).toBe('shadow\n');
    expect(JSON.parse((await set('mode -o json', installed(mixed))).out)).toEqual(JSON.parse(mixed));
    expect(JSON.parse((await set('mode --model dga -o json', installed(mixed))).out)).toEqual({
      model: 'dga',
      mode: 'active',
    });
  });

  it('makes the modes where there are none', async () => {
    const { code, out, modes } = await set('mode --model dga shadow', installed());
    expect([code, out]).toEqual([0, 'dga: shadow, was active\n']);
    expect(modes()).toEqual({ default: 'active', models: { dga: 'shadow' } });
  });

  it('changes one model and leaves the others alone', async () => {
    const store = installed(mixed);
    expect((await set('mode --model dga drain', store)).modes()).toEqual({
      default: 'shadow',
      models: { dga: 'drain', echo: 'drain' },
    });
    const { out, modes } = await set('mode --model echo default', store);
    expect(out).toBe('echo: shadow, was drain (as all others)\n');
    expect(modes()).toEqual({ default: 'shadow', models: { dga: 'drain' } });
  });

  it('changes all others, and says who is not among them', async () => {
    const { out, modes } = await set('mode active', installed(mixed));
    expect(out).toBe('all models: active, was shadow; with a mode of their own: dga, echo\n');
    expect(modes()).toEqual({ default: 'active', models: { dga: 'active', echo: 'drain' } });
  });

  it('writes nothing that is so already', async () => {
    const store = installed(mixed);
    const cluster = { ...store.cluster(), patchConfigMap: () => Promise.reject(new Error('not to be called')) };
    expect((await set('mode --model dga active', store, cluster)).out).toBe('dga: active, as before\n');
  });

  it('does not lose what somebody else changes at the same time', async () => {
    const store = installed(mixed);
    let others = 3;
    const cluster = store.cluster({
      before: async (call) => {
        if (call !== 'patchConfigMap' || others === 0) return;
        others -= 1;
        const models = { dga: 'active', [`other-${others}`]: 'drain' };
        store.putConfigMap(namespace, modesConfigMap, { [modesKey]: JSON.stringify({ default: 'shadow', models }) });
      },
    });
    expect((await set('mode --model dga shadow', store, cluster)).modes()).toEqual({
      default: 'shadow',
      models: { dga: 'shadow', 'other-0': 'drain' },
    });
  });

  it('does not write over modes that cannot be read', async () => {
    const store = installed('{"default": "shadow",}');
    const { code, err } = await set('mode active', store);
    expect(code).toBe(1);
    expect(err).toContain('error[MODES_INVALID]');
    expect(store.configMaps.get(where)?.[modesKey]).toBe('{"default": "shadow",}');
  });

  it('finds out that no operator is there', async () => {
    const store = new ModelStore();
    const { code, err } = await set('mode shadow --operator-namespace elsewhere', store);
    expect(code).toBe(3);
    expect(err).toContain('namespace elsewhere');
    expect([...store.configMaps]).toEqual([]);
  });

  it('works for whom nothing but the modes is open', async () => {
    const store = installed();
    const cluster: Cluster = {
      ...store.cluster(),
      configMap: () => Promise.reject(new MaasError('CLUSTER_FORBIDDEN', 'configmaps')),
    };
    expect((await set('mode drain', store, cluster)).modes()).toEqual({ default: 'drain', models: {} });
  });

  it.each(['mode on', 'mode default', 'mode active drain', 'mode --model a/b active'])('refuses "%s"', (line) => {
    expect(parseArguments(line.split(' '), { version: '', operatorNamespace: undefined }).kind).toBe('refused');
  });

  it('is completed', async () => {
    const store = installed(mixed);
    store.put({ metadata: { name: 'dga' }, spec: { name: 'dga', version: '1.0', payload: { path: 'p' } } });
    const completed = async (...words: string[]) => {
      const ports = cliPorts({ cluster: store.cluster() });
      await typed(['__complete', ...words], ports);
      return ports.out.text;
    };
    expect(await completed('mode', 's')).toBe('shadow\n:4\n');
    expect(await completed('mode', '--model', '')).toBe('dga\n:4\n');
    expect(await completed('mode', '--model', 'dga', '')).toBe('observe\nshadow\nactive\ndrain\n:4\n');
  });

  it('shows a name without obeying it', async () => {
    const turning = 'a\u202e[2J';
    const ports = cliPorts({ cluster: installed(mixed).cluster() });
    expect(await typed(['mode', '--model', turning], ports)).toBe(0);
    expect(ports.out.text).toContain('shadow');
    expect(ports.out.text).not.toContain('\u202e');
    const table = JSON.stringify({ default: 'active', models: { 'a\u001b[2J': 'drain' } });
    const { code, err } = await set('mode', installed(table));
    expect(code).toBe(1);
    expect(err).not.toContain('\u001b');
  });
});
