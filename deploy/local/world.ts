/**
 * What runs, as `<cache>/local/env.json` says it: written by `make up` as soon as a part is usable, read by tests, the
 * demo and people. A part that does not run is absent.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { localState } from './cache.ts';
import type { Elsewhere } from './cluster-choice.ts';

export interface WorldEngine {
  /** For DOCKER_HOST; null where docker finds its engine by itself. */
  readonly host: string | null;
  readonly private: boolean;
  readonly network: string;
  readonly subnet: string;
}

export interface WorldZooKeeper {
  /** `10.201.0.10:2181` */
  readonly quorum: string;
  readonly container: string;
}

export interface WorldNameNode {
  readonly id: string;
  readonly container: string;
  readonly webhdfs: string;
  /** Authority in hdfs:// paths. */
  readonly rpc: string;
}

export interface WorldHdfs {
  readonly nameservice: string;
  /** Owns /user/<user>. */
  readonly user: string;
  readonly superuser: string;
  readonly namenodes: readonly WorldNameNode[];
  readonly datanodes: readonly { readonly container: string; readonly http: string }[];
  readonly journalnode: { readonly container: string };
}

export interface WorldCluster {
  readonly kind: 'kind' | 'existing';
  readonly name: string;
  readonly kubeconfig: string;
  readonly context: string;
  /** The container that is the node; null in a cluster that is not ours. */
  readonly nodeContainer: string | null;
  /** Does the host have a route to the pods' addresses? */
  readonly podsReachable: boolean;
}

export interface WorldImages {
  /** Operator and agent; null while their sources are missing. */
  readonly operator: string | null;
  readonly runtime: string;
}

export interface WorldTools {
  readonly kubectl: string;
  readonly helm: string;
  readonly kind: string;
}

export interface World {
  readonly engine?: WorldEngine;
  readonly zookeeper?: WorldZooKeeper;
  readonly hdfs?: WorldHdfs;
  readonly tools?: WorldTools;
  readonly cluster?: WorldCluster;
  readonly images?: WorldImages;
  /** Instead of zookeeper, hdfs and images, where the cluster is not on our engine. */
  readonly elsewhere?: Elsewhere;
  /** A class path with ZooKeeper's client, and one with HDFS's; directories of jars. */
  readonly java?: { readonly zookeeperJars: string; readonly hadoopJars: string; readonly hadoopImage: string };
}

export const worldFile = join(localState, 'env.json');

/** What runs now; empty when nothing does. */
export function readWorld(): World {
  return existsSync(worldFile) ? (JSON.parse(readFileSync(worldFile, 'utf8')) as World) : {};
}

/** Adds parts that are usable now. Readers never see a half-written file. */
export function addToWorld(parts: World): void {
  writeWorld({ ...readWorld(), ...parts });
}

export function forgetWorld(): void {
  rmSync(worldFile, { force: true });
}

/** Takes parts out that no longer run. */
export function dropFromWorld(...parts: (keyof World)[]): void {
  writeWorld(Object.fromEntries(Object.entries(readWorld()).filter(([key]) => !parts.some((part) => part === key))));
}

function writeWorld(world: World): void {
  mkdirSync(dirname(worldFile), { recursive: true });
  const half = `${worldFile}.${process.pid}`;
  writeFileSync(half, `${JSON.stringify(world, null, 2)}\n`);
  renameSync(half, worldFile);
}
