/** What is said to a credential plugin, and what it answers: client.authentication.k8s.io, v1 and v1beta1. */
import { parse } from 'yaml';
import { z } from 'zod';
import { quoted } from '../../../kernel/shown-text.ts';

export const execApiVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

export interface ExecCluster {
  readonly server: string;
  readonly tlsServerName: string;
  readonly insecureSkipTlsVerify: boolean;
  /** PEM. */
  readonly certificateAuthorityData: string;
  readonly proxyUrl: string;
  readonly disableCompression: boolean;
  /** The extension that the kubeconfig's cluster has for plugins. */
  readonly config: unknown;
}

/** The value of KUBERNETES_EXEC_INFO. */
export function execInfo(apiVersion: string, interactive: boolean, cluster: ExecCluster | undefined): string {
  const said = cluster && {
    server: cluster.server,
    ...(cluster.tlsServerName === '' ? {} : { 'tls-server-name': cluster.tlsServerName }),
    ...(cluster.insecureSkipTlsVerify ? { 'insecure-skip-tls-verify': true } : {}),
    ...(cluster.certificateAuthorityData === ''
      ? {}
      : { 'certificate-authority-data': Buffer.from(cluster.certificateAuthorityData).toString('base64') }),
    ...(cluster.proxyUrl === '' ? {} : { 'proxy-url': cluster.proxyUrl }),
    ...(cluster.disableCompression ? { 'disable-compression': true } : {}),
    config: cluster.config ?? null,
  };
  return JSON.stringify({
    kind: 'ExecCredential',
    apiVersion,
    spec: { ...(said === undefined ? {} : { cluster: said }), interactive },
  });
}

export interface ExecCredential {
  /** Empty where it gave none. */
  readonly token: string;
  readonly certificate: { readonly certificate: string; readonly key: string } | undefined;
  /** Milliseconds since 1970; undefined where it holds until it is refused. */
  readonly expiresAt: number | undefined;
}

/** Why an answer is no credential, as the end of a sentence about the plugin. */
export class NoCredential extends Error {}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const answer = z.object({
  apiVersion: text,
  kind: text,
  status: z
    .object({
      token: text,
      clientCertificateData: text,
      clientKeyData: text,
      expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
    })
    .nullish(),
});

/** @throws NoCredential */
export function readExecCredential(output: string, apiVersion: string): ExecCredential {
  let value: unknown;
  try {
    value = parse(output);
  } catch (cause) {
    throw new NoCredential('printed no JSON', { cause });
  }
  const parsed = answer.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new NoCredential(`printed no ExecCredential: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { kind, status } = parsed.data;
  if (kind !== 'ExecCredential') throw new NoCredential('printed no ExecCredential');
  if (parsed.data.apiVersion !== apiVersion) {
    throw new NoCredential(`was asked for ${apiVersion} and answered in ${quoted(parsed.data.apiVersion)}`);
  }
  const { token = '', clientCertificateData = '', clientKeyData = '' } = status ?? {};
  if (token === '' && clientCertificateData === '' && clientKeyData === '') {
    throw new NoCredential('gave neither a token nor a certificate');
  }
  if ((clientCertificateData === '') !== (clientKeyData === '')) {
    throw new NoCredential('gave a certificate without its key, or a key without its certificate');
  }
  const expires = status?.expirationTimestamp;
  return {
    token,
    certificate: clientKeyData === '' ? undefined : { certificate: clientCertificateData, key: clientKeyData },
    expiresAt: expires ? Date.parse(expires) : undefined,
  };
}
