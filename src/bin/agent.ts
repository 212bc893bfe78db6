/**
 * The agent's composition root: reads its instructions, joins the adapters, obeys signals and ends the process. What
 * it gives up over is left as the container's termination message.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '../adapters/log.ts';
import { openHdfsReader } from '../adapters/webhdfs/hdfs-reader.ts';
import { tokenFromFile } from '../adapters/webhdfs/token-file.ts';
import { ZooKeeper } from '../adapters/zookeeper/zookeeper.ts';
import { checkInstructed } from '../agent/instructed-payload.ts';
import type { FetchPayload } from '../agent/payload-stage.ts';
import type { Pod } from '../agent/ports.ts';
import { type Outcome, type RunningAgent, startAgent } from '../agent/run.ts';
import { terminationText } from '../agent/termination.ts';
import { asMaasError, MaasError } from '../contracts/errors.ts';
import { type PinnedPayload, pinnedPayload } from '../contracts/payload.ts';
import { unpackPin } from '../contracts/pin-content.ts';
import {
  type AgentInstructions,
  agentInstructions,
  agentInstructionsVariable,
  agentPort,
  downward,
  hostNetworkPorts,
  packedPayloadFile,
  paths,
  pinnedPayloadFile,
  tokenFile,
} from '../contracts/pod-contract.ts';
import type { Log } from '../kernel/log.ts';
import { readJson, type Schema } from '../kernel/schema-json.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { fetchPayload } from '../payload/fetch.ts';

/** Put before every path of the contract; for tests, which run agents outside of pods. */
const root = process.env['MAAS_ROOT'] ?? '';
const terminationLog = '/dev/termination-log';
const clock = systemClock;

function variable(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  throw new MaasError('SETTINGS_INVALID', `The environment variable ${name} is missing`);
}

function checked<Value>(text: string, schema: Schema<Value>, what: string): Value {
  const { value, problem, cause } = readJson(text, schema);
  if (value !== undefined) return value;
  throw new MaasError('SETTINGS_INVALID', `${what} cannot be used: ${problem}`, { cause });
}

/** Long lists are compressed, and then under another name. */
async function readPinnedText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return unpackPin(await readFile(join(root, paths.pinned, packedPayloadFile)));
  }
}

async function readPinned(): Promise<PinnedPayload> {
  const path = join(root, paths.pinned, pinnedPayloadFile);
  try {
    return checked(await readPinnedText(path), pinnedPayload, path);
  } catch (cause) {
    throw cause instanceof MaasError
      ? cause
      : new MaasError('SETTINGS_INVALID', `The pinned payload ${path} cannot be read`, { cause });
  }
}

function readPod(): Pod {
  return {
    name: variable(downward.podName),
    uid: variable(downward.podUid),
    namespace: variable(downward.podNamespace),
    ip: variable(downward.podIp),
    nodeIp: variable(downward.nodeIp),
    nodeName: variable(downward.nodeName),
  };
}

/** Read before each request, because tokens are renewed. */
function fetchPinned({ hdfs }: AgentInstructions, pinned: PinnedPayload, log: Log): FetchPayload {
  const directory = join(root, paths.payload);
  const token = tokenFromFile(join(root, paths.token, tokenFile));
  return async (progress, signal) => {
    const source = openHdfsReader(hdfs, pinned.nameservice, { clock, token, log });
    await fetchPayload(source, pinned, directory, { clock, random: Math.random, signal, progress });
  };
}

async function start(log: Log): Promise<RunningAgent> {
  const instructions = checked(variable(agentInstructionsVariable), agentInstructions, agentInstructionsVariable);
  const pod = readPod();
  const pinned = await readPinned();
  checkInstructed(instructions, pinned);
  const { quorum, sessionTimeoutMs } = instructions.zookeeper;
  return await startAgent({
    instructions,
    pod,
    directories: {
      payload: join(root, paths.payload),
      control: join(root, paths.control),
      session: join(root, paths.session),
    },
    proc: '/proc',
    ports: instructions.hostNetwork ? hostNetworkPorts(pod.uid) : [agentPort],
    payloadDigest: pinned.digest,
    script: pinned.script,
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

async function main(): Promise<void> {
  const log = createLog({ name: 'agent', level: process.env['LOG_LEVEL'] ?? 'info' });
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error: unknown) => void giveUp(log, error));
  }
  const starting = start(log);
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

void main();
