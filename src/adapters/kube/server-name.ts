/** Is a certificate the server's own? As Go asks it: only alternative names count, never the common name. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';

/** Undefined where it is. @param name the server's name or address */
export function nameMismatch(name: string, { raw }: PeerCertificate): Error | undefined {
  const certificate = new X509Certificate(raw);
  const matches =
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: 'never', partialWildcards: false, singleLabelSubdomains: false })
      : certificate.checkIP(name);
  if (matches !== undefined) return undefined;
  const names = certificate.subjectAltName;
  return Object.assign(
    new Error(
      names === undefined
        ? `its certificate names no server by an alternative name, so it is not that of ${name}`
        : `its certificate is for ${names}, not for ${name}`,
    ),
    { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  );
}
