import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { typed } from '../../../test/builders/command-line.ts';
import { legacyPorts } from '../../../test/builders/legacy-ports.ts';
import { keyOf, ModelStore } from '../../../test/builders/model-store.ts';
import { aRegistration, changed } from '../../../test/builders/registration.ts';
import { MaasError } from '../../contracts/errors.ts';
import { settingsConfigMap, settingsKey } from '../../contracts/settings.ts';
import { encodeRegistration, type Registration } from '../../wire/service-instance.ts';
import { legacyListText } from './list-text.ts';

type Znodes = NonNullable<Parameters<typeof legacyPorts>[0]['znodes']>;

function registered(...registrations: Registration[]): Record<string, Uint8Array> {
  return Object.fromEntries(
    registrations.map((one) => [`/maas/service/${one.model}/${one.id}`, encodeRegistration(one)]),
  );
}

async function list(znodes: Znodes, line = '-zq zk:2181', cluster?: ModelStore) {
  const ports = legacyPorts({ znodes, ...(cluster === undefined ? {} : { cluster: cluster.cluster() }) });
  const code = await typed(['__legacy-deploy', '-mo', 'LIST', ...line.split(' ').filter(Boolean)], ports);
  return { code, out: ports.out.text, err: ports.err.text, quorums: ports.quorums };
}

const one = aRegistration({ id: '1', url: 'http://node7.example:22201' });

describe('LIST', () => {
  it('has the text that it had', async () => {
    expect(await list(registered(one))).toEqual({
      code: 0,
      out: 'Model dga @ 1.0\ndga:1.0 @ http://node7.example:22201 serving:\n\tapply=apply\n',
      err: '',
      quorums: ['zk:2181'],
    });
  });

  it('sets endpoints in order below their model and version, functions as they are written', async () => {
    const { out } = await list(
      registered(
        aRegistration({ id: 'c', url: 'http://b:1', functions: { zeta: 'z', alpha: 'a' } }),
        aRegistration({ id: 'b', url: 'http://a:10' }),
        aRegistration({ id: 'a', url: 'http://a:9' }),
        aRegistration({ id: 'd', version: '0.9', url: 'http://z:1' }),
        aRegistration({ id: 'e', model: 'echo', url: 'http://z:2' }),
      ),
    );
    expect(out).toBe(
      [
        'Model dga @ 0.9',
        'dga:0.9 @ http://z:1 serving:',
        '\tapply=apply',
        'Model dga @ 1.0',
        'dga:1.0 @ http://a:10 serving:',
        '\tapply=apply',
        'dga:1.0 @ http://a:9 serving:',
        '\tapply=apply',
        'dga:1.0 @ http://b:1 serving:',
        '\tzeta=z',
        '\talpha=a',
        'Model echo @ 1.0',
        'echo:1.0 @ http://z:2 serving:',
        '\tapply=apply',
        '',
      ].join('\n'),
    );
  });

  it('keeps the order of functions whose names are numbers', async () => {
    const text = changed(one, (data) => {
      data.payload.endpoint['functions'] = 'HERE';
    }).replace('"HERE"', '{"2":"b","1":"a","2":"c"}');
    expect((await list({ '/maas/service/dga/1': text })).out).toMatch(/serving:\n\t2=c\n\t1=a\n$/);
  });

  it('is narrowed by name and version', async () => {
    const all = registered(
      one,
      aRegistration({ id: '2', version: '2.0', url: 'http://x:2' }),
      aRegistration({ id: '3', model: 'echo', url: 'http://x:3' }),
    );
    const headings = async (line: string) =>
      (await list(all, `-zk zk:1 ${line}`)).out.split('\n').filter((text) => text.startsWith('Model'));
    expect(await headings('')).toEqual(['Model dga @ 1.0', 'Model dga @ 2.0', 'Model echo @ 1.0']);
    expect(await headings('-n dga')).toEqual(['Model dga @ 1.0', 'Model dga @ 2.0']);
    expect(await headings('--version 1.0')).toEqual(['Model dga @ 1.0', 'Model echo @ 1.0']);
    expect(await headings('-n dga -v 2.0')).toEqual(['Model dga @ 2.0']);
    expect(await headings('-n other')).toEqual([]);
  });

  it('looks where the configuration node says, and where -zr says that is', async () => {
    const config = '{"serviceRoot":"/other","queue":"ZOOKEEPER","queueConfig":{"zk_path":"/q"}}';
    const znodes = { '/my/config': config, '/other/dga/1': encodeRegistration(one) };
    expect((await list(znodes)).out).toBe('');
    expect((await list(znodes, '-zq zk:1 -zr /my/config')).out).toMatch(/^Model dga/);
  });

  it("asks the operator's ZooKeeper without -zq", async () => {
    const store = new ModelStore();
    const settings = {
      hdfs: { nameservices: { lake: { webhdfs: ['http://nn:9870'] } } },
      zookeeper: { quorum: 'ours:2181', configPath: '/my/config' },
    };
    store.configMaps.set(keyOf('maas-system', settingsConfigMap), { [settingsKey]: JSON.stringify(settings) });
    const znodes = { '/my/config': '{"serviceRoot":"/other"}', '/other/dga/1': encodeRegistration(one) };
    expect(await list(znodes, '', store)).toMatchObject({
      quorums: ['ours:2181'],
      out: expect.stringMatching(/^Model/),
    });
  });

  it('shows the others beside one that clients cannot read, and names that one', async () => {
    const znodes = {
      ...registered(one),
      '/maas/service/dga/bad': changed(one, (data) => {
        data['enabled'] = true;
      }),
      '/maas/service/echo/hidden': new MaasError('ZOOKEEPER_FORBIDDEN', 'no'),
      '/maas/service/echo/null': changed(one, (data) => {
        Object.assign(data.payload, { name: 'echo', endpoint: { url: null, functions: null } });
      }),
    };
    const { code, out, err } = await list(znodes);
    expect(code).toBe(0);
    expect(out).toBe(
      'Model dga @ 1.0\ndga:1.0 @ http://node7.example:22201 serving:\n\tapply=apply\n' +
        'Model echo @ 1.0\necho:1.0 @ null serving:\n',
    );
    expect(err).toMatch(/note: clients cannot read \/maas\/service\/dga\/bad.*enabled/);
    expect(err).toMatch(/note: clients cannot read \/maas\/service\/echo\/hidden/);
  });

  it('fails where clients fail: at a configuration node that cannot be read', async () => {
    const { code, err } = await list({ '/metron/maas/config': '{"queue":"KAFKA"}' });
    expect([code, err]).toEqual([1, expect.stringContaining('error[SERVICE_CONFIG_INVALID]')]);
  });
});

describe('the text', () => {
  it('lets nothing of a registration steer a terminal or begin a line', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\n', '\t', '\u001b', '\r', '\u202e', ' ') });
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.array(fc.tuple(text, text), { maxLength: 3 }),
        (model, version, url, functions) => {
          const printed = legacyListText([{ model, version, url, functions }]);
          expect(printed.replace(/\n\t|\n/g, '')).not.toMatch(/[\p{Cc}\u202e]/u);
          expect(printed.match(/^\t/gm) ?? []).toHaveLength(functions.length);
          expect(printed.split('\n')).toHaveLength(2 + functions.length + 1);
        },
      ),
    );
  });
});
