/**
 * What kubectl finds wrong with the cluster and the user that are in use, before it asks anybody. Entries that are not
 * in use are never looked at.
 */
import { quoted } from '../../../kernel/shown-text.ts';
import type { AuthProviderEntry, ClusterEntry, ExecEntry, UserEntry } from './read.ts';

/** Why a file cannot be read; undefined where it can. */
export type Unreadable = (path: string) => string | undefined;

/** In the words of who has to mend it; without the place. */
export function clusterComplaints(cluster: ClusterEntry, unreadable: Unreadable): string[] {
  const file = cluster.certificateAuthority;
  return [
    ...(cluster.proxyUrl === '' ? [] : proxyComplaints(cluster.proxyUrl)),
    ...(file !== '' && cluster.certificateAuthorityData !== ''
      ? ['it has both certificate-authority and certificate-authority-data']
      : []),
    ...unreadableFile('certificate-authority', file, unreadable),
  ];
}

function proxyComplaints(proxyUrl: string): string[] {
  const protocol = /^([a-z][a-z0-9+.-]*):/i.exec(proxyUrl)?.[1]?.toLowerCase();
  return ['http', 'https', 'socks5'].includes(protocol ?? '') && URL.canParse(proxyUrl)
    ? []
    : [`proxy-url ${quoted(proxyUrl)} is no URL of http, https or socks5`];
}

export function userComplaints(user: UserEntry, unreadable: Unreadable): string[] {
  const basic = user.username !== '' || user.password !== '';
  const more = user.asUid !== '' || user.asGroups.length > 0 || Object.keys(user.asUserExtra).length > 0;
  return [
    ...certificateComplaints(user, unreadable),
    ...(user.exec === undefined ? [] : execComplaints(user.exec, user.authProvider)),
    ...(user.token !== '' && basic ? ['it has both a token and a user name with password'] : []),
    ...(more && user.as === '' ? ['it impersonates a uid, groups or extras without a user (as)'] : []),
  ];
}

function certificateComplaints(user: UserEntry, unreadable: Unreadable): string[] {
  const { clientCertificate, clientCertificateData, clientKey, clientKeyData } = user;
  if (clientCertificate === '' && clientCertificateData === '') return [];
  return [
    ...(clientCertificate !== '' && clientCertificateData !== ''
      ? ['it has both client-certificate and client-certificate-data']
      : []),
    ...(clientKey !== '' && clientKeyData !== '' ? ['it has both client-key and client-key-data'] : []),
    ...(clientKey === '' && clientKeyData === '' ? ['it has a client certificate without a key'] : []),
    ...unreadableFile('client-certificate', clientCertificate, unreadable),
    ...unreadableFile('client-key', clientKey, unreadable),
  ];
}

function execComplaints(exec: ExecEntry, authProvider: AuthProviderEntry | undefined): string[] {
  const modes = ['Never', 'IfAvailable', 'Always'];
  return [
    ...(authProvider === undefined ? [] : ['it has both exec and auth-provider']),
    ...(exec.command === '' ? ['exec has no command'] : []),
    ...(exec.apiVersion === '' ? ['exec has no apiVersion'] : []),
    ...(exec.env.some(({ name }) => name === '') ? ['exec has a variable without a name'] : []),
    ...(modes.includes(exec.interactiveMode)
      ? []
      : [
          exec.interactiveMode === ''
            ? `exec has no interactiveMode: write ${modes.join(', ')}`
            : `exec has the interactiveMode ${quoted(exec.interactiveMode)}: write ${modes.join(', ')}`,
        ]),
  ];
}

function unreadableFile(field: string, path: string, unreadable: Unreadable): string[] {
  const why = path === '' ? undefined : unreadable(path);
  return why === undefined ? [] : [`${field} ${path} cannot be read: ${why}`];
}
