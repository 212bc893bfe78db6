/**
 * What the operator, the agent and the model's container agree on inside a pod: mount paths, the files on the control
 * volume, the agent's instructions, its HTTP paths and its termination message.
 */
import { z } from 'zod';
import { hdfsSettings, zookeeperSettings } from './hadoop-side.ts';
import { holdInstruction } from './holds.ts';
import { downloadProgress } from './payload.ts';
import type { Reason } from './reasons.ts';

export const containers = { agent: 'agent', model: 'model' } as const;

export const paths = {
  /** The payload; the model's working directory, writable for both containers. */
  payload: '/maas/payload',
  /** Written by the agent, read-only for the model. */
  control: '/maas/control',
  /** The agent's own: ZooKeeper session credentials, so that an agent that restarts resumes its session. In memory. */
  session: '/maas/session',
  /** ConfigMap with the pinned payload; mounted into the agent only. */
  pinned: '/maas/pinned',
  /** Secret with the delegation token, where there is one; mounted into the agent only. */
  token: '/maas/token',
} as const;

export const pinnedPayloadFile = 'payload.json';
/** In its place where the list is long: the same, compressed with gzip. */
export const packedPayloadFile = 'payload.json.gz';
/** The pod's volume that holds the pin. */
export const pinnedVolume = 'pinned';
export const tokenFile = 'token';
export const endpointFile = 'endpoint.dat';
/** In the payload's directory: rewritten by the model's shell at each start, so that the agent sees a restart. */
export const startedFile = '.maas-started';

/** Files on the control volume. */
export const control = {
  /** FIFO that the model's shell reads at; a line arrives when the payload is in place. */
  gate: 'gate',
  /** Exists from the moment the gate is open, so that a restarted model does not wait. */
  open: 'open',
  /** What the agent knows of the script, for the model's shell to say when it ends; see shell-words.ts. */
  script: 'script',
  /** Exists while the instance is ready (registered once, and answering since). */
  ready: 'ready',
  /** What `ready` becomes when the instance is ready no more; from then on nobody waits for its readiness. */
  lost: 'lost',
  /** FIFO that the model's shell reads at while the script runs: a line makes it end the script, the line says why. */
  restart: 'restart',
  /** Made by the agent's preStop hook: unregister, the pod is going. */
  stop: 'stop',
  /**
   * Made by the agent (written whole, then renamed) once nothing of this pod is registered and nothing will be. Its
   * text is `neverRegistered` where no client can have the URL, so that nobody need drain; else empty.
   */
  stopped: 'stopped',
  neverRegistered: 'never-registered',
} as const;

/**
 * Where the agent of a pod on the node's network may listen: four ports that follow from the pod's UID, tried in
 * order, so that the operator finds it without asking anybody. The answer names the instance, which is compared.
 */
export function hostNetworkPorts(podUid: string): number[] {
  let hash = 0;
  for (const letter of podUid) hash = (hash * 31 + letter.charCodeAt(0)) % 2_500;
  return [0, 1, 2, 3].map((step) => 20_000 + step * 2_500 + hash);
}

/** Port of a shield in a pod with a network of its own: what clients are told in place of the model's. */
export const shieldPort = 8098;

/** The same for a pod on the node's network, as with hostNetworkPorts: below those, which are below 30000. */
export function hostNetworkShieldPorts(podUid: string): number[] {
  return hostNetworkPorts(podUid).map((port) => port - 10_000);
}

/** Of what a shield answers in place of a model: why, in words. */
export const shieldErrorHeader = 'X-MaaS-Error';

/** How a shield is to stand before the model; see spec.shield. */
export const shieldInstructions = z.object({
  timeLimitMs: z.int(),
  maxInFlight: z.int(),
  maxQueued: z.int(),
  queueTimeMs: z.int(),
  onError: z.enum(['NoContent', 'Close']),
  cache: z.object({ bytes: z.int(), timeToLiveMs: z.int() }).optional(),
  mirror: z.object({ version: z.string(), percent: z.int() }).optional(),
});
export type ShieldInstructions = z.infer<typeof shieldInstructions>;
/** A call as clients make it, and what is expected of the answer. */
export const warmUp = z.object({
  function: z.string(),
  arguments: z.record(z.string(), z.string()),
  status: z.int(),
  /** Fields of the answer, and their values as clients would show them. */
  fields: z.record(z.string(), z.string()),
  timeLimitMs: z.int(),
});
export type WarmUp = z.infer<typeof warmUp>;

/** The agent's instructions: one JSON object in the environment variable MAAS_AGENT. Nothing secret is in it. */
export const agentInstructions = z.object({
  model: z.string(),
  version: z.string(),
  /** What is to be run, whatever lies in the volume; an agent refuses a pin with another digest. */
  payloadDigest: z.string().optional(),
  clusterId: z.string(),
  zookeeper: zookeeperSettings,
  hdfs: hdfsSettings,
  advertise: z.string(),
  startupTimeoutMs: z.int(),
  /** How long an orderly stop waits for ZooKeeper to take the registration away. */
  unregisterTimeoutMs: z.int(),
  healthPath: z.string().optional(),
  /** True on the node's network. */
  hostNetwork: z.boolean(),
  /** The uid that the model's processes run under: on the node's network sockets are told apart by it. */
  modelUid: z.int().optional(),
  /** Where its node's cache of payloads is asked before HDFS; see docs/adr/0048. */
  payloadCache: z.object({ url: z.url() }).optional(),
  /** Absent: clients call the model itself. */
  shield: shieldInstructions.optional(),
  /** Absent where the version is never held, and with operators of earlier releases. */
  hold: holdInstruction.optional(),
  /** What has to succeed once in each start of the model before it counts as up. */
  warmUp: warmUp.optional(),
});
export type AgentInstructions = z.infer<typeof agentInstructions>;
/** What of them the operator reads again. */
export const instructedHold = agentInstructions.pick({ hold: true });
export const agentInstructionsVariable = 'MAAS_AGENT';

/** Environment variables that the operator fills from the downward API. */
export const downward = {
  podName: 'POD_NAME',
  podUid: 'POD_UID',
  podNamespace: 'POD_NAMESPACE',
  podIp: 'POD_IP',
  nodeIp: 'NODE_IP',
  nodeName: 'NODE_NAME',
} as const;

/** What an instance is doing. The order is the order of a start. */
export const agentStages = [
  'Starting',
  'FetchingPayload',
  'WaitingForEndpoint',
  'WaitingForListener',
  /** It answers, and is called as clients will call it. */
  'WarmingUp',
  'Registering',
  'Registered',
  /** It is not to be registered, and what was registered is being taken away. */
  'Unregistering',
  /** Up and not registered, because its version is held. */
  'Held',
  /** Up and not registered, because the mode is shadow. */
  'Shadow',
  /** Up and not registered any more, because the mode is drain. */
  'Drained',
  'NotAnswering',
  'Unregistered',
] as const satisfies readonly Reason[];

export const shieldStatus = z.object({
  /** Undefined until it listens. */
  port: z.int().optional(),
  inFlight: z.int(),
  queued: z.int(),
  requests: z.int(),
  errors: z.int(),
  lastError: z.object({ at: z.string(), result: z.string(), message: z.string() }).optional(),
  /** Of the last `seconds`; `results`: the errors by what came of the call. */
  recent: z
    .object({ seconds: z.int(), requests: z.int(), errors: z.int(), results: z.record(z.string(), z.int()) })
    .optional(),
  cache: z.object({ entries: z.int(), bytes: z.int(), served: z.int() }).optional(),
  mirror: z
    .object({
      targets: z.int(),
      same: z.int(),
      different: z.int(),
      failed: z.int(),
      skipped: z.int(),
      lastDifference: z.string().optional(),
    })
    .optional(),
});
export type ShieldStatus = z.infer<typeof shieldStatus>;

export const agentStatus = z.object({
  instance: z.string(),
  stage: z.enum(agentStages),
  /** RFC 3339; since when the stage lasts. */
  since: z.string(),
  /** What is wrong, if anything: an error code, a sentence, the next step. */
  problem: z.object({ code: z.string(), message: z.string(), next: z.string() }).optional(),
  /** The stages that were entered, in their order, the present one last; agents of earlier releases do not say. */
  reached: z
    .array(z.object({ stage: z.string(), at: z.string() }))
    .max(32)
    .optional(),
  /** Since when the script's present process runs, as far as this agent has seen. */
  scriptStarted: z.string().optional(),
  /** Where the payload is read, and as which user of HDFS. */
  hdfs: z.object({ nameservice: z.string(), path: z.string(), user: z.string() }).optional(),
  payload: downloadProgress.optional(),
  url: z.string().optional(),
  /** Digest of the payload whose every byte was verified here; absent before that. */
  verifiedDigest: z.string().optional(),
  /** What the shield before the model does, where there is one. */
  shield: shieldStatus.optional(),
  /** State of the ZooKeeper session. */
  zookeeper: z.enum(['connecting', 'connected', 'suspended', 'closed']),
});
export type AgentStatus = z.infer<typeof agentStatus>;

/** What the agent leaves as its termination message when it gives up: one line of JSON, at most 4096 bytes. */
export const terminationMessage = z.object({ code: z.string(), message: z.string(), next: z.string() });
export type TerminationMessage = z.infer<typeof terminationMessage>;
