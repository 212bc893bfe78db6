/**
 * Where HDFS is, by the configuration of a Hadoop client: core-site.xml and hdfs-site.xml, which the old commands read
 * too. Pure.
 */

export interface FoundHdfs {
  readonly nameservices: Readonly<Record<string, { readonly webhdfs: string[]; readonly authorities: string[] }>>;
  /** The one that a path without an authority means, where there are several. */
  readonly defaultNameservice?: string;
}

const defaultRpcPort = 8020;
const defaultWebPort = { http: 9870, https: 9871 };

/** Undefined where the files name no HDFS. @param files contents, the later ones go before the earlier ones */
export function hdfsOf(files: readonly string[]): FoundHdfs | undefined {
  const properties = new Map(files.flatMap(propertiesOf));
  const get = (...keys: string[]): string | undefined => keys.map((key) => properties.get(key)).find(Boolean);
  const authority = /^hdfs:\/\/([^/\s]+)/.exec(get('fs.defaultFS', 'fs.default.name') ?? '')?.[1];
  const scheme = get('dfs.http.policy')?.toUpperCase() === 'HTTPS_ONLY' ? 'https' : 'http';

  const nameNode = (suffix: string, fallback: string | undefined) => {
    const rpc = get(`dfs.namenode.rpc-address${suffix}`) ?? fallback;
    const host = rpc?.replace(/:\d+$/, '');
    const web = get(`dfs.namenode.${scheme}-address${suffix}`) ?? (host && `${host}:${defaultWebPort[scheme]}`);
    if (web === undefined) return undefined;
    // A server's configuration listens on every address, which is none to call.
    const address = host === undefined ? web : web.replace(/^0\.0\.0\.0(?=:)/, host);
    return {
      webhdfs: `${scheme}://${address}`,
      authority: rpc && (/:\d+$/.test(rpc) ? rpc : `${rpc}:${defaultRpcPort}`),
    };
  };
  const gathered = (nodes: readonly ReturnType<typeof nameNode>[]) => {
    const found = nodes.filter((node) => node !== undefined);
    return {
      webhdfs: found.map(({ webhdfs }) => webhdfs),
      authorities: found.flatMap(({ authority: one }) => (one ? [one] : [])),
    };
  };

  const names = listOf(get('dfs.nameservices'));
  const entries =
    names.length > 0
      ? names.map((name) => {
          const nodes = listOf(get(`dfs.ha.namenodes.${name}`)).map((node) => nameNode(`.${name}.${node}`, undefined));
          const own = authority === undefined || names.includes(authority) ? undefined : authority;
          return [
            name,
            gathered(nodes.length > 0 ? nodes : [nameNode(`.${name}`, undefined) ?? nameNode('', own)]),
          ] as const;
        })
      : authority === undefined
        ? []
        : [['hadoop', gathered([nameNode('', authority)])] as const];
  const usable = entries.filter(([, { webhdfs }]) => webhdfs.length > 0);
  if (usable.length === 0) return undefined;
  const preferred = usable.find(([name]) => name === authority)?.[0] ?? usable[0]?.[0];
  return {
    nameservices: Object.fromEntries(usable),
    ...(usable.length > 1 && preferred !== undefined ? { defaultNameservice: preferred } : {}),
  };
}

/** Name and value of each property; values that are put together from others are left out. */
function propertiesOf(xml: string): [string, string][] {
  return [...xml.replace(/<!--[\s\S]*?-->/g, '').matchAll(/<property>([\s\S]*?)<\/property>/g)].flatMap(([, body]) => {
    const name = /<name>\s*([^<]*?)\s*<\/name>/.exec(body ?? '')?.[1];
    const value = /<value>\s*([^<]*?)\s*<\/value>/.exec(body ?? '')?.[1];
    return name === undefined || value === undefined || value.includes('${') ? [] : [[name, plain(value)]];
  });
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function plain(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_whole, name: string) => entities[name] ?? '');
}

function listOf(text: string | undefined): string[] {
  return (text ?? '').split(/[\s,]+/).filter((part) => part !== '');
}
