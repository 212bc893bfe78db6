/**
 * LIST of the old deploy client: what clients see in ZooKeeper. Where it died or fell silent because of one registration
 * that clients cannot read, that one is told on standard error and the others are shown.
 */
import { asMaasError, hasCode } from '../../contracts/errors.ts';
import { mapBounded } from '../../kernel/bounded.ts';
import { type JsonValue, membersOf, readJavaJson } from '../../wire/java-json.ts';
import { parseServiceConfig } from '../../wire/service-config.ts';
import { diagnose } from '../../wire/service-instance.ts';
import { readSettings } from '../cluster/operator-settings.ts';
import { note } from '../output/say.ts';
import type { Ports, ZooKeeperReader } from '../ports.ts';
import { withZooKeeper, zookeeperOf } from '../zookeeper/zookeeper-access.ts';
import type { LegacyList } from './deploy-options.ts';
import { type ListedEndpoint, legacyListText } from './list-text.ts';

const parallelism = 32;

/** @throws MaasError ZOOKEEPER_*, SERVICE_CONFIG_INVALID, SETTINGS_* and CLUSTER_* where -zq does not say which */
export async function legacyList(command: LegacyList, ports: Ports): Promise<void> {
  // Who names a ZooKeeper needs no cluster.
  const published =
    command.quorum === undefined
      ? await readSettings(ports.connect(command.cluster), command.operatorNamespace)
      : undefined;
  const settings = zookeeperOf(published, command.quorum);
  const configPath = command.configPath ?? settings.configPath;
  const endpoints = await withZooKeeper(ports, settings, async (zookeeper) => {
    const config = await zookeeper.get(configPath);
    const { serviceRoot } = parseServiceConfig(config?.data, configPath);
    return await readEndpoints(zookeeper, serviceRoot, (problem) => note(ports.err, problem));
  });
  const wanted = endpoints.filter(
    ({ model, version }) =>
      (command.model === undefined || command.model === model) &&
      (command.version === undefined || command.version === version),
  );
  ports.out.write(legacyListText(wanted));
}

async function readEndpoints(
  zookeeper: ZooKeeperReader,
  serviceRoot: string,
  tell: (problem: string) => void,
): Promise<ListedEndpoint[]> {
  const endpoints: ListedEndpoint[] = [];
  const read = async (directory: string, id: string): Promise<void> => {
    const path = `${serviceRoot}/${directory}/${id}`;
    let data: Uint8Array;
    try {
      const node = await zookeeper.get(path);
      // It went away after it was listed.
      if (node === undefined) return;
      data = node.data;
    } catch (error) {
      if (!hasCode(error, 'ZOOKEEPER_FORBIDDEN')) throw error;
      tell(`clients cannot read ${path}: ${asMaasError(error).message}`);
      return;
    }
    const diagnosis = diagnose(data, directory, id);
    if (diagnosis.verdict === 'fatal') {
      tell(`clients cannot read ${path}, and see no model because of it: ${diagnosis.reasons.join('; ')}`);
      return;
    }
    const { model, version, url } = diagnosis.seen;
    endpoints.push({ model: model ?? null, version, url: url ?? null, functions: functionsIn(data) });
  };
  for (const directory of ((await zookeeper.children(serviceRoot)) ?? []).toSorted()) {
    const ids = ((await zookeeper.children(`${serviceRoot}/${directory}`)) ?? []).toSorted();
    await mapBounded(ids, parallelism, (id) => read(directory, id));
  }
  return endpoints;
}

/** In the order in which they are written: an object of JavaScript would put numbers first. */
function functionsIn(data: Uint8Array): [string, string][] {
  const reading = readJavaJson(data);
  const payload = reading.ok ? membersOf(reading.value)?.get('payload') : undefined;
  const functions = membersOf(membersOf(payload)?.get('endpoint'))?.get('functions');
  return [...(membersOf(functions) ?? [])].map(([name, value]) => [name, textOf(value)]);
}

function textOf(value: JsonValue): string {
  switch (value.kind) {
    case 'string':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    default:
      return 'null';
  }
}
