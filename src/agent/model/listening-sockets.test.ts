import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalAddress,
  judgeSockets,
  type Reachable,
  type Socket,
  shownAddress,
  socketsOnPort,
  type Whose,
} from './listening-sockets.ts';

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n';

/** Rows as a little-endian kernel prints them. */
const tcp = `${header}\
   0: 00000000:05DC 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 48213 1 0000000000000000 100 0 0 10 0
   1: 0100007F:05DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 48214 1 0000000000000000 100 0 0 10 0
   2: 0712F40A:05DE 0512F40A:C350 01 00000000:00000000 02:000007D0 00000000 10001        0 48215 2 0000000000000000 20 4 30 10 -1
   3: 0712F40A:C350 0512F40A:05DC 01 00000000:00000000 00:00000000 00000000     0        0 48216 1 0000000000000000 20 4 30 10 -1
   4: 0712F40A:05DF 0512F40A:C351 06 00000000:00000000 03:00001388 00000000     0        0 0 3 0000000000000000
`;
const tcp6 = `${header}\
   0: 00000000000000000000000000000000:05DC 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 50001 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000001000000:05DD 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 50002 1 0000000000000000 100 0 0 10 0
   2: 0000000000000000FFFF00000712F40A:05DE 0000000000000000FFFF00000512F40A:C350 01 00000000:00000000 00:00000000 00000000  1000        0 50003 1 0000000000000000 20 4 30 10 -1
   3: B80D0120000000000000000001000000:05E0 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 50004 1 0000000000000000 100 0 0 10 0
`;

describe('socketsOnPort', () => {
  it('reads listening and established sockets of one port, in the byte order of the host', () => {
    expect(socketsOnPort(tcp, 1500, true)).toEqual([
      { address: '0.0.0.0', port: 1500, state: 'listen', uid: 10001, inode: '48213' },
    ]);
    expect(socketsOnPort(tcp, 1501, true)).toEqual([
      { address: '127.0.0.1', port: 1501, state: 'listen', uid: 10001, inode: '48214' },
    ]);
    expect(socketsOnPort(tcp, 1502, true)).toEqual([
      { address: '10.244.18.7', port: 1502, state: 'established', uid: 10001, inode: '48215' },
    ]);
  });

  it('leaves out other states and the remote side of a connection', () => {
    expect(socketsOnPort(tcp, 1503, true)).toEqual([]);
    expect(socketsOnPort(tcp, 0xc350, true).map((socket) => socket.inode)).toEqual(['48216']);
  });

  it('reads IPv6, and writes v4-mapped addresses as IPv4', () => {
    expect(socketsOnPort(tcp6, 1500, true).map((socket) => socket.address)).toEqual(['0'.repeat(32)]);
    expect(socketsOnPort(tcp6, 1501, true).map((socket) => socket.address)).toEqual([`${'0'.repeat(31)}1`]);
    expect(socketsOnPort(tcp6, 1502, true).map((socket) => socket.address)).toEqual(['10.244.18.7']);
    expect(socketsOnPort(tcp6, 1504, true).map((socket) => socket.address)).toEqual([
      '20010db8000000000000000000000001',
    ]);
  });

  it('reads the same socket on a big-endian machine', () => {
    const row = tcp.replaceAll('0712F40A', '0AF41207');
    expect(socketsOnPort(row, 1502, false).map((socket) => socket.address)).toEqual(['10.244.18.7']);
  });

  it('takes any text without failing', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 65535 }), (text, port) => {
        socketsOnPort(text, port, true);
        socketsOnPort(`  0: ${text}:05DC x 0A a b c d e f`, 1500, true);
      }),
    );
  });

  it('finds every socket that a kernel would print', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const socket = fc.record({ bytes: fc.tuple(byte, byte, byte, byte), port: fc.integer({ min: 1, max: 65535 }) });
    fc.assert(
      fc.property(fc.array(socket, { minLength: 1 }), (sockets) => {
        const rows = sockets.map(({ bytes, port }, index) => {
          const hex = [...bytes].reverse().map((value) => value.toString(16).padStart(2, '0'));
          const local = `${hex.join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
          return ` ${index}: ${local} 00000000:0000 0A 0:0 00:0 0 7 0 ${index} 1 0`;
        });
        for (const { bytes, port } of sockets) {
          const found = socketsOnPort(header + rows.join('\n'), port, true).map((each) => each.address);
          expect(found).toContain(bytes.join('.'));
        }
      }),
    );
  });
});

describe('canonicalAddress', () => {
  it.each([
    ['10.244.18.7', '10.244.18.7'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['2001:DB8:0:0:0:0:0:1', '20010db8000000000000000000000001'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['node7.example', undefined],
    ['', undefined],
    ['1::2::3', undefined],
    ['1:2:3', undefined],
  ])('%s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });
});

describe('judgeSockets', () => {
  const whose: Whose = { reachable: new Set(['10.0.0.7']), ignore: new Set() };
  const socket = (address: string, state: Socket['state'] = 'listen', uid = 10001, inode = '1'): Socket => ({
    address,
    port: 1500,
    state,
    uid,
    inode,
  });

  it.each<[string, Socket[], Partial<Whose>, string]>([
    ['every address', [socket('0.0.0.0')], {}, 'listening'],
    ['every IPv6 address', [socket('0'.repeat(32))], {}, 'listening'],
    ['the address of the pod', [socket('10.0.0.7')], {}, 'listening'],
    ['localhost', [socket('127.0.0.1')], {}, 'loopback-only'],
    ['IPv6 localhost', [socket(`${'0'.repeat(31)}1`)], {}, 'loopback-only'],
    ['localhost and the pod', [socket('127.0.0.1'), socket('10.0.0.7')], {}, 'listening'],
    ['another address', [socket('172.17.0.1')], {}, 'elsewhere'],
    ['another address behind a proxy', [socket('172.17.0.1')], { reachable: 'any' }, 'listening'],
    ['localhost behind a proxy', [socket('127.0.0.1')], { reachable: 'any' }, 'loopback-only'],
    ['nothing', [], {}, 'none'],
    ['one connection being served', [socket('10.0.0.7', 'established')], {}, 'busy'],
    ['one connection inside the pod', [socket('127.0.0.1', 'established')], {}, 'none'],
    ['localhost and a connection', [socket('127.0.0.1'), socket('10.0.0.7', 'established')], {}, 'loopback-only'],
    ['somebody else on the node', [socket('0.0.0.0', 'listen', 7)], { uid: 10001 }, 'none'],
    ['the model on the node', [socket('0.0.0.0')], { uid: 10001 }, 'listening'],
    ['the agent itself', [socket('0.0.0.0', 'listen', 10001, '99')], { ignore: new Set(['99']) }, 'none'],
  ])('%s', (_, sockets, override, verdict) => {
    expect(judgeSockets(sockets, { ...whose, ...override })).toBe(verdict);
  });

  const v6 = canonicalAddress('fd00::5') ?? '';
  const v4 = '10.0.0.7';
  const all = ['0.0.0.0', v4, '10.0.0.8', '127.0.0.1', '::', 'fd00::5', 'fd00::6', '::1', '::ffff:10.0.0.7'];
  /** Which bindings reach clients, and which connections are theirs, by what they are told. */
  it.each<[string, Reachable, boolean, string[], string[]]>([
    ['an IPv4 address', new Set([v4]), true, ['0.0.0.0', v4, '::', '::ffff:10.0.0.7'], [v4, '::ffff:10.0.0.7']],
    ['an IPv4 address, :: being for IPv6 alone', new Set([v4]), false, ['0.0.0.0', v4, '::ffff:10.0.0.7'], [v4]],
    ['an IPv6 address', new Set([v6]), true, ['::', 'fd00::5'], ['fd00::5']],
    ['an IPv6 address, :: being for IPv6 alone', new Set([v6]), false, ['::', 'fd00::5'], ['fd00::5']],
    ['an address of the node, IPv4', 'IPv4', true, ['0.0.0.0', v4, '10.0.0.8', '::', '::ffff:10.0.0.7'], [v4]],
    ['an address of the node, IPv6', 'IPv6', true, ['::', 'fd00::5', 'fd00::6'], ['fd00::5', 'fd00::6']],
    ['a name', 'any', false, all.filter((each) => !['127.0.0.1', '::1'].includes(each)), [v4, 'fd00::5']],
  ])('where clients are told %s', (_, reachable, bothFamilies, bindings, connections) => {
    const own = { reachable, ignore: new Set<string>(), ipv4Too: new Set(bothFamilies ? ['1'] : []) };
    const at = (address: string, state: Socket['state']) => [socket(canonicalAddress(address) ?? '', state)];
    expect(all.filter((each) => judgeSockets(at(each, 'listen'), own) === 'listening')).toEqual(
      all.filter((each) => bindings.includes(each)),
    );
    for (const each of connections) expect(judgeSockets(at(each, 'established'), own), each).toBe('busy');
    for (const each of all.filter((other) => !bindings.includes(other)))
      expect(judgeSockets(at(each, 'established'), own), each).toBe('none');
  });

  it('never counts a family that clients are not told, whatever else listens', () => {
    const others = fc.constantFrom('0.0.0.0', v4, '10.0.0.8', '127.0.0.1', '::ffff:0.0.0.0', '::1', 'fd00::6');
    const states = fc.constantFrom('listen' as const, 'established' as const);
    fc.assert(
      fc.property(fc.array(fc.tuple(others, states)), (bound) => {
        const sockets = bound.map(([address, state]) => socket(canonicalAddress(address) ?? '', state));
        const verdict = judgeSockets(sockets, { reachable: new Set([v6]), ignore: new Set() });
        expect(['loopback-only', 'elsewhere', 'none']).toContain(verdict);
      }),
    );
  });
});

describe('shownAddress', () => {
  it.each(['10.0.0.7', '::', '::1', 'fd00::5', '2001:db8:0:1::'])('writes %s as people do', (text) => {
    expect(shownAddress(canonicalAddress(text) ?? '')).toBe(text);
  });
});
