/** Which ZooKeeper the commands look at: the one of the operator's published settings, or the one that is named. */
import { asMaasError, hasCode, MaasError } from '../../contracts/errors.ts';
import { type ZooKeeperSettings, zookeeperSettings } from '../../contracts/hadoop-side.ts';
import type { PublishedSettings } from '../cluster/operator-settings.ts';
import { readSettings } from '../cluster/operator-settings.ts';
import type { Cluster, Ports, ZooKeeperReader } from '../ports.ts';

/** Long enough for an election, short enough for somebody who waits. */
const patienceMs = 15_000;

export interface Whereabouts {
  readonly zookeeper: ZooKeeperSettings;
  /** Undefined where nothing is published, and --zookeeper was enough. */
  readonly published: PublishedSettings | undefined;
}

/**
 * @param quorum of --zookeeper; what else the settings say stays as published
 * @throws MaasError SETTINGS_*, CLUSTER_*
 */
export async function findZooKeeper(
  cluster: Cluster,
  operatorNamespace: string,
  quorum: string | undefined,
): Promise<Whereabouts> {
  let published: PublishedSettings | undefined;
  try {
    published = await readSettings(cluster, operatorNamespace);
  } catch (error) {
    if (quorum === undefined || !hasCode(error, 'SETTINGS_NOT_FOUND', 'CLUSTER_FORBIDDEN', 'CLUSTER_NOT_FOUND')) {
      throw error;
    }
  }
  return { zookeeper: zookeeperOf(published, quorum), published };
}

/** @throws MaasError SETTINGS_INVALID when neither names one */
export function zookeeperOf(published: PublishedSettings | undefined, quorum: string | undefined): ZooKeeperSettings {
  if (quorum !== undefined) return { ...(published?.zookeeper ?? zookeeperSettings.parse({ quorum })), quorum };
  if (published?.zookeeper !== undefined) return published.zookeeper;
  throw new MaasError('SETTINGS_INVALID', "the operator's published settings name no ZooKeeper", {
    next: 'Name it with --zookeeper host:port,host:port.',
  });
}

/** Opens the connection, and closes it when the work is done. @throws MaasError ZOOKEEPER_*, SETTINGS_INVALID */
export async function withZooKeeper<T>(
  ports: Ports,
  settings: ZooKeeperSettings,
  work: (zookeeper: ZooKeeperReader) => Promise<T>,
): Promise<T> {
  const zookeeper = ports.zookeeper(settings);
  try {
    await zookeeper.connected(patienceMs, ports.signal);
    return await work(zookeeper);
  } finally {
    await zookeeper.close();
  }
}

/** Undefined where neither the settings nor the cluster tell it. */
export async function clusterIdOf(
  published: PublishedSettings | undefined,
  ask: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (published?.clusterId !== undefined) return published.clusterId;
  try {
    return await ask();
  } catch (error) {
    // Those who may only look at their own namespace are told less exactly, not nothing.
    if (asMaasError(error).code === 'CLUSTER_FORBIDDEN') return undefined;
    throw error;
  }
}
