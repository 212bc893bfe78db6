/** What to do about a connection that failed for a reason that the kubeconfig explains. */
import type { ClusterAccess } from './kubeconfig/choose.ts';

const unknownAuthority = [
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
];

/** Undefined where nothing more is known. */
export function adviceFor(error: unknown, access: ClusterAccess): string | undefined {
  const { defaulted, clusterPlace, tls } = access;
  if (defaulted !== undefined) {
    return `Nothing names a server: ${defaulted}. Set a current context (\`kubectl config use-context\`), or name one with --context or --kubeconfig.`;
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (unknownAuthority.includes(code)) {
    return tls?.authority === undefined
      ? `${clusterPlace}: give the authority that signed the server's certificate (certificate-authority); without it, only those of the system are trusted.`
      : `${clusterPlace}: its certificate-authority did not sign the server's certificate. Correct it, or the server.`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `${clusterPlace}: name the server as its certificate does, in server or in tls-server-name.`;
  }
  if (code === 'CERT_HAS_EXPIRED') return 'Ask who runs the cluster to renew the certificate of its API server.';
  return undefined;
}
