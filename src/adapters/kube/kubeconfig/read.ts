/**
 * The text of one kubeconfig, read as kubectl reads it: YAML 1.1 or JSON, of which the first document counts, unknown
 * fields and duplicate keys are passed over (the last one wins), null is as good as nothing, but a value of the wrong
 * type, broken base64 or a name that comes twice makes the whole file useless, whichever entry has it.
 */
import { parseAllDocuments, type ScalarTag, type Tags } from 'yaml';
import { z } from 'zod';
import { quoted } from '../../../kernel/shown-text.ts';

export interface ClusterEntry {
  readonly server: string;
  readonly tlsServerName: string;
  readonly insecureSkipTlsVerify: boolean;
  readonly certificateAuthority: string;
  /** PEM. */
  readonly certificateAuthorityData: string;
  readonly proxyUrl: string;
  readonly disableCompression: boolean;
  /** What the cluster has for credential plugins, as it stands there. */
  readonly execExtension: unknown;
}

export interface ExecEntry {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly apiVersion: string;
  readonly installHint: string;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode: string;
}

export interface AuthProviderEntry {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

export interface UserEntry {
  readonly clientCertificate: string;
  /** PEM, as is clientKeyData. */
  readonly clientCertificateData: string;
  readonly clientKey: string;
  readonly clientKeyData: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly as: string;
  readonly asUid: string;
  readonly asGroups: readonly string[];
  readonly asUserExtra: Readonly<Record<string, readonly string[]>>;
  readonly username: string;
  readonly password: string;
  readonly authProvider: AuthProviderEntry | undefined;
  readonly exec: ExecEntry | undefined;
}

export interface ContextEntry {
  readonly cluster: string;
  readonly user: string;
  readonly namespace: string;
}

export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly users: ReadonlyMap<string, UserEntry>;
  readonly contexts: ReadonlyMap<string, ContextEntry>;
  readonly currentContext: string;
}

/** Why a text is no kubeconfig; the message names the entry, not the file. */
export class UnreadableKubeconfig extends Error {}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const texts = z
  .array(text)
  .nullish()
  .transform((value) => value ?? []);
/** Base64 may be broken over lines, and must otherwise be whole. */
const bytes = z
  .string()
  .nullish()
  .transform((value, context) => {
    const joined = (value ?? '').replace(/[\r\n]/g, '');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(joined)) {
      context.addIssue({ code: 'custom', message: 'it is not base64' });
      return z.NEVER;
    }
    return Buffer.from(joined, 'base64').toString('utf8');
  });

const orEmpty = <T extends z.ZodType>(schema: T) => z.preprocess((value) => value ?? {}, schema);
const listOf = <T extends z.ZodType>(schema: T) =>
  z
    .array(orEmpty(schema))
    .nullish()
    .transform((value) => value ?? []);

/** Of others, for others; but a list. */
const extensions = listOf(z.object({ name: text, extension: z.unknown() }));

const cluster = z
  .object({
    server: text,
    'tls-server-name': text,
    'insecure-skip-tls-verify': flag,
    'certificate-authority': text,
    'certificate-authority-data': bytes,
    'proxy-url': text,
    'disable-compression': flag,
    extensions,
  })
  .transform(
    (entry): ClusterEntry => ({
      server: entry.server,
      tlsServerName: entry['tls-server-name'],
      insecureSkipTlsVerify: entry['insecure-skip-tls-verify'],
      certificateAuthority: entry['certificate-authority'],
      certificateAuthorityData: entry['certificate-authority-data'],
      proxyUrl: entry['proxy-url'],
      disableCompression: entry['disable-compression'],
      execExtension: entry.extensions.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension,
    }),
  );

/** Versions of before the field was there: their plugins get standard input where there is one. */
const withoutMode = ['client.authentication.k8s.io/v1beta1', 'client.authentication.k8s.io/v1alpha1'];

const exec = z
  .object({
    command: text,
    args: texts,
    env: listOf(z.object({ name: text, value: text })),
    apiVersion: text,
    installHint: text,
    provideClusterInfo: flag,
    interactiveMode: text,
  })
  .transform(
    (entry): ExecEntry => ({
      ...entry,
      interactiveMode:
        entry.interactiveMode === '' && withoutMode.includes(entry.apiVersion) ? 'IfAvailable' : entry.interactiveMode,
    }),
  );

const user = z
  .object({
    'client-certificate': text,
    'client-certificate-data': bytes,
    'client-key': text,
    'client-key-data': bytes,
    token: text,
    tokenFile: text,
    as: text,
    'as-uid': text,
    'as-groups': texts,
    'as-user-extra': z
      .record(z.string(), texts)
      .nullish()
      .transform((value) => value ?? {}),
    username: text,
    password: text,
    'auth-provider': z
      .object({
        name: text,
        config: z
          .record(z.string(), text)
          .nullish()
          .transform((value) => value ?? {}),
      })
      .nullish(),
    exec: exec.nullish(),
    extensions,
  })
  .transform(
    (entry): UserEntry => ({
      clientCertificate: entry['client-certificate'],
      clientCertificateData: entry['client-certificate-data'],
      clientKey: entry['client-key'],
      clientKeyData: entry['client-key-data'],
      token: entry.token,
      tokenFile: entry.tokenFile,
      as: entry.as,
      asUid: entry['as-uid'],
      asGroups: entry['as-groups'],
      asUserExtra: entry['as-user-extra'],
      username: entry.username,
      password: entry.password,
      authProvider: entry['auth-provider'] ?? undefined,
      exec: entry.exec ?? undefined,
    }),
  );

const context = z.object({ cluster: text, user: text, namespace: text, extensions });

const file = z.object({
  kind: text.refine((kind) => ['', 'Config'].includes(kind), 'it is not Config'),
  apiVersion: text.refine((version) => ['', 'v1', '/v1'].includes(version), 'it is not v1'),
  preferences: orEmpty(z.object({ colors: flag, extensions })),
  extensions,
  clusters: listOf(z.object({ name: text, cluster: orEmpty(cluster) })),
  users: listOf(z.object({ name: text, user: orEmpty(user) })),
  contexts: listOf(z.object({ name: text, context: orEmpty(context) })),
  'current-context': text,
});

/**
 * Go's YAML has numbers and dates of its own: a date is text, and so are numbers to base 60 and those that are too
 * large. No field takes a number, but what a cluster says to plugins may have some.
 */
function numberOf(source: string): number | undefined {
  const plain = source.replaceAll('_', '');
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/s.exec(plain) ?? [];
  const times = sign === '-' ? -1 : 1;
  if (/^\.(inf|Inf|INF)$/.test(digits)) return times * Number.POSITIVE_INFINITY;
  if (/^\.(nan|NaN|NAN)$/.test(plain)) return Number.NaN;
  if (/^0[0-7]+$/.test(digits)) return times * Number.parseInt(digits, 8);
  if (!/^(0x[0-9a-f]+|0b[01]+|0o[0-7]+|(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?)$/i.test(digits)) return undefined;
  const value = Number(digits.toLowerCase());
  return Number.isFinite(value) ? times * value : undefined;
}

const number: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^[-+.0-9][-+.0-9a-zA-Z_]*$/,
  resolve: (source) => numberOf(source) ?? source,
};
/** Said with its tag, `!!int "3"`. */
const integer: ScalarTag = { tag: 'tag:yaml.org,2002:int', resolve: (source) => numberOf(source) ?? source };
const binary: ScalarTag = {
  tag: 'tag:yaml.org,2002:binary',
  resolve: (source) => Buffer.from(source, 'base64').toString('utf8'),
};
const replaced = ['int', 'float', 'binary', 'timestamp'].map((name) => `tag:yaml.org,2002:${name}`);

const tags = (all: Tags): Tags => [
  ...all.filter((tag) => typeof tag === 'string' || !replaced.includes(tag.tag)),
  number,
  integer,
  binary,
];

/** @throws UnreadableKubeconfig */
export function readKubeconfig(source: string): Kubeconfig {
  const value = documentIn(source);
  const parsed = file.safeParse(value ?? {});
  if (!parsed.success) {
    throw new UnreadableKubeconfig(parsed.error.issues.map((issue) => complaint(issue, value)).join('; '));
  }
  const { clusters, users, contexts } = parsed.data;
  return {
    clusters: byName(
      'clusters',
      clusters.map((entry) => [entry.name, entry.cluster]),
    ),
    users: byName(
      'users',
      users.map((entry) => [entry.name, entry.user]),
    ),
    contexts: byName(
      'contexts',
      contexts.map((entry) => [entry.name, entry.context]),
    ),
    currentContext: parsed.data['current-context'],
  };
}

function documentIn(source: string): unknown {
  if (/[^\P{Cc}\t\n\r\u0085]/u.test(source)) {
    throw new UnreadableKubeconfig('it has control characters');
  }
  const documents = parseAllDocuments(source, { version: '1.1', uniqueKeys: false, customTags: tags });
  const first = 'empty' in documents ? undefined : documents[0];
  const [error] = first?.errors ?? [];
  if (error !== undefined) {
    throw new UnreadableKubeconfig(`it is neither YAML nor JSON: ${error.message.split('\n')[0]?.replace(/:$/, '')}`);
  }
  if (first?.directives?.yaml.explicit === true && first.directives.yaml.version !== '1.1') {
    throw new UnreadableKubeconfig(`it is YAML ${first.directives.yaml.version}, not 1.1`);
  }
  try {
    return first?.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new UnreadableKubeconfig(String(cause), { cause });
  }
}

function byName<T>(list: string, entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const [name, entry] of entries) {
    if (map.has(name)) throw new UnreadableKubeconfig(`${list} has the name ${quoted(name)} twice`);
    map.set(name, entry);
  }
  return map;
}

/** `users "dev": user.token: …`: a number in a list says little to who looks for it. */
function complaint({ path, message }: z.core.$ZodIssue, value: unknown): string {
  const [list, index, ...rest] = path.map(String);
  const entry = field(field(value, list), index);
  const name = field(entry, 'name');
  const where =
    typeof name === 'string' && rest.length > 0 ? `${list} ${quoted(name)}: ${rest.join('.')}` : path.join('.');
  // What looks like a word may be none: y, no, on, 012.
  const advice = /expected string, received (boolean|number)/.test(message) ? ' (put it in quotes)' : '';
  return `${where === '' ? '' : `${where}: `}${message}${advice}`;
}

function field(value: unknown, key: string | undefined): unknown {
  if (typeof value !== 'object' || value === null || key === undefined) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}
