/**
 * Brings up the local world, or mends what is missing of it. Parts that do not depend on each other are made side by
 * side, and env.json names each part as soon as it is usable.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianImage, makeDebianImage, makeNodeImage, nodeImage } from './base-images.ts';
import { cacheRoot, projectRoot } from './cache.ts';
import { ensureCluster, kubeconfig } from './cluster.ts';
import { clusterChoice, elsewhere } from './cluster-choice.ts';
import { canPull, ensureEngine, findEngine } from './engine.ts';
import { connectNodes, findExistingCluster } from './existing-cluster.ts';
import * as hadoop from './hadoop.ts';
import { removeOtherTags } from './image.ts';
import { buildAndLoad, bundlePrograms, type ImageTarget, operatorImage, runtimeImage } from './images.ts';
import { clusterName, nodeContainer } from './kind-config.ts';
import { withLock } from './lock.ts';
import { mavenJars } from './maven.ts';
import { ensureNetwork, type Network, networkName } from './network.ts';
import { makeNodeImageForKind } from './node-image.ts';
import { ensurePodRoute } from './pod-route.ts';
import { step } from './steps.ts';
import { compileKubernetes, findHelm, findKind, findKubectl, type Kubernetes } from './tools.ts';
import { addToWorld, dropFromWorld, type WorldTools } from './world.ts';

/** Everything. */
export async function bringUp(): Promise<void> {
  await withLock(join(cacheRoot, 'locks', 'up'), async () => {
    if (clusterChoice(process.env) === 'existing') return await bringUpForExisting();
    const engine = await startEngine();
    const baseImage = makeBaseImage(engine);
    await allOf([
      baseImage.then(() => startHadoop(engine.network)),
      Promise.all([startCluster(engine), baseImage]).then(([target]) => makeImages(engine, target)),
    ]);
    dropFromWorld('elsewhere');
  });
}

/** For the cluster of the current kubeconfig: everything else where it is kind on our engine, otherwise only tools. */
async function bringUpForExisting(): Promise<void> {
  const tools = await findTools();
  await findEngine();
  const found = await step('Existing cluster', async (say) => {
    const existing = await findExistingCluster(tools.kubectl);
    say(existing.cluster.context);
    return existing;
  });
  const [node] = found.nodes;
  if (node === undefined) {
    addToWorld({ cluster: found.cluster, elsewhere: elsewhere(process.env) });
    return;
  }
  const engine = await startEngine();
  await step('Connect its nodes to our network', () => connectNodes(found.nodes));
  addToWorld({ cluster: found.cluster });
  dropFromWorld('elsewhere');
  const baseImage = makeBaseImage(engine);
  await allOf([
    baseImage.then(() => startHadoop(engine.network)),
    baseImage.then(() => makeImages(engine, { kind: tools.kind, cluster: found.cluster.name, node })),
  ]);
}

/** The Kubernetes cluster, ZooKeeper and HDFS, without images of ours. */
export async function bringUpWithoutImages(): Promise<void> {
  await withLock(join(cacheRoot, 'locks', 'up'), async () => {
    const engine = await startEngine();
    await allOf([startCluster(engine), makeBaseImage(engine).then(() => startHadoop(engine.network))]);
  });
}

/** Only the Kubernetes cluster, without images of ours. */
export async function bringUpCluster(): Promise<void> {
  await withLock(join(cacheRoot, 'locks', 'up'), async () => {
    await startCluster(await startEngine());
  });
}

/** As Promise.all, but waits for all of them also when one fails: none may go on behind the back of the caller. */
async function allOf(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'rejected') throw result.reason;
  }
}

/** The engine, as far as the rest depends on it. */
interface Ready {
  readonly network: Network;
  /** Can it pull images? */
  readonly pulls: boolean;
}

async function makeBaseImage(engine: Ready): Promise<void> {
  if (!engine.pulls) await step(`Image ${debianImage}`, makeDebianImage);
}

async function makeImages(engine: Ready, target: ImageTarget): Promise<void> {
  if (!engine.pulls) await step(`Image ${nodeImage}`, makeNodeImage);
  await buildImages(target);
}

async function startEngine(): Promise<Ready> {
  const engine = await step('Docker engine', async (say) => {
    const found = await ensureEngine();
    say(found.private ? `private, DOCKER_HOST=${found.host}` : 'the one that answers');
    return found;
  });
  const network = await step('Docker network', async (say) => {
    const made = await ensureNetwork();
    say(made.subnet);
    return made;
  });
  addToWorld({
    engine: { host: engine.host ?? null, private: engine.private, network: networkName, subnet: network.subnet },
  });
  const pulls = await step('Can images be pulled?', async (say) => {
    const can = await canPull();
    say(can ? 'yes' : 'no: images of the same names are made from package registries');
    return can;
  });
  return { network, pulls };
}

async function startHadoop(network: Network): Promise<void> {
  // One after the other: the second finds the Java layer of the first.
  const zookeeperImage = await step('Image maas-zookeeper', hadoop.buildZooKeeperImage);
  const hadoopImage = await step('Image maas-hadoop', hadoop.buildHadoopImage);
  const plan = hadoop.planHadoop(network, { zookeeper: zookeeperImage, hadoop: hadoopImage });
  await step('ZooKeeper', async (say) => {
    await hadoop.startZooKeeper(plan.zookeeper);
    say(`${plan.zookeeper.address}:2181`);
  });
  const zookeeperJars = await mavenJars('zookeeper', hadoop.zookeeperFolder);
  const hadoopJars = await mavenJars('hadoop', hadoop.hadoopFolder);
  addToWorld({
    zookeeper: { quorum: `${plan.zookeeper.address}:2181`, container: plan.zookeeper.name },
    java: { zookeeperJars, hadoopJars, hadoopImage },
  });
  await step('HDFS', async (say) => {
    await hadoop.startHdfs(plan);
    say(plan.namenodes.map((each) => `http://${each.address}:9870`).join(' '));
  });
  addToWorld({
    hdfs: {
      nameservice: hadoop.nameservice,
      user: hadoop.hdfsUser,
      superuser: hadoop.superuser,
      namenodes: plan.namenodes.map((each, index) => ({
        id: `nn${index + 1}`,
        container: each.name,
        webhdfs: `http://${each.address}:9870`,
        rpc: `${each.address}:8020`,
      })),
      datanodes: plan.datanodes.map((each) => ({ container: each.name, http: `http://${each.address}:9864` })),
      journalnode: { container: plan.journalnode.name },
    },
  });
}

async function startCluster({ network, pulls }: Ready): Promise<ImageTarget> {
  // Begun first: it takes longest, and everything else of the cluster waits for it.
  const compiled = pulls
    ? undefined
    : step('Compile Kubernetes', (_say, at) => compileKubernetes(at), { usually: '6 min' });
  const [image, tools] = await Promise.all([compiled && makeNodeImageForKind(compiled), findTools(compiled)]);
  await step('Kubernetes cluster', async (say) => {
    const made = await ensureCluster(tools.kind, tools.kubectl, image);
    if (image !== undefined) await removeOtherTags(image);
    const podsReachable = await ensurePodRoute(tools.kubectl, kubeconfig, network.subnet);
    say(`${made ? 'made' : 'runs'}, KUBECONFIG=${kubeconfig}`);
    addToWorld({
      cluster: {
        kind: 'kind',
        name: clusterName,
        kubeconfig,
        context: `kind-${clusterName}`,
        nodeContainer,
        podsReachable,
      },
    });
  });
  return { kind: tools.kind, cluster: clusterName, node: nodeContainer };
}

/** @param compiled where Kubernetes is compiled here, kubectl is that one; otherwise all come from packages */
export async function findTools(compiled?: Promise<Kubernetes>): Promise<WorldTools> {
  const [kind, helm, kubectl] = await Promise.all([
    step('kind', findKind),
    step('Helm', findHelm),
    findKubectlOf(compiled),
  ]);
  const tools = { kind, kubectl, helm };
  addToWorld({ tools });
  return tools;
}

async function findKubectlOf(compiling: Promise<Kubernetes> | undefined): Promise<string> {
  const compiled = await compiling;
  return await step('kubectl', () => findKubectl(compiled));
}

/** Builds and loads the images of the cluster; the operator's as soon as its programs have sources. */
export async function buildImages(target: ImageTarget): Promise<void> {
  const runtime = await step('Image maas-runtime', async (say) => {
    const name = await buildAndLoad(target, runtimeImage);
    say(name);
    return name;
  });
  const operator = await step('Image maas-operator', async (say) => {
    if (!existsSync(join(projectRoot, 'src/bin/operator.ts')) || !existsSync(join(projectRoot, 'src/bin/agent.ts'))) {
      say('left out: src/bin/operator.ts or src/bin/agent.ts is missing');
      return null;
    }
    await bundlePrograms('operator', 'agent', 'payload-cache');
    const name = await buildAndLoad(target, operatorImage);
    say(name);
    return name;
  });
  addToWorld({ images: { runtime, operator } });
}
