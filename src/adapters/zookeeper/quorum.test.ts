import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaasError } from '../../contracts/errors.ts';
import { parseQuorum, serverName } from './quorum.ts';

describe('a quorum', () => {
  it.each([
    ['zk', [{ host: 'zk', port: 2181 }], ''],
    ['zk:2182', [{ host: 'zk', port: 2182 }], ''],
    [
      'zk-1.example:2181,10.0.0.2:2182',
      [
        { host: 'zk-1.example', port: 2181 },
        { host: '10.0.0.2', port: 2182 },
      ],
      '',
    ],
    ['zk:2181/', [{ host: 'zk', port: 2181 }], ''],
    ['zk:2181/maas/prod', [{ host: 'zk', port: 2181 }], '/maas/prod'],
    ['[::1]:2183/a', [{ host: '::1', port: 2183 }], '/a'],
    ['[fd00::7]', [{ host: 'fd00::7', port: 2181 }], ''],
    [
      ' a:1 , b:2 ',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      '',
    ],
    [
      'a:1,b:2,a:1',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      '',
    ],
    ['my_zookeeper:1', [{ host: 'my_zookeeper', port: 1 }], ''],
  ])('%j is read', (text, servers, chroot) => {
    expect(parseQuorum(text)).toEqual({ servers, chroot });
  });

  it.each([
    ['', 'names no server'],
    ['/only/a/path', 'names no server'],
    ['a:1,,b:2', 'nothing between two commas'],
    ['a:1,', 'nothing between two commas or at an end'],
    ['::1', 'needs brackets, as in [::1]:2181'],
    ['fd00::7:2181', 'needs brackets'],
    ['[::1', '"[" is not a host'],
    ['[zk]:2181', 'is not an IPv6 address'],
    ['a:b:c', '"b:c" is not a port'],
    ['a:', 'is not a port'],
    ['a:0', 'is not a port'],
    ['a:65536', 'is not a port'],
    ['a:+21', 'is not a port'],
    ['a b:1', 'is not a host'],
    ['a\u001b[31m:1', '"a\\u001b[31m" is not a host'],
    [':2181', '"" is not a host'],
    ['a:1/b/', 'the path "/b/" ends in a slash'],
    ['a:1/b//c', 'two slashes'],
    ['a:1/../c', 'has ".." as a name'],
    ['zk://a:1', 'two slashes'],
  ])('%j is refused', (text, problem) => {
    expect(() => parseQuorum(text)).toThrow(
      expect.objectContaining({ code: 'SETTINGS_INVALID', message: expect.stringContaining(problem) }),
    );
  });

  it('that was written out is read as it was', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    const server = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) });
    fc.assert(
      fc.property(fc.uniqueArray(server, { minLength: 1, maxLength: 5, selector: serverName }), (servers) => {
        expect(parseQuorum(servers.map(serverName).join(',')).servers).toEqual(servers);
      }),
    );
  });

  it('of any text is read or refused by its code', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseQuorum(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MaasError);
          expect(error).toHaveProperty('code', 'SETTINGS_INVALID');
        }
      }),
    );
  });
});
