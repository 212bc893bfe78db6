/** The options of kubectl that name a cluster or an identity: every command takes them, and means the same by them. */
import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../contracts/duration.ts';
import { declaredAs, type Field, file, flag, group, option, repeated, type Values } from './field.ts';

export const clusterGroup = 'Cluster and identity, as with kubectl:';

/** Which of them each command shows; the program shows all. */
const everyday = ['--context', '--kubeconfig'];

function choiceFields() {
  return {
    context: option('--context <name>', 'Context of the kubeconfig. (default: its current one)'),
    kubeconfig: file('--kubeconfig <file>', 'The kubeconfig. (default: $KUBECONFIG, ~/.kube/config)'),
    cluster: option('--cluster <name>', "Cluster of the kubeconfig. (default: the context's)"),
    user: option('--user <name>', "User of the kubeconfig. (default: the context's)"),
    server: option('-s, --server <url>', 'Address of the API server.'),
    token: option('--token <token>', 'Bearer token.'),
    certificateAuthority: file('--certificate-authority <file>', "Certificates of who signed the API server's."),
    clientCertificate: file('--client-certificate <file>', 'Client certificate.'),
    clientKey: file('--client-key <file>', 'Its key.'),
    insecureSkipTlsVerify: flag('--insecure-skip-tls-verify', "Do not check the API server's certificate."),
    tlsServerName: option('--tls-server-name <name>', "The API server's name in its certificate."),
    proxyUrl: option('--proxy-url <url>', 'Proxy to the API server. (default: $HTTPS_PROXY, $NO_PROXY)'),
    disableCompression: flag('--disable-compression', 'Let the API server send answers unpacked.'),
    as: option('--as <user>', 'User to impersonate.'),
    asUid: option('--as-uid <uid>', 'UID to impersonate.'),
    asGroup: repeated('--as-group <group>', 'Group to impersonate. Repeatable.', several),
    asUserExtra: repeated('--as-user-extra <key=value>', 'Extra to impersonate. Repeatable.', several),
    username: option('--username <name>', 'User name, for basic authentication.'),
    password: option('--password <password>', 'Its password.'),
    /** For each request; 0 is no limit. */
    requestTimeoutMs: option(
      '--request-timeout <time>',
      'How long each request may take; 0 is no limit.',
      requestTimeout,
    ),
  };
}

/** Which cluster, and as whom: the kubeconfig, and what kubectl's options say over it. */
export type ClusterChoice = Partial<Values<ReturnType<typeof choiceFields>>>;

/** @param shown all of them in a group of their own, or only those of every day */
export function clusterOptions(shown: 'all' | 'everyday'): Field<ClusterChoice> {
  const { inputs, read } = group(choiceFields());
  // Kubectl's cache; there is none here.
  const cache = new Option('--cache-dir <directory>', 'Accepted and ignored.').hideHelp();
  for (const { declared } of inputs) {
    if (!(declared instanceof Option)) continue;
    if (shown === 'all') declared.helpGroup(clusterGroup);
    else if (!everyday.includes(declared.long ?? '')) declared.hideHelp();
  }
  return {
    inputs: [...inputs, ...declaredAs(cache).inputs],
    // What says nothing is left to the kubeconfig.
    read: (given, context) => {
      const said = Object.entries(read(given, context)).filter(([, value]) => !isEmpty(value));
      return Object.fromEntries(said);
    },
  };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0);
}

function several(given: string, before: readonly string[] = []): readonly string[] {
  return [...before, given];
}

/** Whole seconds, or a duration with its unit. */
function requestTimeout(given: string): number {
  const ms = /^\d+$/.test(given) ? Number(given) * 1_000 : parseDuration(given);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('Write seconds, or a duration with its unit, such as 30s or 2m.');
}

/** Kubectl writes yes and no behind these with an equals sign. */
const flags = ['--insecure-skip-tls-verify', '--disable-compression'];

/** The arguments with `--flag=true` as `--flag`, and `--flag=false` left out. */
export function plainFlags(argv: readonly string[]): string[] {
  return argv.flatMap((word) => {
    const [, name = '', said = ''] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
    if (!flags.includes(name)) return [word];
    if (/^(1|t|T|TRUE|true|True)$/.test(said)) return [name];
    return /^(0|f|F|FALSE|false|False)$/.test(said) ? [] : [word];
  });
}
