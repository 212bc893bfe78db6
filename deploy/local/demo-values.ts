/** The operator's settings for a world: the values that its chart is installed with. */
import type { World } from './world.ts';

/**
 * @param namespace the only one that this operator serves: it shares a cluster with whatever else is there
 * @throws when a part that the operator needs does not run
 */
export function chartValues(world: World, namespace: string): object {
  const operator = world.elsewhere?.operatorImage ?? world.images?.operator;
  const runtime = world.elsewhere?.runtimeImage ?? world.images?.runtime;
  const quorum = world.elsewhere?.zookeeper ?? world.zookeeper?.quorum;
  const nameservice = nameserviceOf(world);
  if (!operator || !runtime || !quorum || !nameservice) {
    const missing = Object.entries({ operator, runtime, zookeeper: quorum, hdfs: nameservice }).filter(
      ([, found]) => !found,
    );
    throw new Error(`missing in the local world: ${missing.map(([name]) => name).join(', ')}`);
  }
  return {
    namespaces: [namespace],
    clusterId: namespace,
    zookeeper: { quorum },
    hdfs: nameservice,
    image: imageParts(operator),
    model: { image: imageParts(runtime) },
  };
}

function nameserviceOf(world: World) {
  if (world.elsewhere) return { nameservices: { existing: { webhdfs: world.elsewhere.webhdfs } } };
  const { hdfs } = world;
  if (!hdfs) return undefined;
  const addresses = {
    webhdfs: hdfs.namenodes.map(({ webhdfs }) => webhdfs),
    authorities: hdfs.namenodes.map(({ rpc }) => rpc),
  };
  return { nameservices: { [hdfs.nameservice]: addresses }, user: hdfs.user };
}

/** `registry:5000/a/b:tag`, or with a digest, as the chart's values have it. */
export function imageParts(name: string): { repository: string; tag?: string; digest?: string } {
  const at = name.indexOf('@');
  if (at >= 0) return { repository: name.slice(0, at), digest: name.slice(at + 1) };
  const colon = name.lastIndexOf(':');
  // A colon before a slash belongs to the registry's port.
  if (colon < 0 || name.indexOf('/', colon) >= 0) return { repository: name };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}
