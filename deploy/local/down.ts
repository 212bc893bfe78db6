/**
 * `make down`: stops what `make up` started, by name, label or process number, and nothing else. With --data it also
 * removes the volumes and, if the engine was a private one, all that it has.
 */
import { join } from 'node:path';
import { cacheRoot } from './cache.ts';
import { deleteCluster } from './cluster.ts';
import { ourContainers, ourVolumes } from './container.ts';
import { commandsFor, removeDemo } from './demo-operator.ts';
import { findEngine, removeEngineData, stopPrivateEngine } from './engine.ts';
import { removeFamilies } from './family-cluster.ts';
import { withLock } from './lock.ts';
import { removeNetwork } from './network.ts';
import { run } from './run.ts';
import { program, step } from './steps.ts';
import { forgetWorld, readWorld } from './world.ts';

const withData = process.argv.includes('--data');

await program(async () => {
  await withLock(join(cacheRoot, 'locks', 'up'), async () => {
    const engine = await findEngine();
    const world = readWorld();
    if (world.cluster?.kind === 'existing') {
      await step('Take the demo out of the cluster', () => removeDemo(commandsFor(world)));
    }
    if (engine) {
      await step('Stop Kubernetes', () => deleteCluster());
      await step('Stop ZooKeeper and HDFS', async () => {
        const containers = await ourContainers();
        if (containers.length > 0) await run('docker', ['rm', '--force', ...containers]);
        await removeFamilies();
        await removeNetwork();
      });
      if (withData) {
        await step('Remove volumes', async () => {
          const volumes = await ourVolumes();
          if (volumes.length > 0) await run('docker', ['volume', 'rm', ...volumes]);
        });
      }
    }
    await step('Stop the private engine', stopPrivateEngine);
    if (withData) await removeEngineData();
    forgetWorld();
  });
});
