/** `make images`: the images of the cluster from the sources as they are, in the cluster that runs. */
import { join } from 'node:path';
import { buildImages } from './bring-up.ts';
import { cacheRoot } from './cache.ts';
import { findEngine } from './engine.ts';
import { withLock } from './lock.ts';
import { program } from './steps.ts';
import { readWorld } from './world.ts';

await program(async () => {
  await withLock(join(cacheRoot, 'locks', 'up'), async () => {
    const { tools, cluster } = readWorld();
    if (!tools || !cluster?.nodeContainer || !(await findEngine())) {
      throw new Error('no cluster of this engine runs here; bring one up with `make up`');
    }
    await buildImages({ kind: tools.kind, cluster: cluster.name, node: cluster.nodeContainer });
  });
});
