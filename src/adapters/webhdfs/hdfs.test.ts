import { afterEach, describe, expect, it } from 'vitest';
import { FakeWebHdfs, json, remote } from '../../../test/builders/fake-webhdfs.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { RememberingLog } from '../../../test/builders/remembering-log.ts';
import type { MaasError } from '../../contracts/errors.ts';
import { type Hdfs, openHdfs } from './hdfs.ts';
import type { HdfsOptions } from './nameservice.ts';

let fake: FakeWebHdfs;
afterEach(() => fake.stop());

const clock = new HastyClock();
const deadlines = { connectMs: 1_000, firstByteMs: 200, stallMs: 200, finishMs: 1_000 };

async function start(
  count: { nameNodes?: number; dataNodes?: number } = {},
  options: Partial<HdfsOptions> = {},
): Promise<Hdfs> {
  fake = await FakeWebHdfs.start(count);
  return openHdfs(fake.settings, 'fake', { clock, deadlines, ...options });
}

const failure = (promise: Promise<unknown>): Promise<MaasError> =>
  promise.then(
    (value) => {
      throw new Error(`no failure but ${JSON.stringify(value)}`);
    },
    (error) => error,
  );

describe('small calls', () => {
  it('tell what is there', async () => {
    const hdfs = await start();
    fake.put('/m/run.sh', 'echo');
    expect(await hdfs.status('/m')).toMatchObject({ type: 'DIRECTORY', length: 0 });
    expect(await hdfs.status('/m/run.sh')).toMatchObject({
      type: 'FILE',
      length: 4,
      fileId: '16386',
      opaqueChecksum: false,
    });
    expect(await hdfs.status('/nothing')).toBeUndefined();
    expect(await hdfs.home()).toBe('/user/tester');
    expect((await hdfs.list('/m')).map(({ name }) => name)).toEqual(['run.sh']);
    expect(await failure(hdfs.list('/nothing'))).toMatchObject({ code: 'HDFS_PATH_MISSING' });
    expect(await failure(hdfs.list('/m/run.sh'))).toMatchObject({ code: 'HDFS_PATH_INVALID' });
  });

  it.each(['a b', '50%', 'a%20b', 'ü', '日本', 'x?y#z', 'a&b=c+d;e', "it's", '"quoted"', '[{*}]', 'back\\slash'])(
    'carry the name %s',
    async (name) => {
      const hdfs = await start();
      await hdfs.mkdirs(`/d/${name}`);
      expect(fake.directories.has(`/d/${name}`)).toBe(true);
      fake.put(`/d/${name}/f`, 'x');
      expect(await hdfs.status(`/d/${name}`)).toMatchObject({ type: 'DIRECTORY' });
      await hdfs.rename(`/d/${name}`, `/d/${name} 2`);
      expect((await hdfs.list('/d')).map((entry) => entry.name)).toEqual([`${name} 2`]);
      expect((await hdfs.list(`/d/${name} 2`)).map((entry) => entry.name)).toEqual(['f']);
      await hdfs.write(
        `/d/${name} 2/g`,
        async function* () {
          yield Buffer.from('bytes');
        },
        { length: 5 },
      );
      expect(fake.files.get(`/d/${name} 2/g`)?.bytes.toString()).toBe('bytes');
      expect(await hdfs.delete(`/d/${name} 2`, { recursive: true })).toBe(true);
      expect(fake.below('/d')).toEqual([]);
    },
  );

  it('rename neither into nor over what is there', async () => {
    const hdfs = await start();
    fake.put('/a/f', 'x');
    fake.put('/b/f', 'y');
    expect(await failure(hdfs.rename('/a', '/b'))).toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    expect(fake.below('/b')).toEqual(['/b/f']);
    expect(await failure(hdfs.rename('/nothing', '/c'))).toMatchObject({ code: 'HDFS_PATH_MISSING' });
  });

  it('delete only what is empty, unless told', async () => {
    const hdfs = await start();
    fake.put('/a/f', 'x');
    expect(await failure(hdfs.delete('/a', { recursive: false }))).toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    expect(await hdfs.delete('/a', { recursive: true })).toBe(true);
    expect(await hdfs.delete('/a', { recursive: true })).toBe(false);
  });

  it('list large directories page by page, and stop soon after a limit', async () => {
    const hdfs = await start();
    fake.pageSize = 10;
    for (let i = 0; i < 95; i++) fake.put(`/d/f${String(i).padStart(3, '0')}`, '');
    expect(await hdfs.list('/d')).toHaveLength(95);
    expect(fake.count('LISTSTATUS_BATCH')).toBe(10);
    expect((await hdfs.list('/d', { limit: 25 })).length).toBe(30);
  });

  it('notice a server that gives its first page for ever', async () => {
    const hdfs = await start();
    fake.pageSize = 1;
    fake.put('/d/a', '');
    fake.put('/d/b', '');
    fake.intercept = ({ op, parameters }) => {
      if (op === 'LISTSTATUS_BATCH') parameters.delete('startafter');
      return false;
    };
    expect(await failure(hdfs.list('/d'))).toMatchObject({
      code: 'HDFS_ERROR',
      message: expect.stringContaining('without getting to an end'),
    });
  });

  it('list with an old HDFS that knows no pages', async () => {
    const hdfs = await start();
    fake.put('/d/a', '');
    fake.intercept = ({ op }, response) => {
      if (op !== 'LISTSTATUS_BATCH') return false;
      remote(response, 400, 'IllegalArgumentException', 'Invalid value for webhdfs parameter "op": No enum constant');
      return true;
    };
    expect((await hdfs.list('/d')).map(({ name }) => name)).toEqual(['a']);
  });
});

describe('answers that only look like success', () => {
  const calls: [string, (hdfs: Hdfs) => Promise<unknown>][] = [
    ['status', (hdfs) => hdfs.status('/a')],
    ['list', (hdfs) => hdfs.list('/a')],
    ['mkdirs', (hdfs) => hdfs.mkdirs('/a')],
    ['rename', (hdfs) => hdfs.rename('/a', '/b')],
    ['delete', (hdfs) => hdfs.delete('/a', { recursive: true })],
    ['home', (hdfs) => hdfs.home()],
    ['checksum', (hdfs) => hdfs.checksum('/a')],
    ['read', (hdfs) => hdfs.read('/a')],
    ['write', (hdfs) => hdfs.write('/a', async function* () {}, { length: 0, overwrite: true })],
  ];
  const statuses: [number, string][] = [
    [409, 'HDFS_ERROR'],
    [429, 'HDFS_UNAVAILABLE'],
    [502, 'HDFS_UNAVAILABLE'],
    [503, 'HDFS_UNAVAILABLE'],
    [504, 'HDFS_UNAVAILABLE'],
    [405, 'HDFS_ERROR'],
    [302, 'HDFS_ERROR'],
    [204, 'HDFS_ERROR'],
  ];
  it.each(calls.flatMap(([name, call]) => statuses.map(([status, code]) => ({ name, call, status, code }))))(
    '$name: $status is $code',
    async ({ call, status, code }) => {
      const hdfs = await start();
      fake.intercept = (_request, response) => {
        response
          .writeHead(status, { 'content-type': 'text/html' })
          .end(status === 204 ? undefined : '<html>sorry</html>');
        return true;
      };
      expect(await failure(call(hdfs))).toMatchObject({ code });
    },
  );

  const bodies = ['null', '42', '"text"', '[]', '{}', '<html>Welcome</html>', '', '{"boolean":'];
  it.each(calls.slice(0, 6).flatMap(([name, call]) => bodies.map((body) => ({ name, call, body }))))(
    '$name: 200 with $body',
    async ({ name, call, body }) => {
      const hdfs = await start();
      fake.put('/a', '');
      fake.intercept = ({ op }, response) => {
        if (name === 'rename' && op !== 'RENAME') return false;
        response.writeHead(200, { 'content-type': 'application/json' }).end(body);
        return true;
      };
      // A rename with options has no body in its answer, so an object without a verdict is none either.
      if (name === 'rename' && (body === '' || body === '{}' || body === '[]')) await call(hdfs);
      else expect(await failure(call(hdfs))).toMatchObject({ code: 'HDFS_ERROR' });
    },
  );

  it('{"boolean": false}', async () => {
    const hdfs = await start();
    fake.put('/a', '');
    fake.intercept = ({ op }, response) => {
      if (op !== 'MKDIRS' && op !== 'RENAME') return false;
      json(response, 200, { boolean: false });
      return true;
    };
    expect(await failure(hdfs.mkdirs('/b'))).toMatchObject({ code: 'HDFS_ERROR' });
    expect(await failure(hdfs.rename('/a', '/b'))).toMatchObject({ code: 'HDFS_ERROR' });
  });

  it('a body that breaks off, and one that never ends', async () => {
    const hdfs = await start();
    fake.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{"FileStatus"', () => response.destroy());
      return true;
    };
    expect(await failure(hdfs.status('/a'))).toMatchObject({ code: 'HDFS_UNREACHABLE' });
    fake.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"FileStatus"');
      return true;
    };
    expect(await failure(hdfs.status('/a'))).toMatchObject({ code: 'HDFS_UNREACHABLE' });
    expect(await failure(hdfs.home())).toMatchObject({ code: 'HDFS_UNREACHABLE' });
  });
});

describe('several name nodes', () => {
  it('are tried until one serves, which is asked first from then on', async () => {
    const log = new RememberingLog();
    const hdfs = await start({ nameNodes: 2 }, { log });
    fake.put('/a', 'x');
    fake.intercept = ({ node }, response) => {
      if (node !== 'nn1') return false;
      remote(response, 403, 'StandbyException', 'Operation category READ is not supported in state standby');
      return true;
    };
    expect(await hdfs.status('/a')).toBeDefined();
    expect(await hdfs.status('/b')).toBeUndefined();
    expect(fake.count('GETFILESTATUS', 'nn1')).toBe(1);
    expect(log.entries.map(({ level }) => level)).toEqual(['debug']);
  });

  it('are followed through a failover, also when the old one hangs', async () => {
    const hdfs = await start({ nameNodes: 2 });
    fake.put('/a', 'x');
    expect(await hdfs.status('/a')).toBeDefined();
    fake.intercept = ({ node }) => node === 'nn1';
    expect(await hdfs.home()).toBe('/user/tester');
    expect(fake.count('GETHOMEDIRECTORY', 'nn2')).toBe(1);
    fake.intercept = () => false;
    await fake.kill('nn2');
    expect(await hdfs.status('/a')).toBeDefined();
  });

  it('that all are standby are waited for, a few rounds', async () => {
    const hdfs = await start({ nameNodes: 2 });
    const before = clock.waits.length;
    fake.put('/a', 'x');
    let standby = 3;
    fake.intercept = (_request, response) => {
      if (standby-- <= 0) return false;
      remote(response, 403, 'StandbyException', 'standby');
      return true;
    };
    expect(await hdfs.status('/a')).toBeDefined();
    expect(clock.waits).toHaveLength(before + 1);
    standby = 1000;
    const error = await failure(hdfs.status('/a'));
    expect(error.code).toBe('HDFS_UNAVAILABLE');
    for (const address of fake.addresses) expect(error.message).toContain(address);
  });

  it('that are all dead are named', async () => {
    const hdfs = await start({ nameNodes: 2 });
    await fake.kill('nn1');
    await fake.kill('nn2');
    const error = await failure(hdfs.status('/a'));
    expect(error.code).toBe('HDFS_UNREACHABLE');
    for (const address of fake.addresses) expect(error.message).toContain(address);
    expect(error.message).toContain('ECONNREFUSED');
    expect(await failure(hdfs.home())).toMatchObject({ code: 'HDFS_UNREACHABLE' });
    expect(await failure(hdfs.read('/a'))).toMatchObject({ code: 'HDFS_UNREACHABLE' });
  });

  it('a definite answer is not asked for twice', async () => {
    const hdfs = await start({ nameNodes: 2 });
    fake.intercept = (_request, response) => {
      remote(response, 403, 'AccessControlException', 'Permission denied');
      return true;
    };
    expect(await failure(hdfs.mkdirs('/a'))).toMatchObject({ code: 'HDFS_FORBIDDEN' });
    expect(fake.requests).toHaveLength(1);
  });

  it('a rename whose answer was lost is found done', async () => {
    const hdfs = await start({ nameNodes: 2 });
    fake.put('/a/f', 'x');
    fake.intercept = ({ node, op }, response) => {
      if (node !== 'nn1' || op !== 'RENAME') return false;
      for (const path of ['/a/f']) {
        const file = fake.files.get(path);
        if (file !== undefined) fake.files.set('/b/f', file);
        fake.files.delete(path);
      }
      fake.directories.delete('/a');
      fake.makeDirectories('/b');
      response.destroy();
      return true;
    };
    await hdfs.rename('/a', '/b');
    expect(fake.below('/b')).toEqual(['/b/f']);
  });
});

describe('who asks', () => {
  it('is the user, unless there is a token, which is read for each request and shown nowhere', async () => {
    let token: string | undefined;
    const hdfs = await start({}, { user: 'me', token: async () => token });
    await hdfs.mkdirs('/a');
    expect(fake.requests.at(-1)?.query).toContain('user.name=me');
    expect(fake.requests.at(-1)?.query).not.toContain('delegation');
    token = 'SECRET-1';
    fake.put('/a/f', 'x');
    await hdfs.rename('/a', '/b');
    await hdfs.list('/b');
    await hdfs.checksum('/b/f');
    token = 'SECRET-2';
    await hdfs.delete('/b', { recursive: true });
    const queries = fake.requests.slice(1).map(({ query }) => query);
    expect(queries.length).toBeGreaterThan(4);
    for (const query of queries) {
      expect(query).toContain('delegation=SECRET-');
      expect(query).not.toContain('user.name');
    }
    expect(queries.at(-1)).toContain('delegation=SECRET-2');
    fake.intercept = ({ query }, response) => {
      remote(response, 401, 'SecurityException', `No good: ${query}`);
      return true;
    };
    for (const call of [() => hdfs.status('/x'), () => hdfs.list('/x'), () => hdfs.read('/x'), () => hdfs.home()]) {
      const error = await failure(call());
      expect(error.code).toBe('HDFS_UNAUTHENTICATED');
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('SECRET');
    }
  });

  it('parameters go in lower case', async () => {
    const hdfs = await start();
    fake.put('/a/f', 'x');
    await hdfs.mkdirs('/b');
    await hdfs.list('/a');
    await hdfs.rename('/a', '/c');
    await hdfs.write('/b/x', async function* () {}, { length: 0, blockSize: 1024 });
    await hdfs.delete('/b', { recursive: true });
    for (const { parameters } of fake.requests) {
      for (const name of parameters.keys()) expect(name).toBe(name.toLowerCase());
    }
  });
});

it('a gateway with a path of its own is asked below that path', async () => {
  fake = await FakeWebHdfs.start();
  const [address = ''] = fake.addresses;
  const seen: string[] = [];
  fake.intercept = ({ path }, response) => {
    seen.push(path);
    json(response, 200, {
      FileStatus: {
        pathSuffix: '',
        type: 'DIRECTORY',
        length: 0,
        fileId: 1,
        modificationTime: 1,
        blockSize: 0,
        owner: 'o',
        group: 'g',
        permission: '755',
      },
    });
    return true;
  };
  const settings = {
    ...fake.settings,
    nameservices: { fake: { webhdfs: [`${address}/gateway/one/webhdfs/v1/`], authorities: [] } },
  };
  await openHdfs(settings, 'fake', { clock }).status('/a b');
  expect(seen).toEqual(['/gateway/one/webhdfs/v1/a b']);
  expect(() => openHdfs(settings, 'toString', { clock })).toThrow(/toString is not configured; configured: fake/);
});

it('an aborted call ends with the reason, and asks no further', async () => {
  const hdfs = await start({ nameNodes: 2 });
  const stop = new AbortController();
  fake.intercept = () => {
    stop.abort(new Error('enough'));
    return true;
  };
  await expect(hdfs.status('/a', stop.signal)).rejects.toThrow('enough');
  await expect(hdfs.home(stop.signal)).rejects.toThrow('enough');
  expect(fake.requests).toHaveLength(1);
});
