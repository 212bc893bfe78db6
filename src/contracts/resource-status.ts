/** The status of a ModelDeployment: what the operator has seen. */
import { z } from 'zod';
import type { Reason } from './reasons.ts';
import { opaque } from './spec-fields.ts';

const condition = z.object({
  type: z.string().max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.int().min(0).optional(),
  lastTransitionTime: z.iso.datetime(),
  reason: z.string().min(1).max(1_024),
  message: z.string().max(32_768),
});
export type Condition = z.infer<typeof condition>;

/** Of the Ready condition that a resource has before any operator has seen it; see crd.ts. */
export const notSeenReason = 'NotSeen' satisfies Reason;

/** Of the Reconciling condition while the spec is paused. */
export const pausedReason = 'Paused' satisfies Reason;

/** At most this many endpoints are listed in the status; all are counted. */
export const maxStatusEndpoints = 50;

const endpointStatus = z.object({
  pod: z.string().describe('Pod of the instance.'),
  version: z.string().describe('Version that it serves.'),
  url: z.string().optional().describe('URL that clients call, as registered in ZooKeeper.'),
  functions: z.record(z.string(), z.string()).optional().describe('Functions by the names that clients use.'),
  digest: z.string().optional().describe('Digest of the payload that the instance says it has verified, byte by byte.'),
  state: z.string().describe('Registered, or what it waits for or fails at.'),
  message: z.string().optional().describe('More about the state.'),
  next: z.string().optional().describe('What to do about it, where somebody can do something.'),
});
export type EndpointStatus = z.infer<typeof endpointStatus>;

/** So far back calls are looked at; agents count them like that. */
export const failedCallsMs = 300_000;

const failedCalls = z.object({
  at: z.iso.datetime().describe('When they were counted, at most once a minute.'),
  seconds: z.int().min(1).describe('So far back.'),
  instances: z.int().min(1).describe('Instances at which calls failed.'),
  asked: z.int().min(1).describe('Instances that said how many did.'),
  requests: z.int().min(0).describe('Their calls.'),
  errors: z.int().min(1).describe('Those that failed.'),
  results: z.record(z.string(), z.int()).describe('The same by what came of them, as in maas_model_requests_total.'),
  last: z
    .object({
      pod: z.string(),
      at: z.string().describe('By the clock of its node.'),
      result: z.string(),
      message: z.string(),
    })
    .optional()
    .describe('The last one.'),
});
export type FailedCalls = z.infer<typeof failedCalls>;

const nameOwner = z.object({ namespace: z.string(), name: z.string() });
export type NameOwner = z.infer<typeof nameOwner>;

/** At most so many revisions are kept. */
export const maxHistory = 10;

const revision = z.object({
  revision: z.int().min(1).describe('Counts up.'),
  id: z.string().describe('Hash of what the spec says of what runs.'),
  version: z.string().describe('Version that was asked for.'),
  path: z.string().describe('Path of its payload.'),
  digest: z.string().optional().describe('Digest of the payload that was pinned for it.'),
  by: z.string().optional().describe('Who asked for it: the field manager, such as kubectl-maas or argocd-controller.'),
  startedAt: z.iso.datetime().describe('When it was first seen.'),
  servedAt: z.iso.datetime().optional().describe('When all its instances served for the first time.'),
  endedAt: z.iso.datetime().optional().describe('When another one served in its place, or was asked for.'),
  result: z
    .enum(['RollingOut', 'Stalled', 'Serving', 'Served', 'Failed', 'Replaced'])
    .describe(
      'RollingOut and Stalled: it does not serve yet. Serving. Served: until another one did. Failed: it was stalled when another one was asked for. Replaced: another one was asked for before it served.',
    ),
  reason: z.string().optional().describe('Why it stalled.'),
  spec: opaque('What was asked for, without name and instances; absent where it was too long to keep.').optional(),
});
export type Revision = z.infer<typeof revision>;

export const modelDeploymentStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe('Generation of the spec that this status is about.'),
  replicas: z
    .int()
    .min(0)
    .optional()
    .describe('Instances that exist of the version that clients are answered by: those that `selector` finds.'),
  ready: z.int().min(0).optional().describe('Instances of the wanted version that answer.'),
  registered: z
    .int()
    .min(0)
    .optional()
    .describe('Instances of the wanted version that clients see in ZooKeeper; absent while ZooKeeper cannot be asked.'),
  updated: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Instances that clients see and that run the current spec; absent while ZooKeeper cannot be asked. If the mode is not to register, instances that answer.',
    ),
  refreshed: z
    .string()
    .optional()
    .describe(
      'The annotation maas.dev/refresh that this status is about: its value when a restart was last asked for.',
    ),
  selector: z.string().optional().describe("Selects the serving version's pods; read by the scale subresource."),
  serving: z.string().optional().describe('Version that is served now.'),
  rollout: z
    .object({
      from: z.string().describe('Version that serves until then.'),
      to: z.string().describe('Version that is to take its place.'),
      key: z.string().describe('Key of that version.'),
      id: z.string().optional().describe('Hash of what is asked for of it, as in history.'),
      startedAt: z.iso
        .datetime()
        .describe('When it was first seen to be wanted like this, or the resource was resumed.'),
      answering: z.int().min(0).describe('Its instances that answer.'),
      needed: z.int().min(0).describe('How many must.'),
      released: z.boolean().describe('Enough answered, and they may be registered.'),
    })
    .optional()
    .describe('A version that is about to take the place of another one; absent where none is.'),
  history: z.array(revision).max(maxHistory).optional().describe('What was asked for, newest first.'),
  payload: z
    .object({
      path: z.string(),
      copy: z.string().optional().describe('Directory of the payload store that instances read, if they do.'),
      script: z.string(),
      files: z.int().min(0),
      bytes: z.int().min(0),
      digest: z.string(),
      verified: z
        .int()
        .min(0)
        .optional()
        .describe('Instances of the wanted version that said they had verified every byte against this digest.'),
    })
    .optional()
    .describe('What was found in HDFS when the wanted version started.'),
  nameOwner: nameOwner
    .optional()
    .describe(
      'The ModelDeployment that this one was refused for, because it had the name first; it may be gone by now.',
    ),
  endpoints: z
    .array(endpointStatus)
    .max(maxStatusEndpoints)
    .optional()
    .describe('Instances, failing ones first; at most 50.'),
  endpointsTotal: z.int().min(0).optional().describe('How many instances there are in all.'),
  failedCalls: failedCalls
    .optional()
    .describe('Calls that failed at instances behind a shield; absent where none did in the last minutes.'),
  conditions: z
    .array(condition)
    .max(8)
    .optional()
    .describe(
      'Ready, Reconciling, Stalled and PayloadResolved; Outranked where clients prefer another version, and CallsFailing where a shield sees failures.',
    ),
});
export type ModelDeploymentStatus = z.infer<typeof modelDeploymentStatus>;
