/**
 * Which authorities are trusted, as Go decides it: those of a kubeconfig alone, else those of the system, found where
 * Go looks for them. Every certificate of a bundle is an anchor, also one that is no root; text between them, and
 * certificates that nobody can parse, are passed over.
 */
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Environment } from './environment.ts';

/** PEM of each certificate in a bundle that can be used. */
export function anchorsIn(bundle: string): readonly string[] {
  return certificatesIn(bundle).filter((certificate) => {
    try {
      return new X509Certificate(certificate).raw.length > 0;
    } catch {
      return false;
    }
  });
}

/** Go stops at the first of these that is there. */
const files = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
/** All of these are read. */
const directories = ['/etc/ssl/certs', '/etc/pki/tls/certs'];

/** The system's authorities; undefined where it has none, for those that the runtime brings along. */
export function systemAnchors(env: Environment, platform: NodeJS.Platform): readonly string[] | undefined {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: list } = env;
  // There Go asks the system itself, and the variables mean nothing.
  if (platform === 'darwin' || platform === 'win32') return tls.getCACertificates('system');
  const bundle = (file ? [file] : files).map(textOf).find((text) => text !== undefined);
  const loose = (list ? list.split(':') : directories).flatMap(textsIn);
  const found = new Set([...(bundle === undefined ? [] : [bundle]), ...loose].flatMap(certificatesIn));
  if (found.size > 0) return [...found].filter((certificate) => anchorsIn(certificate).length > 0);
  return file || list ? [] : undefined;
}

function certificatesIn(text: string): string[] {
  const blocks = text.replace(/\r\n?/g, '\n').match(/-----BEGIN CERTIFICATE-----\n[^-]*-----END CERTIFICATE-----/g);
  return (blocks ?? []).map((block) => `${block}\n`);
}

function textsIn(directory: string): string[] {
  return namesIn(directory)
    .filter((name) => !isAlias(join(directory, name)))
    .map((name) => textOf(join(directory, name)))
    .filter((text) => text !== undefined);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** OpenSSL's directories have each certificate a second time, under its hash. */
function isAlias(path: string): boolean {
  try {
    return !readlinkSync(path).includes('/');
  } catch {
    return false;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
