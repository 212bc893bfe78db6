/** The part of the operator's published settings that the commands need. */

import { z } from 'zod';
import { MaasError } from '../../contracts/errors.ts';
import { hdfsSettings, zookeeperSettings } from '../../contracts/hadoop-side.ts';
import {
  legacySettings,
  operatorSettings,
  requestQueueSettings,
  settingsConfigMap,
  settingsKey,
} from '../../contracts/settings.ts';
import { readJson } from '../../kernel/schema-json.ts';
import type { Cluster } from '../ports.ts';

/** Unknown keys are passed over: the operator may be newer than this program. */
const published = z.object({
  zookeeper: zookeeperSettings.optional(),
  hdfs: hdfsSettings,
  clusterId: operatorSettings.shape.clusterId,
  namespaces: operatorSettings.shape.namespaces,
  payloadRoot: operatorSettings.shape.payloadRoot,
  /** Does the operator take the requests of the old queue, for which namespaces, and within which bounds? */
  legacy: z
    .object({
      cpu: legacySettings.shape.cpu,
      readFrom: legacySettings.shape.readFrom,
      queue: z
        .object({
          enabled: z.boolean().default(false),
          namespace: requestQueueSettings.shape.namespace,
          namespaces: requestQueueSettings.shape.namespaces,
          forwardTo: z.string().optional(),
          memory: requestQueueSettings.shape.memory,
        })
        .prefault({}),
    })
    .prefault({}),
  agent: z.object({ image: z.string() }).optional(),
  model: z.object({ cpu: legacySettings.shape.cpu }).optional(),
});
export type PublishedSettings = z.infer<typeof published>;

/** @throws MaasError SETTINGS_NOT_FOUND, SETTINGS_INVALID, CLUSTER_* */
export async function readSettings(cluster: Cluster, operatorNamespace: string): Promise<PublishedSettings> {
  const data = await cluster.configMap(operatorNamespace, settingsConfigMap);
  const text = data?.[settingsKey];
  const where = `ConfigMap ${operatorNamespace}/${settingsConfigMap}`;
  if (text === undefined) {
    throw new MaasError(
      'SETTINGS_NOT_FOUND',
      data === undefined
        ? `${where}, the operator's published settings, does not exist`
        : `${where} has no key ${settingsKey}`,
    );
  }
  const { value, problem, cause } = readJson(text, published);
  if (value !== undefined) return value;
  throw new MaasError('SETTINGS_INVALID', `${where}: ${problem}`, { cause });
}
