/** Which cluster everything runs in: kind's of our own, or (CLUSTER=existing) the one of the current kubeconfig. */

/** What a cluster that is not on our engine has to be told, because it cannot reach our containers or images. */
export interface Elsewhere {
  readonly zookeeper: string;
  /** WebHDFS addresses of the name nodes. */
  readonly webhdfs: readonly string[];
  readonly operatorImage: string;
  readonly runtimeImage: string;
}

/** @throws when CLUSTER is neither empty, `kind` nor `existing` */
export function clusterChoice(env: NodeJS.ProcessEnv): 'kind' | 'existing' {
  const wish = env['CLUSTER'] || 'kind';
  if (wish === 'kind' || wish === 'existing') return wish;
  throw new Error(`CLUSTER=${wish} is not known: leave it out for a cluster of our own, or say CLUSTER=existing`);
}

/** The kind cluster that a context of a kubeconfig means: `kind-test` is `test`. */
export function kindClusterOf(context: string): string | undefined {
  return context.startsWith('kind-') ? context.slice('kind-'.length) : undefined;
}

/** @throws naming what is missing */
export function elsewhere(env: NodeJS.ProcessEnv): Elsewhere {
  const names = ['ZOOKEEPER_QUORUM', 'WEBHDFS', 'OPERATOR_IMAGE', 'RUNTIME_IMAGE'];
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new Error(
      `the current cluster is not kind on this engine, so it reaches neither our Hadoop nor our images. Set ${missing.join(', ')}: ` +
        'a ZooKeeper quorum, WebHDFS addresses (with commas between) and images that its pods can reach.',
    );
  }
  return {
    zookeeper: env['ZOOKEEPER_QUORUM'] ?? '',
    webhdfs: (env['WEBHDFS'] ?? '').split(',').map((address) => address.trim().replace(/\/$/, '')),
    operatorImage: env['OPERATOR_IMAGE'] ?? '',
    runtimeImage: env['RUNTIME_IMAGE'] ?? '',
  };
}
