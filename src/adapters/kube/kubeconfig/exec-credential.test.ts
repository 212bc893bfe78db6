import { describe, expect, it } from 'vitest';
import { execInfo, readExecCredential } from './exec-credential.ts';

const apiVersion = 'client.authentication.k8s.io/v1';
const answer = (status: unknown, more: object = {}) =>
  JSON.stringify({ apiVersion, kind: 'ExecCredential', status, ...more });

describe('what a credential plugin is told', () => {
  it('is the version, and whether it may ask', () => {
    expect(JSON.parse(execInfo(apiVersion, true, undefined))).toEqual({
      apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: true },
    });
  });

  it('is the cluster, where it wants to know', () => {
    const cluster = {
      server: 'https://api.example/base',
      tlsServerName: 'name',
      insecureSkipTlsVerify: true,
      certificateAuthorityData: 'PEM',
      proxyUrl: 'http://proxy',
      disableCompression: true,
      config: { audience: 'x' },
    };
    expect(JSON.parse(execInfo(apiVersion, false, cluster))).toMatchObject({
      spec: {
        interactive: false,
        cluster: {
          server: 'https://api.example/base',
          'tls-server-name': 'name',
          'insecure-skip-tls-verify': true,
          'certificate-authority-data': 'UEVN',
          'proxy-url': 'http://proxy',
          'disable-compression': true,
          config: { audience: 'x' },
        },
      },
    });
  });
});

describe('what a credential plugin answers', () => {
  it('is a token or a certificate, with or without an end', () => {
    expect(readExecCredential(answer({ token: 't' }), apiVersion)).toEqual({
      token: 't',
      certificate: undefined,
      expiresAt: undefined,
    });
    const status = { clientCertificateData: 'c', clientKeyData: 'k', expirationTimestamp: '2026-01-01T01:00:00+01:00' };
    expect(readExecCredential(answer(status), apiVersion)).toEqual({
      token: '',
      certificate: { certificate: 'c', key: 'k' },
      expiresAt: Date.parse('2026-01-01T00:00:00Z'),
    });
  });

  it.each([
    ['', 'no ExecCredential'],
    ['{', 'no JSON'],
    ['hello', 'no ExecCredential'],
    [answer({ token: 1 }), 'status.token'],
    [answer({ token: 't', expirationTimestamp: 'soon' }), 'status.expirationTimestamp'],
    [answer({ token: 't' }, { kind: 'Status' }), 'no ExecCredential'],
    [answer({ token: 't' }, { apiVersion: 'client.authentication.k8s.io/v1beta1' }), 'answered in "client'],
    [answer(undefined), 'neither a token nor a certificate'],
    [answer({ token: '', clientKeyData: null }), 'neither a token nor a certificate'],
    [answer({ clientKeyData: 'k' }), 'without its certificate'],
  ])('is refused as %s', (output, why) => {
    expect(() => readExecCredential(output, apiVersion)).toThrow(why);
  });
});
