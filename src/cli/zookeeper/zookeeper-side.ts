/** What ZooKeeper holds: configuration, registrations, markers, request queue. Reads only, and decides nothing. */
import { asMaasError, hasCode } from '../../contracts/errors.ts';
import { decodePresence, type Presence, presencesPath } from '../../contracts/presence.ts';
import { mapBounded } from '../../kernel/bounded.ts';
import { requestNumber } from '../../wire/queue-request.ts';
import { defaultServiceConfig, parseServiceConfig, type ServiceConfig } from '../../wire/service-config.ts';
import { type Diagnosis, diagnose } from '../../wire/service-instance.ts';
import type { ZooKeeperReader } from '../ports.ts';
import { type MarkerNode, markerNode } from './owner.ts';

/** Requests that are under way at once. */
const parallelism = 64;

export interface ZooKeeperSide {
  readonly config: ConfigNode;
  /** Absolute path below which clients look. */
  readonly serviceRoot: string;
  readonly directories: Listing<readonly ModelDirectory[]>;
  /** By the id of the instance. */
  readonly markers: ReadonlyMap<string, readonly MarkerNode[]>;
  readonly queue: QueueReading;
  /** Where the requests for models of the original go on to; undefined where there is no such queue. */
  readonly secondQueue: QueueReading | undefined;
  /** Those that lead now, by what they say of themselves. */
  readonly operators: readonly OperatorNode[];
}

export interface OperatorNode extends Presence {
  readonly clusterId: string;
  /** When its node was made, milliseconds since 1970 by the server's clock. */
  readonly createdAt: number;
}

export interface ConfigNode {
  readonly path: string;
  readonly exists: boolean;
  /** Undefined where clients cannot read the node. */
  readonly config: ServiceConfig | undefined;
  /** Why not. */
  readonly problem: string | undefined;
}

/** The names below a node; or it is missing; or its ACL hides them. */
export type Listing<T> =
  | { readonly state: 'listed'; readonly value: T }
  | { readonly state: 'missing' }
  | { readonly state: 'hidden'; readonly problem: string };

export interface ModelDirectory {
  readonly model: string;
  readonly path: string;
  readonly instances: Listing<readonly InstanceNode[]>;
}

export interface InstanceNode {
  readonly model: string;
  readonly id: string;
  readonly path: string;
  readonly reading: InstanceReading;
}

export type InstanceReading =
  | {
      readonly state: 'read';
      readonly diagnosis: Diagnosis;
      /** Session of an ephemeral node. */
      readonly session: string | undefined;
      readonly children: number;
    }
  | { readonly state: 'hidden'; readonly problem: string };

export interface QueueReading {
  /** Undefined where the configuration names no usable path. */
  readonly path: string | undefined;
  /** In the order in which they are taken. */
  readonly requests: Listing<readonly QueueNode[]>;
}

export interface QueueNode {
  readonly name: string;
  readonly data: Uint8Array;
  /** When it was put there, milliseconds since 1970 by the server's clock. */
  readonly createdAt: number;
}

/**
 * Where the configuration node cannot be read, the defaults are looked at: what clients that started before see is not
 * told by anything.
 *
 * @throws MaasError ZOOKEEPER_* when it cannot be read to the end
 */
export async function readZooKeeperSide(
  zookeeper: ZooKeeperReader,
  paths: { readonly configPath: string; readonly operatorRoot: string; readonly forwardTo?: string | undefined },
): Promise<ZooKeeperSide> {
  const config = await readConfigNode(zookeeper, paths.configPath);
  const { serviceRoot, queuePath } = config.config ?? defaultServiceConfig;
  const [directories, markers, operators, queue, secondQueue] = await Promise.all([
    readDirectories(zookeeper, serviceRoot),
    readMarkers(zookeeper, paths.operatorRoot),
    readOperators(zookeeper, paths.operatorRoot),
    readQueue(zookeeper, queuePath),
    paths.forwardTo === undefined ? undefined : readQueue(zookeeper, paths.forwardTo),
  ]);
  return { config, serviceRoot, directories, markers, operators, queue, secondQueue };
}

/** Every instance that could be listed, whatever is in it. */
export function instancesOf({ directories }: Pick<ZooKeeperSide, 'directories'>): readonly InstanceNode[] {
  if (directories.state !== 'listed') return [];
  return directories.value.flatMap(({ instances }) => (instances.state === 'listed' ? instances.value : []));
}

/** @throws MaasError ZOOKEEPER_*, except where the node's ACL hides it */
export async function readConfigNode(zookeeper: ZooKeeperReader, path: string): Promise<ConfigNode> {
  try {
    const node = await zookeeper.get(path);
    try {
      return { path, exists: node !== undefined, config: parseServiceConfig(node?.data, path), problem: undefined };
    } catch (error) {
      return { path, exists: true, config: undefined, problem: asMaasError(error).message };
    }
  } catch (error) {
    return { path, exists: true, config: undefined, problem: hiddenProblem(error) };
  }
}

async function readDirectories(
  zookeeper: ZooKeeperReader,
  serviceRoot: string,
): Promise<Listing<readonly ModelDirectory[]>> {
  const models = await list(zookeeper, serviceRoot);
  if (models.state !== 'listed') return models;
  const listed = await mapBounded(models.value, parallelism, async (model) => {
    const path = `${serviceRoot}/${model}`;
    return { model, path, instances: await list(zookeeper, path) };
  });
  const ids = listed.flatMap(({ model, path, instances }) =>
    instances.state === 'listed' ? instances.value.map((id) => ({ model, id, path: `${path}/${id}` })) : [],
  );
  const read = await mapBounded(ids, parallelism, async (node) => ({
    ...node,
    reading: await readInstance(zookeeper, node),
  }));
  const byModel = Map.groupBy(
    // One that went away after it was listed is as if it had never been there.
    read.flatMap(({ reading, ...node }) => (reading === undefined ? [] : [{ ...node, reading }])),
    ({ model }) => model,
  );
  return {
    state: 'listed',
    value: listed
      .filter(({ instances }) => instances.state !== 'missing')
      .map(({ model, path, instances }) => ({
        model,
        path,
        instances: instances.state === 'listed' ? { state: 'listed', value: byModel.get(model) ?? [] } : instances,
      })),
  };
}

async function readInstance(
  zookeeper: ZooKeeperReader,
  { model, id, path }: { readonly model: string; readonly id: string; readonly path: string },
): Promise<InstanceReading | undefined> {
  try {
    const node = await zookeeper.get(path);
    if (node === undefined) return undefined;
    const { ephemeralOwner: session, numChildren: children } = node.stat;
    return { state: 'read', diagnosis: diagnose(node.data, model, id), session, children };
  } catch (error) {
    return { state: 'hidden', problem: hiddenProblem(error) };
  }
}

/** Markers hide nothing from clients, so those that cannot be read are passed over. */
async function readMarkers(zookeeper: ZooKeeperReader, operatorRoot: string): Promise<Map<string, MarkerNode[]>> {
  const root = operatorRoot === '/' ? '' : operatorRoot;
  const markers = new Map<string, MarkerNode[]>();
  const clusters = await list(zookeeper, operatorRoot);
  for (const cluster of clusters.state === 'listed' ? clusters.value : []) {
    const directory = `${root}/${cluster}/instances`;
    const ids = await list(zookeeper, directory);
    await mapBounded(ids.state === 'listed' ? ids.value : [], parallelism, async (id) => {
      const node = await get(zookeeper, `${directory}/${id}`);
      if (node === undefined) return;
      const marker = markerNode(cluster, { data: node.data, session: node.stat.ephemeralOwner });
      markers.set(id, [...(markers.get(id) ?? []), marker]);
    });
  }
  return markers;
}

/** As with markers, those that cannot be read are passed over. */
async function readOperators(zookeeper: ZooKeeperReader, operatorRoot: string): Promise<readonly OperatorNode[]> {
  const clusters = await list(zookeeper, operatorRoot);
  const found = await mapBounded(clusters.state === 'listed' ? clusters.value : [], parallelism, async (clusterId) => {
    const directory = presencesPath(operatorRoot, clusterId);
    const names = await list(zookeeper, directory);
    const nodes = await Promise.all(
      (names.state === 'listed' ? names.value : []).map((name) => get(zookeeper, `${directory}/${name}`)),
    );
    return nodes.flatMap((node) => {
      const said = node?.stat.ephemeralOwner === undefined ? undefined : decodePresence(node.data);
      return node === undefined || said === undefined ? [] : [{ ...said, clusterId, createdAt: node.stat.ctime }];
    });
  });
  return found.flat();
}

async function readQueue(zookeeper: ZooKeeperReader, path: string | undefined): Promise<QueueReading> {
  if (path === undefined) return { path, requests: { state: 'missing' } };
  const names = await list(zookeeper, path);
  if (names.state !== 'listed') return { path, requests: names };
  const nodes = await mapBounded(
    names.value
      .map((name) => ({ name, number: requestNumber(name) }))
      .filter((request): request is { name: string; number: number } => request.number !== undefined)
      .sort((a, b) => a.number - b.number)
      .map(({ name }) => name),
    parallelism,
    async (name) => ({ name, node: await get(zookeeper, `${path}/${name}`) }),
  );
  return {
    path,
    requests: {
      state: 'listed',
      value: nodes.flatMap(({ name, node }) =>
        node === undefined ? [] : [{ name, data: node.data, createdAt: node.stat.ctime }],
      ),
    },
  };
}

async function get(zookeeper: ZooKeeperReader, path: string) {
  try {
    return await zookeeper.get(path);
  } catch (error) {
    hiddenProblem(error);
    return undefined;
  }
}

async function list(zookeeper: ZooKeeperReader, path: string): Promise<Listing<readonly string[]>> {
  try {
    const names = await zookeeper.children(path);
    return names === undefined ? { state: 'missing' } : { state: 'listed', value: [...names].sort() };
  } catch (error) {
    return { state: 'hidden', problem: hiddenProblem(error) };
  }
}

/** What ZooKeeper says about a node that its ACL hides. Throws everything else on. */
function hiddenProblem(error: unknown): string {
  if (hasCode(error, 'ZOOKEEPER_FORBIDDEN')) return error.message;
  throw error;
}
