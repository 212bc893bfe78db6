/**
 * `payload-cache.cjs DIRECTORY SIZE`: the cache of payloads on one node, for its agents. Of the size, as Kubernetes writes
 * quantities, it leaves a tenth free: the kubelet ends a pod whose volume is larger than was agreed.
 */
import { randomUUID } from 'node:crypto';
import { createLog } from '../adapters/log.ts';
import { cachePort } from '../contracts/payload-cache.ts';
import { parseQuantity } from '../contracts/quantity.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { serveCache } from '../payload-cache/http-server.ts';
import { PayloadCache } from '../payload-cache/payload-cache.ts';

const used = 0.9;

const log = createLog({ name: 'payload-cache', level: process.env['LOG_LEVEL'] ?? 'info' });

async function main([directory, size = '']: readonly string[]): Promise<void> {
  const room = Math.floor((parseQuantity(size) ?? 0) * used);
  if (directory === undefined || room <= 0)
    throw new Error('usage: payload-cache DIRECTORY SIZE, for example /cache 10Gi');
  const cache = await PayloadCache.open({ directory, room, clock: systemClock, newLease: randomUUID, log });
  const { port } = await serveCache(cache, Number(process.env['PORT'] ?? cachePort));
  log.info({ port, room }, 'listening');
}

// Whoever is reading goes on at HDFS.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
// Not awaited here: the bundle is CommonJS.
main(process.argv.slice(2)).catch((error: unknown) => {
  log.error({ err: error }, 'the cache cannot go on');
  process.exit(1);
});
