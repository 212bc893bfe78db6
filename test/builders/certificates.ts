/** Certificates for tests, made by openssl in a directory of the test's. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MadeCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

interface Subject {
  readonly name: string;
  /** `/O=team/CN=joe`; default the name. */
  readonly subject?: string;
  readonly issuer?: MadeCertificate;
  /** Lines of an extension section. */
  readonly extensions: readonly string[];
  readonly days?: number;
}

export const authorityExtensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];

export function makeCertificate(directory: string, made: Subject): MadeCertificate {
  const [certFile, keyFile, request, section] = ['pem', 'key', 'csr', 'ext'].map((end) =>
    join(directory, `${made.name}.${end}`),
  ) as [string, string, string, string];
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  writeFileSync(section, made.extensions.join('\n'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  openssl('req', ...key, '-out', request, '-subj', made.subject ?? `/CN=${made.name}`);
  const signer = made.issuer
    ? ['-CA', made.issuer.certFile, '-CAkey', made.issuer.keyFile, '-CAcreateserial']
    : ['-signkey', keyFile];
  openssl(
    'x509',
    '-req',
    '-in',
    request,
    ...signer,
    '-days',
    String(made.days ?? 30),
    '-extfile',
    section,
    '-out',
    certFile,
  );
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}
