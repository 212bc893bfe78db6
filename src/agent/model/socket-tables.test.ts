import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeSockets, socketsOnPort } from './listening-sockets.ts';
import { SocketTables } from './socket-tables.ts';

let root: string;
const servers: Server[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sockets-'));
  for (const directory of ['net', 'self/fd']) mkdirSync(join(root, directory), { recursive: true });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((closed) => server.close(closed));
  rmSync(root, { recursive: true, force: true });
});

const heads = {
  tcp: `${'  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'.padEnd(149)}\n`,
  tcp6: '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n',
};
/** As the kernel pads them: rows of `tcp` all have 150 bytes. */
const row = (local: string, state: string, inode: number) => {
  const remote = '0'.repeat(local.indexOf(':'));
  const text = `   0: ${local} ${remote}:0000 ${state} 00000000:00000000 00:00000000 00000000 10001        0 ${inode} 1 00000000c0adfb07 100 0 0 10 0`;
  return `${text.padEnd(149)}\n`;
};
const write = (table: 'tcp' | 'tcp6', ...rows: string[]) =>
  writeFileSync(join(root, 'net', table), heads[table] + rows.join(''));
const any6 = '0'.repeat(32);

const whose = { reachable: new Set(['10.0.0.7']) };

describe('SocketTables', () => {
  it('finds the listener wherever it stands in either table', async () => {
    const others = (count: number) => Array.from({ length: count }, (_, at) => row('00000000:0050', '0A', at));
    for (const before of [0, 1, 2, 17, 40, 2_000]) {
      write('tcp', ...others(before), row('00000000:05DC', '0A', 7));
      write('tcp6');
      expect(await new SocketTables(root).listenerOn(1500, whose), `behind ${before}`).toBe('listening');
      write('tcp', ...others(before));
      write('tcp6', ...others(before), row(`${any6}:05DC`, '0A', 7));
      expect(await new SocketTables(root).listenerOn(1500, whose), `in tcp6 behind ${before}`).toBe('listening');
    }
  });

  it('finds one that has moved to the other table, again and again', async () => {
    const tables = new SocketTables(root);
    for (let turn = 0; turn < 3; turn++) {
      write('tcp', row('00000000:05DC', '0A', 7));
      write('tcp6');
      expect(await tables.listenerOn(1500, whose)).toBe('listening');
      write('tcp');
      write('tcp6', row(`${any6}:05DC`, '0A', 7));
      expect(await tables.listenerOn(1500, whose)).toBe('listening');
    }
    write('tcp6');
    expect(await tables.listenerOn(1500, whose)).toBe('none');
  });

  it('does not count the sockets of its own process', async () => {
    write('tcp', row('00000000:05DC', '0A', 77));
    symlinkSync('socket:[77]', join(root, 'self/fd/20'));
    expect(await new SocketTables(root).listenerOn(1500, whose)).toBe('none');
  });

  it('does without a table that the kernel does not have', async () => {
    write('tcp', row('00000000:05DC', '0A', 7));
    expect(await new SocketTables(root).listenerOn(1500, whose)).toBe('listening');
    expect(await new SocketTables(root).listenerOn(1501, whose)).toBe('none');
  });

  it('says what a reading of both whole tables says', async () => {
    const locals = ['00000000:05DC', '0100007F:05DC', '0700000A:05DC', '0800000A:05DC', '00000000:0016'];
    const locals6 = [`${any6}:05DC`, `${'0'.repeat(24)}01000000:05DC`, `${any6}:0016`];
    const rows = (from: readonly string[]) =>
      fc.array(fc.tuple(fc.constantFrom(...from), fc.constantFrom('0A', '01', '06'), fc.nat(99)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(rows(locals), rows(locals6), async (tcp, tcp6) => {
        const [text, text6] = [tcp, tcp6].map((of) => of.map(([...each]) => row(...each)).join('')) as [string, string];
        write('tcp', text);
        write('tcp6', text6);
        const all = [text, text6].flatMap((table) => socketsOnPort(table, 1500, true));
        const wanted = judgeSockets(all, { ...whose, ignore: new Set() });
        expect(await new SocketTables(root).listenerOn(1500, whose)).toBe(wanted);
      }),
      { numRuns: 100 },
    );
  });

  const ipv6Localhost = `${'0'.repeat(31)}1`;
  it.each<[string, object, string, string]>([
    ['0.0.0.0 where IPv4 is told', { host: '0.0.0.0' }, '127.0.0.1', 'listening'],
    ['0.0.0.0 where IPv6 is told', { host: '0.0.0.0' }, ipv6Localhost, 'elsewhere'],
    ['0.0.0.0 by an IPv6 socket where IPv4 is told', { host: '::ffff:0.0.0.0' }, '127.0.0.1', 'listening'],
    ['0.0.0.0 by an IPv6 socket where IPv6 is told', { host: '::ffff:0.0.0.0' }, ipv6Localhost, 'elsewhere'],
    [':: where IPv4 is told', { host: '::' }, '127.0.0.1', 'listening'],
    [':: where IPv6 is told', { host: '::' }, ipv6Localhost, 'listening'],
    [':: for IPv6 alone where IPv4 is told', { host: '::', ipv6Only: true }, '127.0.0.1', 'elsewhere'],
    [':: for IPv6 alone where IPv6 is told', { host: '::', ipv6Only: true }, ipv6Localhost, 'listening'],
    ['127.0.0.1 by an IPv6 socket where IPv6 is told', { host: '::ffff:127.0.0.1' }, ipv6Localhost, 'loopback-only'],
  ])('tells whether clients reach a server of the real kernel: %s', async (_, options, told, verdict) => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen({ port: 0, ...options }, resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const tables = new SocketTables(root);
    symlinkSync('/proc/net/tcp', join(root, 'net/tcp'));
    symlinkSync('/proc/net/tcp6', join(root, 'net/tcp6'));
    // Asked once, remembered later.
    for (let turn = 0; turn < 3; turn++)
      expect(await tables.listenerOn(port, { reachable: new Set([told]) })).toBe(verdict);
    // And the same, whatever clients would make of it, where they come through a proxy.
    const behindProxy = await tables.listenerOn(port, { reachable: 'any' });
    expect(behindProxy).toBe(verdict === 'elsewhere' ? 'listening' : verdict);
  });

  it.each(['127.0.0.1', '0.0.0.0', '::'])('sees a server on %s in the tables of the real kernel', async (host) => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    // Not of this process, as far as the tables' reader knows.
    const tables = new SocketTables(root);
    symlinkSync('/proc/net/tcp', join(root, 'net/tcp'));
    symlinkSync('/proc/net/tcp6', join(root, 'net/tcp6'));
    expect(await tables.listenerOn(port, whose)).toBe(host === '127.0.0.1' ? 'loopback-only' : 'listening');
    expect(await new SocketTables('/proc').listenerOn(port, whose)).toBe('none');
  });
});
