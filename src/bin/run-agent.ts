/**
 * The agent's composition root: joins the adapters, obeys signals and ends the process. What it gives up over is left as
 * the container's termination message.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '../adapters/log.ts';
import { openHdfsReader } from '../adapters/webhdfs/hdfs-reader.ts';
import { tokenFromFile } from '../adapters/webhdfs/token-file.ts';
import { ZooKeeper } from '../adapters/zookeeper/zookeeper.ts';
import { type RunningAgent, startAgent } from '../agent/agent.ts';
import { readAssignment } from '../agent/assignment.ts';
import type { Outcome } from '../agent/deeds.ts';
import type { AgentServer } from '../agent/http-server.ts';
import type { FetchPayload } from '../agent/sources/fetch-payload.ts';
import { terminationText } from '../agent/termination.ts';
import { asMaasError } from '../contracts/errors.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { type AgentInstructions, paths, tokenFile } from '../contracts/pod-contract.ts';
import type { Log } from '../kernel/log.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { fetchPayload } from '../payload/fetch.ts';
import type { NearPayload } from '../payload/near-payload.ts';

/** Put before every path of the contract; for tests, which run agents outside of pods. */
const root = process.env['MAAS_ROOT'] ?? '';
const terminationLog = '/dev/termination-log';
const clock = systemClock;

/** Read before each request, because tokens are renewed. */
function fetchPinned({ hdfs, payloadCache }: AgentInstructions, pinned: PinnedPayload, log: Log): FetchPayload {
  const directory = join(root, paths.payload);
  const token = tokenFromFile(join(root, paths.token, tokenFile));
  return async (progress, signal) => {
    const source = openHdfsReader(hdfs, pinned.nameservice, { clock, token, log });
    const begun = clock.monotonic();
    const near = payloadCache && (await nearPayload({ url: payloadCache.url, directory, signal, log }));
    const options = { clock, random: Math.random, signal, progress, near };
    const { bytesFetched } = await fetchPayload(source, pinned, directory, options);
    const ms = Math.round(clock.monotonic() - begun);
    const fromCache = near === undefined ? {} : { bytesFromCache: near.bytes };
    log.info({ files: pinned.files.length, bytes: pinned.bytes, bytesFetched, ...fromCache, ms }, 'payload verified');
  };
}

/** Loaded only where there is a cache. */
async function nearPayload(where: {
  readonly url: string;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly log: Log;
}): Promise<NearPayload> {
  const { PayloadCacheClient } = await import('../adapters/payload-cache.ts');
  const { NearPayload } = await import('../payload/near-payload.ts');
  return new NearPayload({ ...where, near: new PayloadCacheClient(where.url), clock });
}

async function start(server: AgentServer, log: Log): Promise<RunningAgent> {
  const assignment = await readAssignment(process.env, root);
  const { instructions, pinned } = assignment;
  const { quorum, sessionTimeoutMs } = instructions.zookeeper;
  return await startAgent({
    ...assignment,
    server,
    proc: '/proc',
    fetch: fetchPinned(instructions, pinned, log),
    openSession: (resume) => new ZooKeeper({ quorum, sessionTimeoutMs, resume, clock, log }),
    clock,
    log,
  });
}

async function end({ exitCode, termination }: Outcome): Promise<never> {
  if (termination !== undefined) {
    // Kubernetes makes the file; elsewhere there may be none.
    await writeFile(join(root, terminationLog), terminationText(termination)).catch(() => undefined);
  }
  process.exit(exitCode);
}

function giveUp(log: Log, error: unknown): Promise<never> {
  const { code, message, next } = asMaasError(error);
  log.error({ err: error }, 'the agent cannot go on');
  return end({ exitCode: 1, termination: { code, message, next } });
}

/** Settles never: the process ends. */
export async function runAgent(server: AgentServer): Promise<void> {
  const log = createLog({ name: 'agent', level: process.env['LOG_LEVEL'] ?? 'info' });
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error: unknown) => void giveUp(log, error));
  }
  const starting = start(server, log);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      starting.then(
        (agent) => agent.terminate(),
        () => undefined,
      );
    });
  }
  try {
    await end(await (await starting).done);
  } catch (error) {
    await giveUp(log, error);
  }
}
