import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { authorityExtensions, type MadeCertificate, makeCertificate } from '../../../test/builders/certificates.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { RecordingApi } from '../../../test/builders/recording-api.ts';
import { systemClock } from '../../kernel/system-clock.ts';
import { discardBody } from '../http/body.ts';
import type { Environment } from './environment.ts';
import { type KubeconfigChoice, loadKubeconfig } from './kubeconfig.ts';
import { createTransport, type Transport } from './transport.ts';

const models = '/apis/maas.dev/v1/modeldeployments';
const list = { method: 'GET', path: models, deadlineMs: 10_000 } as const;

describe('the way to the API server', () => {
  const work = mkdtempSync(join(tmpdir(), 'transport-'));
  const api = new RecordingApi();
  let root: MadeCertificate;
  let middle: MadeCertificate;
  let clients: MadeCertificate[];

  beforeAll(async () => {
    root = makeCertificate(work, { name: 'root', extensions: authorityExtensions });
    middle = makeCertificate(work, { name: 'middle', issuer: root, extensions: authorityExtensions });
    const names = ['subjectAltName=DNS:localhost,DNS:api.test,DNS:*.wild.test,IP:127.0.0.1'];
    const server = makeCertificate(work, { name: 'server', issuer: middle, extensions: names });
    clients = ['one', 'two'].map((name) =>
      makeCertificate(work, { name, issuer: root, extensions: ['extendedKeyUsage=clientAuth'] }),
    );
    await api.start(server, server.cert + middle.cert, root.cert);
  });
  afterAll(async () => {
    await api.stop();
    rmSync(work, { recursive: true });
  });
  beforeEach(() => {
    api.forget();
    api.wanted = undefined;
  });

  const transportOf = (choice: Partial<KubeconfigChoice>, env: Environment = {}): Transport => {
    const load = () =>
      loadKubeconfig({
        server: `https://127.0.0.1:${api.port('https')}`,
        certificateAuthority: root.certFile,
        token: 'secret',
        ...choice,
        env: { KUBECONFIG: '/dev/null', ...choice.env },
      });
    const transport = createTransport(load, systemClock, 'maas-test', { PATH: process.env['PATH'], ...env });
    onTestFinished(() => transport.close());
    return transport;
  };
  const asked = async (choice: Partial<KubeconfigChoice>, env?: Environment) =>
    (await transportOf(choice, env).request(list)).status;
  /** A user with a plugin that runs these lines of a shell. */
  const withPlugin = (script: string): Partial<KubeconfigChoice> => {
    const directory = mkdtempSync(join(work, 'plugin-'));
    const command = join(directory, 'plugin');
    writeFileSync(command, `#!/bin/sh\ncd ${directory}\n${script}\n`);
    chmodSync(command, 0o755);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' };
    const path = join(directory, 'config');
    writeFileSync(path, JSON.stringify({ users: [{ name: 'joe', user: { exec } }] }));
    return { path, user: 'joe', token: '' };
  };
  const answer = (status: string) =>
    `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":${status}}'`;

  it.each<[string, () => Partial<KubeconfigChoice>]>([
    ['a root', () => ({})],
    ['an authority that is no root', () => ({ certificateAuthority: middle.certFile })],
    ['a name of a wildcard', () => ({ tlsServerName: 'a.wild.test' })],
    ['no check at all', () => ({ certificateAuthority: '', insecureSkipTlsVerify: true })],
    ['a name that is an address', () => ({ tlsServerName: '127.0.0.1' })],
  ])('is trusted by %s', async (_, choice) => {
    expect(await asked(choice())).toBe(200);
  });

  it.each<[string, () => Partial<KubeconfigChoice>, object]>([
    [
      'without an authority',
      () => ({ certificateAuthority: '' }),
      { next: expect.stringContaining('certificate-authority') },
    ],
    [
      'by another authority',
      () => ({ certificateAuthority: clients[0]?.certFile }),
      { next: expect.stringContaining('did not sign') },
    ],
    ['by its common name', () => ({ tlsServerName: 'server' }), { next: expect.stringContaining('tls-server-name') }],
    ['by two labels for a star', () => ({ tlsServerName: 'a.b.wild.test' }), {}],
    ['by the bare domain of a star', () => ({ tlsServerName: 'wild.test' }), {}],
  ])('is not trusted %s', async (_, choice, error) => {
    await expect(asked(choice())).rejects.toMatchObject({ name: 'HttpFailure', cause: expect.any(Error), ...error });
    expect(api.seen).toEqual([]);
  });

  it('goes through the proxy of the environment, and says what a proxy refuses', async () => {
    const env = { HTTPS_PROXY: `http://joe:pass@127.0.0.1:${api.port('proxy')}` };
    expect(await asked({ server: 'https://api.test' }, env)).toBe(200);
    expect(api.proxied).toEqual([`proxy CONNECT api.test:443 Basic ${Buffer.from('joe:pass').toString('base64')}`]);
    await expect(asked({ server: 'https://forbidden.test' }, env)).rejects.toThrow('the proxy answered 403');
  });

  it('trusts a proxy with TLS by the authorities of the system, where the server has no TLS', async () => {
    const choice = { server: 'http://api.test', proxyUrl: `https://127.0.0.1:${api.port('tlsproxy')}` };
    expect(await asked(choice, { SSL_CERT_FILE: root.certFile })).toBe(200);
    await expect(asked(choice, { SSL_CERT_FILE: clients[0]?.certFile })).rejects.toMatchObject({
      name: 'HttpFailure',
      cause: expect.any(Error),
    });
  });

  it.each<[string, () => Partial<KubeconfigChoice>]>([
    ['connection', () => ({})],
    ['tunnel', () => ({ server: 'https://api.test', proxyUrl: `http://127.0.0.1:${api.port('proxy')}` })],
    ['tunnel of SOCKS', () => ({ server: 'https://api.test', proxyUrl: `socks5://127.0.0.1:${api.port('socks')}` })],
    [
      'tunnel of SOCKS over IPv6',
      () => ({ server: 'https://api.test', proxyUrl: `socks5://[::1]:${api.port('socks6')}` }),
    ],
    ['proxy', () => ({ server: 'http://api.test', proxyUrl: `http://127.0.0.1:${api.port('proxy')}` })],
  ])('uses one %s for calls that follow each other', async (_, choice) => {
    const transport = transportOf(choice());
    const before = api.connections;
    for (let i = 0; i < 3; i++) await transport.request(list);
    expect(api.seen).toHaveLength(3);
    // Each way through a proxy is a connection to it, and one behind it.
    expect(api.connections - before).toBeLessThanOrEqual(2);
  });

  it('waits for a login longer than for an answer', async () => {
    const transport = transportOf(withPlugin(`sleep 1\n${answer('{"token":"late"}')}`));
    expect((await transport.request({ ...list, deadlineMs: 900 })).status).toBe(200);
    expect(api.seen).toMatchObject([{ identity: ['authorization: Bearer late'] }]);
  });

  it('asks a plugin anew after a 401, and others use its answer', async () => {
    const transport = transportOf(
      withPlugin(`echo call >> calls\n${answer('{"token":"token-\'$(wc -l < calls | tr -d " ")\'"}')}`),
    );
    await transport.request(list);
    api.wanted = 'Bearer token-2';
    expect((await transport.request(list)).status).toBe(200);
    expect((await transport.request(list)).status).toBe(200);
    expect(api.seen.map(({ identity }) => identity)).toEqual([
      ['authorization: Bearer token-1'],
      ['authorization: Bearer token-2'],
      ['authorization: Bearer token-2'],
    ]);
  });

  it('takes other connections for another client certificate', async () => {
    const directory = join(work, 'rotating');
    mkdirSync(directory);
    const [certificate, key] = [join(directory, 'cert'), join(directory, 'key')];
    const put = (made: MadeCertificate | undefined): void => {
      writeFileSync(certificate, made?.cert ?? '');
      writeFileSync(key, made?.key ?? '');
    };
    const clock = new HastyClock();
    put(clients[0]);
    const load = () =>
      loadKubeconfig({
        env: { KUBECONFIG: '/dev/null' },
        server: `https://127.0.0.1:${api.port('https')}`,
        certificateAuthority: root.certFile,
        clientCertificate: certificate,
        clientKey: key,
      });
    const transport = createTransport(load, clock, 'maas-test');
    onTestFinished(() => transport.close());
    await transport.request(list);
    put(clients[1]);
    await transport.request(list);
    clock.pass(60_000);
    await transport.request(list);
    expect(api.seen.map(({ client }) => JSON.parse(client))).toEqual([{ CN: 'one' }, { CN: 'one' }, { CN: 'two' }]);
  });

  it('gives up after the time that the user set for a request', async () => {
    const silent = http.createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const server = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await expect(asked({ server, requestTimeoutMs: 50 })).rejects.toThrow('no answer within 50 ms');
  });

  it('asks for packed answers, says nothing of it where that is switched off, and has streams as they are', async () => {
    const heard: (string | undefined)[] = [];
    const listening = http.createServer((request, response) => {
      heard.push(request.headers['accept-encoding']?.toString());
      response.end('{}');
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      listening.closeAllConnections();
      listening.close();
    });
    const server = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    const usual = transportOf({ server });
    await usual.request(list);
    await transportOf({ server, disableCompression: true }).request(list);
    await discardBody(await usual.open(list));
    expect(heard).toEqual(['gzip', undefined, 'identity']);
  });

  it('unpacks what comes packed, and says where that is cut off', async () => {
    const packed = gzipSync('{"kind":"List"}');
    let body = packed;
    const packing = http.createServer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body);
    });
    await new Promise<void>((resolve) => packing.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      packing.close();
    });
    const transport = transportOf({ server: `http://127.0.0.1:${(packing.address() as AddressInfo).port}` });
    expect((await transport.request(list)).text).toBe('{"kind":"List"}');
    body = packed.subarray(0, -9);
    await expect(transport.request(list)).rejects.toMatchObject({ name: 'HttpFailure', cause: expect.any(Error) });
  });
});
