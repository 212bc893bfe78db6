/** The options of kubectl that name a cluster or an identity: every command takes them, and means the same by them. */
import { Command as Commander, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../contracts/duration.ts';
import { programName } from '../help.ts';
import type { ClusterChoice } from '../ports.ts';
import * as value from './option-values.ts';

/** As commander names them. */
export interface ClusterOptions {
  readonly namespace?: string;
  readonly operatorNamespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly server?: string;
  readonly token?: string;
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  readonly disableCompression?: boolean;
  readonly as?: string;
  readonly asUid?: string;
  readonly asGroup?: readonly string[];
  readonly asUserExtra?: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly requestTimeout?: number;
}

export const clusterGroup = 'Cluster and identity, as with kubectl:';

const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** Whole seconds, or a duration with its unit. */
function requestTimeout(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : parseDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('Write seconds, or a duration with its unit, such as 30s or 2m.');
}

/** Kubectl takes an empty one for none. */
function namespaceOrNone(text: string): string {
  return text === '' ? '' : value.namespace(text);
}

function options(): Option[] {
  return [
    new Option('--context <name>', 'Context of the kubeconfig. (default: its current one)'),
    new Option('--kubeconfig <file>', 'The kubeconfig. (default: $KUBECONFIG, ~/.kube/config)'),
    new Option('--cluster <name>', "Cluster of the kubeconfig. (default: the context's)"),
    new Option('--user <name>', "User of the kubeconfig. (default: the context's)"),
    new Option('-s, --server <url>', 'Address of the API server.'),
    new Option('--token <token>', 'Bearer token.'),
    new Option('--certificate-authority <file>', "Certificates of who signed the API server's."),
    new Option('--client-certificate <file>', 'Client certificate.'),
    new Option('--client-key <file>', 'Its key.'),
    new Option('--insecure-skip-tls-verify', "Do not check the API server's certificate."),
    new Option('--tls-server-name <name>', "The API server's name in its certificate."),
    new Option('--proxy-url <url>', 'Proxy to the API server. (default: $HTTPS_PROXY, $NO_PROXY)'),
    new Option('--disable-compression', 'Let the API server send answers unpacked.'),
    new Option('--as <user>', 'User to impersonate.'),
    new Option('--as-uid <uid>', 'UID to impersonate.'),
    new Option('--as-group <group>', 'Group to impersonate. Repeatable.').argParser(several),
    new Option('--as-user-extra <key=value>', 'Extra to impersonate. Repeatable.').argParser(several),
    new Option('--username <name>', 'User name, for basic authentication.'),
    new Option('--password <password>', 'Its password.'),
    new Option('--request-timeout <time>', 'How long each request may take; 0 is no limit.').argParser(requestTimeout),
    // Kubectl's cache; there is none here.
    new Option('--cache-dir <directory>', 'Accepted and ignored.').hideHelp(),
  ].map((option) => option.helpGroup(clusterGroup));
}

/** Which of them each command shows; the program shows all. */
const everyday = ['context', 'kubeconfig'];

/** @param namespace what --namespace means there */
export function addClusterOptions(
  command: Commander,
  { namespace = "Namespace. (default: the context's)", all = false }: { namespace?: string; all?: boolean } = {},
): void {
  command.option('-n, --namespace <namespace>', namespace, namespaceOrNone);
  for (const option of options()) {
    if (!all && !everyday.includes(option.attributeName())) option.hideHelp();
    else if (!all) option.helpGroup('Options:');
    command.addOption(option);
  }
  command.option(
    '--operator-namespace <namespace>',
    'Where the operator publishes its settings. (default: $MAAS_OPERATOR_NAMESPACE, maas-system)',
    value.namespace,
  );
  if (!all) command.addHelpText('after', hiddenOptions);
}

const hiddenOptions = `
It takes kubectl's other options for a cluster and an identity as well, such as
--server and --as; \`${programName} --help\` lists them.`;

/** What they say, without those that say nothing. */
export function clusterChoice(given: ClusterOptions): ClusterChoice {
  const { kubeconfig, context, cluster, user, server, token, certificateAuthority, clientCertificate, clientKey } =
    given;
  const { insecureSkipTlsVerify, tlsServerName, proxyUrl, disableCompression, as, asUid, asGroup, asUserExtra } = given;
  const { username, password, requestTimeout: requestTimeoutMs } = given;
  const choice: ClusterChoice = {
    ...{ kubeconfig, context, cluster, user, server, token, certificateAuthority, clientCertificate, clientKey },
    ...{ insecureSkipTlsVerify, tlsServerName, proxyUrl, disableCompression, as, asUid, asGroup, asUserExtra },
    ...{ username, password, requestTimeoutMs },
  };
  return Object.fromEntries(Object.entries(choice).filter(([, said]) => said !== undefined && said !== ''));
}

/** The same, of a line that is still being typed. @throws CommanderError where a value cannot be meant */
export function clusterChoiceIn(words: readonly string[]): ClusterChoice {
  const reader = new Commander().exitOverride().configureOutput({ writeErr: () => {} });
  addClusterOptions(reader);
  reader.parseOptions(plainFlags(words));
  return clusterChoice(reader.opts<ClusterOptions>());
}

/** Kubectl writes yes and no behind these with an equals sign. */
const flags = ['--insecure-skip-tls-verify', '--disable-compression'];

/** The arguments with `--flag=true` as `--flag`, and `--flag=false` left out. */
export function plainFlags(argv: readonly string[]): string[] {
  return argv.flatMap((argument) => {
    const [, flag = '', word = ''] = /^(--[a-z-]+)=(.*)$/s.exec(argument) ?? [];
    if (!flags.includes(flag)) return [argument];
    if (/^(1|t|T|TRUE|true|True)$/.test(word)) return [flag];
    return /^(0|f|F|FALSE|false|False)$/.test(word) ? [] : [argument];
  });
}
