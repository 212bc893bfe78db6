import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasCode } from './errors.ts';
import { type HdfsSettings, hdfsSettings } from './hadoop-side.ts';
import { absoluteHdfsPath, encodeHdfsPath, joinHdfsPath, parseHdfsPath, segmentProblem } from './hdfs-path.ts';

const two: HdfsSettings = hdfsSettings.parse({
  nameservices: {
    prod: { webhdfs: ['http://nn1:9870', 'http://nn2:9870'], authorities: ['nn1:8020', 'NN2:8020'] },
    secure: { webhdfs: ['https://gate.example', 'http://plain.example'], authorities: ['gate.example:9000'] },
    six: { webhdfs: ['http://[fd00::6]:9870'], authorities: ['[fd00::6]'] },
  },
  defaultNameservice: 'prod',
});

function refusal(text: string, settings = two): { code: string; message: string } {
  try {
    parseHdfsPath(text, settings);
  } catch (error) {
    if (hasCode(error, 'HDFS_PATH_INVALID', 'HDFS_NAMESERVICE_UNKNOWN')) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('parseHdfsPath', () => {
  it.each([
    ['/user/metron/models/dga', 'prod', '/user/metron/models/dga', false],
    ['models/dga', 'prod', 'models/dga', true],
    ['./models//dga/', 'prod', 'models/dga', true],
    ['/', 'prod', '/', false],
    ['//a///b/./c/', 'prod', '/a/b/c', false],
    ['/with space/50%/a%20b/ü?#', 'prod', '/with space/50%/a%20b/ü?#', false],
    ['/u\u0308', 'prod', '/ü', false],
    ['hdfs://prod/x', 'prod', '/x', false],
    ['hdfs://secure/x', 'secure', '/x', false],
    ['HDFS://prod/x', 'prod', '/x', false],
    ['hdfs://nn1:8020/x', 'prod', '/x', false],
    ['hdfs://[fd00::6]:8020/x', 'six', '/x', false],
    ['hdfs://[FD00:0::6]/x', 'six', '/x', false],
    ['webhdfs://[fd00:0::6]:9870/x', 'six', '/x', false],
    ['hdfs://nn2/x', 'prod', '/x', false],
    ['hdfs://Nn2:8020/x', 'prod', '/x', false],
    ['hdfs://gate.example:9000/x', 'secure', '/x', false],
    ['hdfs:///x', 'prod', '/x', false],
    ['hdfs:/x', 'prod', '/x', false],
    ['hdfs://prod/a%20b', 'prod', '/a%20b', false],
    ['webhdfs://nn2:9870/x', 'prod', '/x', false],
    ['webhdfs://plain.example:80/x', 'secure', '/x', false],
    ['swebhdfs://gate.example/x', 'secure', '/x', false],
    ['swebhdfs://GATE.example:443/x', 'secure', '/x', false],
  ])('%s', (text, nameservice, path, relative) => {
    expect(parseHdfsPath(text, two)).toEqual({ nameservice, path, relative });
  });

  it.each([
    ['', 'is empty'],
    ['./', 'is empty'],
    ['/a/../b', '".."'],
    ['../b', '".."'],
    ['/a:b', 'colon'],
    ['/a\u0000b', 'control character'],
    ['/a\nb', 'control character'],
    ['/a\u202eb', 'control character'],
    ['/\ud800', 'not valid Unicode'],
    [`/${'x'.repeat(256)}`, 'more than 255 bytes'],
    [`/${'ü'.repeat(128)}`, 'more than 255 bytes'],
    [`/${'long/'.repeat(1000)}`, 'longer than 4096'],
    ['s3://bucket/x', 'only hdfs, webhdfs and swebhdfs'],
    ['http://nn1:9870/webhdfs/v1/x', 'only hdfs, webhdfs and swebhdfs'],
    ['C:\\models', 'only hdfs, webhdfs and swebhdfs'],
    ['hdfs://prod', 'names no path'],
    ['hdfs:x', 'no absolute path'],
  ])('refuses %j', (text, why) => {
    const { code, message } = refusal(text);
    expect(code).toBe('HDFS_PATH_INVALID');
    expect(message).toContain(why);
  });

  it.each([
    'hdfs://other/x',
    'hdfs://nn1:9000/x',
    'webhdfs://nn1:9871/x',
    'webhdfs://gate.example:443/x',
    'swebhdfs://nn1:9870/x',
    'webhdfs://user@nn1:9870/x',
    'hdfs://__proto__/x',
    'hdfs://nn1:8020@evil.example/x',
  ])('does not know %s and names what is configured', (text) => {
    const { code, message } = refusal(text);
    expect(code).toBe('HDFS_NAMESERVICE_UNKNOWN');
    expect(message).toContain('prod (nn1:8020, NN2:8020, http://nn1:9870, http://nn2:9870)');
    expect(message).toContain('secure');
  });

  it('takes the only nameservice as the default, and asks when there are several', () => {
    const one = hdfsSettings.parse({ nameservices: { only: { webhdfs: ['http://a:9870'] } } });
    expect(parseHdfsPath('/x', one).nameservice).toBe('only');
    const { defaultNameservice: _, ...undecided } = two;
    expect(refusal('/x', undecided).message).toContain('prod, secure');
    expect(refusal('/x', { ...two, defaultNameservice: 'gone' }).message).toContain('"gone"');
  });

  it('shows hostile text escaped', () => {
    expect(refusal('/a\u001b[31m').message).not.toContain('\u001b');
    expect(refusal('/a\u202e\u0085').message).toContain('\\u202e\\u0085');
  });
});

describe('paths that were accepted', () => {
  const segment = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 20 })
    .filter((text) => segmentProblem(text) === undefined);
  const segments = fc.array(segment, { minLength: 1, maxLength: 6 });

  it('are normal: parsing them again changes nothing, and nothing climbs out', () => {
    fc.assert(
      fc.property(segments, fc.boolean(), (parts, relative) => {
        const text = relative ? `./${parts.join('/')}` : `/${parts.join('/')}`;
        const { path } = parseHdfsPath(text, two);
        const again = parseHdfsPath(relative ? `./${path}` : path, two);
        expect(again.path).toBe(path);
        expect(path.split('/')).not.toContain('..');
        expect(path).toBe(path.normalize('NFC'));
      }),
    );
  });

  it('survive the way through a URL', () => {
    fc.assert(
      fc.property(segments, (parts) => {
        const { path } = parseHdfsPath(`/${parts.join('/')}`, two);
        const url = new URL(`http://nn1:9870/webhdfs/v1${encodeHdfsPath(path)}?op=OPEN`);
        expect(decodeURIComponent(url.pathname.slice('/webhdfs/v1'.length))).toBe(path);
        expect(url.search).toBe('?op=OPEN');
      }),
    );
  });

  it('anything else is refused with a code, never with another error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseHdfsPath(text, two);
        } catch (error) {
          expect(hasCode(error, 'HDFS_PATH_INVALID', 'HDFS_NAMESERVICE_UNKNOWN')).toBe(true);
        }
      }),
    );
  });
});

it('relative paths are below the home directory', () => {
  expect(absoluteHdfsPath(parseHdfsPath('models/dga', two), '/user/maas')).toBe('/user/maas/models/dga');
  expect(absoluteHdfsPath(parseHdfsPath('/models', two), '/user/maas')).toBe('/models');
  expect(joinHdfsPath('/', 'a')).toBe('/a');
  expect(encodeHdfsPath('/a b/50%/ü')).toBe('/a%20b/50%25/%C3%BC');
});
