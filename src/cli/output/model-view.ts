/**
 * A model as `list` shows it, and the shape of `list -o json`. Fields are added to it, never renamed or removed;
 * docs describe it.
 */
import { heardReason, type Reason } from '../../contracts/reasons.ts';
import { notSeenReason, pausedReason } from '../../contracts/resource-status.ts';
import { visible } from '../../kernel/shown-text.ts';
import { conditionOf, failingCalls, isGoing, isPaused, type Model, registeredState } from '../cluster/model.ts';
import type { JsonShape } from '../define-command.ts';

/** `listFields` says what each field means. */
export interface ModelView {
  readonly namespace: string;
  readonly resource: string;
  readonly model: string;
  readonly version: string;
  readonly serving: string | null;
  readonly desired: number;
  readonly ready: number | null;
  readonly registered: number | null;
  readonly payload: { readonly path: string; readonly digest: string | null };
  readonly state: {
    readonly ready: 'True' | 'False' | 'Unknown';
    readonly reason: Reason;
    readonly message: string;
    readonly stalled: boolean;
    readonly reconciling: boolean;
    readonly paused: boolean;
    readonly calls: string | null;
  };
  readonly endpoints: readonly EndpointView[];
  readonly endpointsTotal: number;
  readonly created: string;
}

export interface EndpointView {
  readonly pod: string;
  readonly version: string;
  readonly registered: boolean;
  readonly url: string | null;
  readonly functions: Readonly<Record<string, string>>;
  readonly state: string;
  readonly message: string | null;
}

/** Fields of one item of `list -o json`, in the order of the output. */
export const listFields: JsonShape['fields'] = [
  ['namespace', 'Namespace of the resource.'],
  ['resource', 'metadata.name of the ModelDeployment.'],
  ['model', 'The model, as Stellar names it.'],
  ['version', 'The wanted version.'],
  ['serving', 'The version that clients get now; null when none.'],
  ['desired', 'Wanted instances.'],
  ['ready', 'Instances that answer; null before the operator has said anything.'],
  ['registered', 'Instances that clients see in ZooKeeper; null while that is not known.'],
  ['payload.path', 'Where the payload is, as the resource says.'],
  ['payload.digest', 'Digest of the pinned files; null before they are pinned.'],
  ['state.ready', 'The Ready condition: True, False or Unknown.'],
  ['state.reason', 'Its reason, one word.'],
  ['state.message', 'Its message.'],
  ['state.stalled', 'True when nothing but a change by somebody can help.'],
  ['state.reconciling', 'True while the operator is at work on it.'],
  ['state.paused', 'True while the operator changes nothing, because `spec.paused` is set.'],
  ['state.calls', 'What fails behind its shields, in words; null where no call has failed in the last five minutes.'],
  ['endpoints[].pod', 'Pod of the instance.'],
  ['endpoints[].version', 'The version that it serves.'],
  ['endpoints[].registered', 'True when clients see it.'],
  ['endpoints[].url', 'The URL that clients call; null before there is one.'],
  ['endpoints[].functions', 'Paths of the functions by the names that clients use.'],
  ['endpoints[].state', 'Registered, or what it waits for or fails at.'],
  ['endpoints[].message', 'More about the state; null when there is nothing more to say.'],
  ['endpointsTotal', 'How many instances there are; `endpoints` holds at most 50 of them, failing ones first.'],
  ['created', 'When the resource was made, RFC 3339.'],
];

export function viewOf(model: Model): ModelView {
  const { metadata, spec, status } = model;
  const ready = conditionOf(model, 'Ready');
  const behind = (status.observedGeneration ?? 0) < metadata.generation;
  return {
    namespace: metadata.namespace,
    resource: metadata.name,
    model: spec.name,
    version: spec.version,
    serving: status.serving ?? null,
    desired: spec.instances,
    ready: status.ready ?? null,
    registered: status.registered ?? null,
    payload: { path: spec.payload.path, digest: status.payload?.digest ?? null },
    state: {
      ready: ready?.status ?? 'Unknown',
      ...reasonOf(model, ready),
      stalled: conditionOf(model, 'Stalled')?.status === 'True',
      reconciling: behind || conditionOf(model, 'Reconciling')?.status === 'True',
      paused: isPaused(model),
      calls: failingCalls(model) ?? null,
    },
    endpoints: (status.endpoints ?? []).map((endpoint) => ({
      pod: endpoint.pod,
      version: endpoint.version,
      registered: endpoint.state === registeredState,
      url: endpoint.url ?? null,
      functions: endpoint.functions ?? {},
      state: endpoint.state,
      message: endpoint.message ?? null,
    })),
    endpointsTotal: status.endpointsTotal ?? status.endpoints?.length ?? 0,
    created: metadata.creationTimestamp,
  };
}

function reasonOf(
  model: Model,
  ready: { reason: string; message: string } | undefined,
): Pick<ModelView['state'], 'reason' | 'message'> {
  if (isGoing(model)) return { reason: 'Terminating', message: 'being deleted' };
  if (ready !== undefined) return { reason: heardReason(ready.reason), message: ready.message };
  return { reason: notSeenReason, message: 'no operator has looked at it yet' };
}

/** In one cell, as kubectl shows what holds of a node at the same time: `Serving,Paused`. */
export function reasonCell({ reason, paused }: Pick<ModelView['state'], 'reason' | 'paused'>): string {
  return visible(paused ? `${reason},${pausedReason}` : reason);
}
