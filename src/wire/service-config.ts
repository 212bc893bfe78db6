/**
 * The configuration node in ZooKeeper (/metron/maas/config unless the deploy tools were told otherwise): where the
 * registrations are and where the old deploy client queues its requests.
 *
 * Stellar reads it once, when a client starts, and what it cannot read breaks that client for as long as it lives.
 * So it is read here by the same rules and refused for the same reasons.
 */
import { MaasError } from '../contracts/errors.ts';
import { znodePathProblem } from '../contracts/znode-path.ts';
import { quoted } from '../kernel/shown-text.ts';
import { type JsonValue, membersOf, readJavaJson } from './java-json.ts';

export interface ServiceConfig {
  /** Absolute path below which each model has a directory of registrations. Never ends in a slash. */
  readonly serviceRoot: string;
  /** Absolute path of the request queue; undefined where the node configures a queue without a usable path. */
  readonly queuePath: string | undefined;
}

export const defaultServiceConfig: ServiceConfig = { serviceRoot: '/maas/service', queuePath: '/maas/queue' };

/**
 * What the node means to a Stellar client.
 *
 * @param bytes the node's data; undefined where the node does not exist, which means the defaults, as `{}` does
 * @param path where it was read, for messages
 * @throws MaasError SERVICE_CONFIG_INVALID, naming the reason, where a Stellar client would fail
 */
export function parseServiceConfig(bytes: Uint8Array | undefined, path = '/metron/maas/config'): ServiceConfig {
  if (bytes === undefined) return defaultServiceConfig;
  const invalid = (reason: string) =>
    new MaasError('SERVICE_CONFIG_INVALID', `The configuration node ${path} ${reason}`);

  if (bytes.length === 0) throw invalid('exists but is empty');
  const reading = readJavaJson(bytes);
  if (!reading.ok) throw invalid(`is not JSON: ${reading.reason} (byte ${reading.offset})`);
  if (reading.value.kind !== 'object') throw invalid(`is not a JSON object but ${article(reading.value.kind)}`);

  const { members } = reading.value;
  for (const { name, value } of members) {
    const problem = fieldProblem(name, value);
    if (problem !== undefined) throw invalid(problem);
  }
  const lastOf = (field: string) => members.findLast(({ name }) => name === field)?.value;
  const [root, queueConfig] = [lastOf('serviceRoot'), lastOf('queueConfig')];
  const serviceRoot = root === undefined ? defaultServiceConfig.serviceRoot : textOf(root);
  const queuePath = queueConfig === undefined ? defaultServiceConfig.queuePath : queuePathOf(queueConfig);
  if (serviceRoot === undefined) throw invalid('has no text as serviceRoot');
  const problem = znodePathProblem(serviceRoot);
  if (problem !== undefined) throw invalid(`has a serviceRoot that ${problem}`);
  // Clients would take /zookeeper for a model and its children for registrations that they cannot read.
  if (serviceRoot === '/') throw invalid("has the root of ZooKeeper's tree as serviceRoot");
  return { serviceRoot, queuePath };
}

/** Why Stellar refuses a field; one that it does not know it refuses as well. */
function fieldProblem(name: string, value: JsonValue): string | undefined {
  switch (name) {
    case 'queue':
      return value.kind === 'null' || textOf(value) === 'ZOOKEEPER'
        ? undefined
        : `names a queue that does not exist: ${shown(value)} (only "ZOOKEEPER" does)`;
    case 'queueConfig':
      return value.kind === 'object' || value.kind === 'null' ? undefined : 'has a queueConfig that is not an object';
    case 'serviceRoot':
      return value.kind === 'object' || value.kind === 'array' ? 'has a serviceRoot that is not a text' : undefined;
    default:
      return `has a field that clients do not know: ${quoted(name)}`;
  }
}

function textOf(value: JsonValue): string | undefined {
  return value.kind === 'string' ? value.value : undefined;
}

/** Stellar does not look at the queue, so a path that cannot be used is no reason to refuse the node. */
function queuePathOf(value: JsonValue): string | undefined {
  const path = membersOf(value)?.get('zk_path');
  if (path?.kind !== 'string' || path.value === '/' || znodePathProblem(path.value) !== undefined) return undefined;
  return path.value;
}

function article(kind: JsonValue['kind']): string {
  if (kind === 'null') return 'null';
  return kind === 'array' ? 'an array' : `a ${kind}`;
}

function shown(value: JsonValue): string {
  return value.kind === 'string' ? quoted(value.value) : article(value.kind);
}
