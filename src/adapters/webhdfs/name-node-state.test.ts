import { afterEach, describe, expect, it } from 'vitest';
import { FakeWebHdfs, type Interceptor, json, remote } from '../../../test/builders/fake-webhdfs.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { nameNodeStates } from './name-node-state.ts';

let fake: FakeWebHdfs;
afterEach(() => fake.stop());

async function states(intercept: Interceptor, nameNodes = 2) {
  fake = await FakeWebHdfs.start({ nameNodes });
  fake.intercept = intercept;
  const options = { clock: new HastyClock(), deadlines: { connectMs: 1_000, firstByteMs: 300 }, rounds: 1 };
  return nameNodeStates(fake.settings, 'fake', options);
}

const isMetrics = (path: string, query: string) => `${path}${query}`.includes('FSNamesystemState');

describe('nameNodeStates', () => {
  it('tells active from standby, in the order of the settings', async () => {
    const found = await states(({ node, op }, response) => {
      if (node !== 'nn1' || op !== 'GETFILESTATUS') return false;
      remote(response, 403, 'StandbyException', 'Operation category READ is not supported in state standby');
      return true;
    });
    expect(found).toEqual([
      {
        address: fake.settings.nameservices['fake']?.webhdfs[0],
        role: 'standby',
        safeMode: undefined,
        problem: undefined,
      },
      {
        address: fake.settings.nameservices['fake']?.webhdfs[1],
        role: 'active',
        safeMode: undefined,
        problem: undefined,
      },
    ]);
  });

  it.each([
    ['Operational', false],
    ['safeMode', true],
  ])('reads from the metrics that the state is %s', async (FSState, safeMode) => {
    const found = await states(({ path, query }, response) => {
      if (!isMetrics(path, query)) return false;
      json(response, 200, { beans: [{ FSState }] });
      return true;
    }, 1);
    expect(found).toMatchObject([{ role: 'active', safeMode }]);
  });

  it.each<[string, unknown]>([
    ['nothing', { beans: [] }],
    ['no beans', {}],
    ['another type', { beans: [{ FSState: 1 }] }],
  ])('does not make anything of metrics with %s', async (_what, body) => {
    const found = await states(({ path, query }, response) => {
      if (!isMetrics(path, query)) return false;
      json(response, 200, body);
      return true;
    }, 1);
    expect(found).toMatchObject([{ role: 'active', safeMode: undefined }]);
  });

  it('says why one is unreachable, and goes on with the others', async () => {
    fake = await FakeWebHdfs.start({ nameNodes: 2 });
    await fake.kill('nn1');
    const found = await nameNodeStates(fake.settings, 'fake', { clock: new HastyClock(), rounds: 1 });
    expect(found).toMatchObject([
      { role: 'unreachable', problem: expect.stringContaining('ECONNREFUSED') },
      { role: 'active' },
    ]);
  });

  it('does not wait for one that is silent', async () => {
    const found = await states(({ node }) => node === 'nn1');
    expect(found).toMatchObject([{ role: 'unreachable', safeMode: undefined }, { role: 'active' }]);
  });

  it('says what one answers that neither serves nor stands by', async () => {
    const found = await states((_, response) => {
      response.writeHead(401).end();
      return true;
    }, 1);
    expect(found).toMatchObject([{ role: 'unknown', problem: expect.stringContaining('401') }]);
  });

  it('knows only configured nameservices', async () => {
    fake = await FakeWebHdfs.start({});
    await expect(async () => nameNodeStates(fake.settings, 'other', { clock: new HastyClock() })).rejects.toMatchObject(
      {
        code: 'HDFS_NAMESERVICE_UNKNOWN',
      },
    );
  });
});
