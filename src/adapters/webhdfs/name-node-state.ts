/**
 * What each name node of a nameservice says of itself. WebHDFS tells active from standby, also where only a token is
 * accepted; that a name node is in safe mode it shows only in its metrics (/jmx), which may be closed.
 */
import { asMaasError } from '../../contracts/errors.ts';
import type { HdfsSettings } from '../../contracts/hadoop-side.ts';
import { bodyText } from '../http/body.ts';
import { field, jsonOrText } from '../json-field.ts';
import { callForJson } from './name-node-call.ts';
import { TryElsewhere } from './name-nodes.ts';
import { type HdfsOptions, Nameservice } from './nameservice.ts';
import { shownAddress, webhdfsBase } from './web-address.ts';

export interface NameNodeState {
  /** WebHDFS address. */
  readonly address: string;
  /** `unknown`: it answers, but neither serves nor says that it is standby. */
  readonly role: 'active' | 'standby' | 'unreachable' | 'unknown';
  /** Undefined where it does not tell. */
  readonly safeMode: boolean | undefined;
  /** What went wrong, where it is neither active nor standby. */
  readonly problem: string | undefined;
}

const maxMetricsBytes = 256 * 1024;

/** In the order of the settings; never fails because of a name node. @throws HDFS_NAMESERVICE_UNKNOWN */
export async function nameNodeStates(
  settings: HdfsSettings,
  name: string,
  options: HdfsOptions,
  signal?: AbortSignal,
): Promise<readonly NameNodeState[]> {
  const nameservice = new Nameservice(settings, name, options);
  const addresses = settings.nameservices[name]?.webhdfs ?? [];
  return await Promise.all(
    addresses.map(async (address) => {
      const base = webhdfsBase(address);
      const [asked, safeMode] = await Promise.all([
        roleOf(nameservice, base, signal),
        safeModeOf(nameservice, base, signal),
      ]);
      return { address: shownAddress(base), safeMode, ...asked };
    }),
  );
}

async function roleOf(
  nameservice: Nameservice,
  base: URL,
  signal: AbortSignal | undefined,
): Promise<Pick<NameNodeState, 'role' | 'problem'>> {
  try {
    const credentials = await nameservice.credentials();
    const operation = { method: 'GET', op: 'GETFILESTATUS', path: '/' } as const;
    await callForJson(nameservice, { base, maybeDone: false }, operation, credentials, signal);
    return { role: 'active', problem: undefined };
  } catch (error) {
    const { code, message } = error instanceof TryElsewhere ? error.error : asMaasError(error);
    if (code === 'HDFS_UNREACHABLE') return { role: 'unreachable', problem: message };
    if (/StandbyException/.test(message)) return { role: 'standby', problem: undefined };
    return { role: 'unknown', problem: message };
  }
}

async function safeModeOf(
  nameservice: Nameservice,
  base: URL,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  const url = new URL('/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState', base);
  try {
    const answer = await nameservice.exchange({ method: 'GET', url, signal });
    const text = await bodyText(answer, maxMetricsBytes, signal);
    const beans = answer.status === 200 ? field(jsonOrText(text), 'beans') : undefined;
    const state = Array.isArray(beans) ? field(beans[0], 'FSState') : undefined;
    return typeof state === 'string' ? state !== 'Operational' : undefined;
  } catch {
    return undefined;
  }
}
