import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointFile, startedFile } from '../../contracts/pod-contract.ts';
import { lookAtModel } from './look.ts';
import { SocketTables } from './socket-tables.ts';
import type { Told } from './told-address.ts';

const row = (local: string, state: string, inode: number, uid = 10001) =>
  ` 0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${uid} 0 ${inode} 1 0 100 0 0 10 0`;

let root: string;
const servers: Server[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'look-'));
  for (const directory of ['payload', 'proc/net', 'proc/self/fd'])
    mkdirSync(join(root, directory), { recursive: true });
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(root, { recursive: true, force: true });
});

const options = (changes: object = {}) => ({
  payloadDirectory: join(root, 'payload'),
  sockets: new SocketTables(join(root, 'proc')),
  told: { host: '10.0.0.7', reachable: new Set(['10.0.0.7']) },
  host: '127.0.0.1',
  ...changes,
});
const v4: Told = { host: '10.0.0.7', reachable: new Set(['10.0.0.7']) };
const v6: Told = { host: '[fd00::5]', reachable: new Set([`fd00${'0'.repeat(27)}5`]) };
const nothing = { mark: undefined, endpoint: undefined };
const started = () => writeFileSync(join(root, 'payload', startedFile), '');
const endpoint = (port: number) =>
  writeFileSync(join(root, 'payload', endpointFile), JSON.stringify({ url: `http://0.0.0.0:${port}` }));
const sockets = (...rows: string[]) => writeFileSync(join(root, 'proc/net/tcp'), ['header', ...rows].join('\n'));
const answer = async (changes: object = {}) => (await lookAtModel(options(changes), nothing)).asked?.answer;

describe('lookAtModel', () => {
  it('does not read endpoint.dat before the shell has started', async () => {
    endpoint(1500);
    expect(await lookAtModel(options(), nothing)).toEqual({ mark: undefined, reading: { kind: 'absent' } });
  });

  it('asks the kernel who listens; a kernel without IPv6 has one table less', async () => {
    started();
    endpoint(1500);
    expect(await answer()).toBe('none');
    sockets(row('00000000:05DC', '0A', 1));
    expect(await answer()).toBe('answers');
    sockets(row('0700000A:05DC', '01', 1));
    expect(await answer()).toBe('answers');
    sockets(row('0100007F:05DC', '0A', 1));
    expect(await answer()).toBe('loopback-only');
  });

  it.each<[string, string, Told, object]>([
    ['localhost', '0100007F', v4, { found: ['127.0.0.1'], told: '10.0.0.7', advice: '0.0.0.0' }],
    ['another address', '0800000A', v4, { found: ['10.0.0.8'], told: '10.0.0.7', advice: '0.0.0.0' }],
    ['IPv4 where IPv6 is told', '00000000', v6, { found: ['0.0.0.0'], told: '[fd00::5]', advice: '::' }],
  ])('tells what is told and what to bind to: %s', async (_, local, told, binding) => {
    started();
    endpoint(1500);
    sockets(row(`${local}:05DC`, '0A', 1));
    expect((await lookAtModel(options({ told }), nothing)).asked?.binding).toEqual(binding);
  });

  it('does not take its own sockets for the model', async () => {
    started();
    endpoint(1500);
    sockets(row('00000000:05DC', '0A', 77));
    symlinkSync('socket:[77]', join(root, 'proc/self/fd/20'));
    expect(await answer()).toBe('none');
  });

  it('tells users apart where it is told to', async () => {
    started();
    endpoint(1500);
    sockets(row('00000000:05DC', '0A', 1, 4711));
    expect(await answer({ modelUid: 10001 })).toBe('none');
    expect(await answer({ modelUid: 4711 })).toBe('answers');
  });

  it('goes on with the endpoint of this start when endpoint.dat is gone, not with that of another', async () => {
    started();
    endpoint(1500);
    sockets(row('00000000:05DC', '0A', 1));
    const first = await lookAtModel(options(), nothing);
    rmSync(join(root, 'payload', endpointFile));
    const known = { mark: first.mark, endpoint: first.asked?.endpoint };
    expect((await lookAtModel(options(), known)).asked?.answer).toBe('answers');
    expect((await lookAtModel(options(), { ...known, mark: 'other' })).asked).toBeUndefined();
  });

  it('connects only for a health check', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.end('HTTP/1.1 500 no\r\n\r\n');
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    started();
    endpoint(port);
    sockets(row(`00000000:${port.toString(16).toUpperCase().padStart(4, '0')}`, '0A', 1));
    expect(await answer()).toBe('answers');
    expect(connections).toBe(0);
    expect(await answer({ healthPath: '/health' })).toBe('unhealthy');
    expect(connections).toBe(1);
  });
});
