import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { takesIpv4 } from './ipv4-listener.ts';

const models: { kill(): void }[] = [];
afterEach(() => {
  for (const model of models.splice(0)) model.kill();
});

/** Another process, as a model is; it counts who connects. */
async function listening(options: object): Promise<{ port: number; connections: () => Promise<number> }> {
  const program = `
    let connections = 0;
    const server = require('node:net').createServer(() => { connections += 1; });
    server.listen(${JSON.stringify({ port: 0, ...options })}, () => console.log(server.address().port));
    process.stdin.on('data', () => console.log(connections));`;
  const child = execFile(process.execPath, ['-e', program]);
  models.push({ kill: () => child.kill('SIGKILL') });
  const line = async () => String((await once(child.stdout ?? child, 'data'))[0]).trim();
  return {
    port: Number(await line()),
    connections: async () => {
      child.stdin?.write('\n');
      return Number(await line());
    },
  };
}

describe('takesIpv4', () => {
  it.each<[string, object, boolean]>([
    [':: for both families', { host: '::' }, true],
    [':: for IPv6 alone', { host: '::', ipv6Only: true }, false],
    ['::1', { host: '::1' }, false],
    ['0.0.0.0', { host: '0.0.0.0' }, true],
    ['0.0.0.0 by an IPv6 socket', { host: '::ffff:0.0.0.0' }, true],
    ['another IPv4 address', { host: '127.0.0.2' }, false],
  ])('%s', async (_, options, taken) => {
    const model = await listening(options);
    for (let turn = 0; turn < 3; turn++) expect(await takesIpv4('127.0.0.1', model.port)).toBe(taken);
    expect(await model.connections()).toBe(0);
  });

  it('leaves the port to a model that wants it at the same time', async () => {
    const { port } = await listening({ host: '::1' });
    for (let turn = 0; turn < 50; turn++) {
      const asked = takesIpv4('127.0.0.1', port);
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      await asked;
      await new Promise((closed) => server.close(closed));
    }
  });

  it('does not know for an address that is not here, and does not stand in the way then', async () => {
    expect(await takesIpv4('198.51.100.7', 34_567)).toBe(true);
  });
});
