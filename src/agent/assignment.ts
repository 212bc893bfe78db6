/** What an agent is to run, and for whom: its instructions, the pinned payload, the pod and its volumes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentPort } from '../contracts/agent-http.ts';
import { MaasError } from '../contracts/errors.ts';
import { type PinnedPayload, pinnedPayload } from '../contracts/payload.ts';
import { unpackPin } from '../contracts/pin-content.ts';
import {
  type AgentInstructions,
  agentInstructions,
  agentInstructionsVariable,
  downward,
  hostNetworkPorts,
  packedPayloadFile,
  paths,
  pinnedPayloadFile,
} from '../contracts/pod-contract.ts';
import { readJson, type Schema } from '../kernel/schema-json.ts';

/** The volumes of a pod; see `paths` of the contract. */
export interface Directories {
  readonly payload: string;
  readonly control: string;
  readonly session: string;
}

/** Who this pod is, from the downward API. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly ip: string;
  readonly nodeIp: string;
  readonly nodeName: string;
}

export interface Assignment {
  readonly instructions: AgentInstructions;
  readonly pod: Pod;
  readonly pinned: PinnedPayload;
  readonly directories: Directories;
  /** Ports to listen on, in order of preference. */
  readonly ports: readonly number[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param root put before every path of the contract
 * @throws MaasError SETTINGS_INVALID where something is missing or cannot be read, PAYLOAD_PIN_MISMATCH
 */
export async function readAssignment(environment: Environment, root: string): Promise<Assignment> {
  const given = variable(environment, agentInstructionsVariable);
  const instructions = checked(given, agentInstructions, agentInstructionsVariable);
  const pod = readPod(environment);
  const pinned = await readPinned(join(root, paths.pinned));
  checkInstructed(instructions, pinned);
  return {
    instructions,
    pod,
    pinned,
    directories: {
      payload: join(root, paths.payload),
      control: join(root, paths.control),
      session: join(root, paths.session),
    },
    ports: instructions.hostNetwork ? hostNetworkPorts(pod.uid) : [agentPort],
  };
}

function readPod(environment: Environment): Pod {
  return {
    name: variable(environment, downward.podName),
    uid: variable(environment, downward.podUid),
    namespace: variable(environment, downward.podNamespace),
    ip: variable(environment, downward.podIp),
    nodeIp: variable(environment, downward.nodeIp),
    nodeName: variable(environment, downward.nodeName),
  };
}

async function readPinned(directory: string): Promise<PinnedPayload> {
  const path = join(directory, pinnedPayloadFile);
  try {
    return checked(await readPinnedText(directory), pinnedPayload, path);
  } catch (cause) {
    throw cause instanceof MaasError
      ? cause
      : new MaasError('SETTINGS_INVALID', `The pinned payload ${path} cannot be read`, { cause });
  }
}

/** Long lists are compressed, and then under another name. */
async function readPinnedText(directory: string): Promise<string> {
  try {
    return await readFile(join(directory, pinnedPayloadFile), 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return unpackPin(await readFile(join(directory, packedPayloadFile)));
  }
}

/**
 * Is the payload that lies in the pod's volume the one that the pod is to run? The instructions come with the pod itself
 * and cannot be those of another Deployment; the pin comes from a volume, in which a kubelet may put what it knew under
 * that name before. Operators of earlier releases instruct no digest, and then every pin is taken.
 */
function checkInstructed({ payloadDigest }: AgentInstructions, pinned: PinnedPayload): void {
  if (payloadDigest === undefined || payloadDigest === pinned.digest) return;
  throw new MaasError(
    'PAYLOAD_PIN_MISMATCH',
    `The pod is to run the payload ${payloadDigest}, and was given the list of ${pinned.digest} (${pinned.path})`,
  );
}

function variable(environment: Environment, name: string): string {
  const value = environment[name];
  if (value !== undefined && value !== '') return value;
  throw new MaasError('SETTINGS_INVALID', `The environment variable ${name} is missing`);
}

function checked<Value>(text: string, schema: Schema<Value>, what: string): Value {
  const { value, problem, cause } = readJson(text, schema);
  if (value !== undefined) return value;
  throw new MaasError('SETTINGS_INVALID', `${what} cannot be used: ${problem}`, { cause });
}
