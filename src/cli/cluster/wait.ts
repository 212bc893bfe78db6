/**
 * `--wait`: until the operator has done what was asked, or nothing but a person can help. What changes meanwhile is
 * said on standard error, each state once.
 */

import { formatAge, formatDuration } from '../../contracts/duration.ts';
import { hasCode, MaasError } from '../../contracts/errors.ts';
import { annotations } from '../../contracts/names.ts';
import { traitsOf } from '../../contracts/reasons.ts';
import type { Everywhere } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { say } from '../output/say.ts';
import type { Cluster, Ports } from '../ports.ts';
import { askAttendance, errorOf, unattended } from './attendance.ts';
import { conditionOf, isPaused, type Model, readModel, registeredState, titleOf } from './model.ts';

export type Judgement =
  | { readonly verdict: 'done'; readonly text: string }
  | { readonly verdict: 'waiting' | 'unseen'; readonly text: string }
  | { readonly verdict: 'hopeless'; readonly text: string; readonly next?: string };

export type Judge = (model: Model) => Judgement;

const unseen: Judgement = { verdict: 'unseen', text: 'waiting for the operator to see the change' };

/** Are all instances registered, of what was written as this generation or later? */
export function serves(generation: number): Judge {
  return (model) => {
    if (isBehind(model, generation)) return unseen;
    const stalled = conditionOf(model, 'Stalled');
    if (stalled?.status === 'True') return { verdict: 'hopeless', text: because(stalled) };
    return judgeReady(model);
  };
}

function judgeReady(model: Model): Judgement {
  const ready = conditionOf(model, 'Ready');
  const text = ready === undefined ? 'no state yet' : because(ready);
  // Ready alone comes too early: while instances roll, those of before are registered still.
  // An operator that only looks will not do it, whatever it sees.
  const expected = ready === undefined ? undefined : traitsOf(ready.reason).expected;
  if (expected === 'untouched') return { verdict: 'hopeless', text };
  const settled = ready?.status === 'True' && conditionOf(model, 'Reconciling')?.status !== 'True';
  if (settled && (expected === 'unregistered' || isRegistered(model))) return { verdict: 'done', text };
  return isPaused(model) ? whilePaused(model, text) : { verdict: 'waiting', text };
}

/** Does the operator leave it alone? Whether it is well is not asked. */
export function pauses(generation: number): Judge {
  return (model) => {
    if (isBehind(model, generation)) return unseen;
    return isPaused(model) ? { verdict: 'done', text: 'paused' } : unseen;
  };
}

/** Do all instances serve that were started since the restart was asked for, or since a later one was? */
export function restarted(model: Model): Judge {
  const up = serves(model.metadata.generation);
  return (seen) => (seen.status.refreshed === seen.metadata.annotations[annotations.refresh] ? up(seen) : unseen);
}

/** Somebody paused it; what was asked for waits for somebody to let it go on. */
function whilePaused({ metadata: { name, namespace } }: Model, text: string): Judgement {
  return {
    verdict: 'hopeless',
    text,
    next: `Let it go on with \`kubectl maas resume ${name} -n ${namespace}\`.`,
  };
}

function isBehind({ metadata, status }: Model, generation: number): boolean {
  return (status.observedGeneration ?? 0) < Math.max(generation, metadata.generation);
}

function isRegistered({ spec, status }: Model): boolean {
  return spec.instances === 0 || (status.registered ?? 0) >= spec.instances;
}

/** Are there no more instances than wanted? Whether those that stay are well is not asked. */
export function shrank(generation: number): Judge {
  return (model) => {
    if (isBehind(model, generation)) return unseen;
    const { status, spec } = model;
    const total = Math.max(status.replicas ?? 0, status.endpointsTotal ?? 0);
    const text = `${counted(total, 'instance')}, ${spec.instances} wanted`;
    if (isPaused(model) && total > spec.instances) return whilePaused(model, `${text}; it is paused`);
    return { verdict: total <= spec.instances ? 'done' : 'waiting', text };
  };
}

function because(condition: { readonly reason: string; readonly message: string }): string {
  return condition.message === '' ? condition.reason : `${condition.reason}: ${condition.message}`;
}

export interface WaitFor {
  readonly judge: Judge;
  readonly timeoutMs: number;
  /** `up`, for the message when it did not come in time. */
  readonly wanted: string;
  /** Who is asked why nobody takes it up, while the operator has not seen it. */
  readonly operator: Pick<Everywhere, 'operatorNamespace' | 'cluster'>;
}

/** A restart of the operator, or another leader: so long it may take until a change is seen. */
const unseenMs = 12_000;
const askAgainMs = 5_000;

/**
 * Follows a model until the judge is content.
 * @param model as the command has written it; another one of the same name is not taken for it
 * @throws MaasError TIMEOUT, MODEL_STALLED, MODEL_NOT_FOUND when somebody else deletes it, OPERATOR_AWAY and
 *   NAMESPACE_NOT_SERVED when nobody is there who could do it
 */
export async function waitUntil(ports: Ports, cluster: Cluster, model: Model, wait: WaitFor): Promise<Model> {
  const said = narrator(ports, titleOf(model));
  let last = model;
  let askAt = ports.clock.monotonic() + unseenMs;
  for await (const seen of looks(ports, cluster, model, wait.timeoutMs, said)) {
    if (seen === undefined) {
      throw new MaasError('MODEL_NOT_FOUND', `${titleOf(model)} was removed by somebody else while waiting`);
    }
    last = seen;
    const judgement = wait.judge(seen);
    const { verdict, text } = judgement;
    if (verdict === 'done') {
      said(text);
      return seen;
    }
    if (judgement.verdict === 'hopeless') throw stalled(ports, seen, judgement);
    said(text);
    if (verdict !== 'unseen' || ports.clock.monotonic() < askAt) continue;
    const attendance = await askAttendance(wait.operator, ports, cluster);
    const why = unattended(seen.metadata.namespace, attendance, ports.clock.now());
    if (why !== undefined) throw errorOf({ ...why, message: `nobody takes up ${titleOf(model)}: ${why.message}` });
    askAt = ports.clock.monotonic() + askAgainMs;
  }
  tellFailing(ports, last);
  const { name, namespace } = last.metadata;
  const { verdict, text } = wait.judge(last);
  throw new MaasError(
    'TIMEOUT',
    verdict === 'unseen'
      ? `no operator took up ${titleOf(model)} within ${formatDuration(wait.timeoutMs)}`
      : `${titleOf(model)} is not ${wait.wanted} after ${formatDuration(wait.timeoutMs)}: ${text}`,
    {
      next:
        verdict === 'unseen'
          ? 'Check that the operator runs and serves this namespace.'
          : `It is still being tried. See more with \`kubectl maas why ${name} -n ${namespace}\`.`,
    },
  );
}

function stalled(ports: Ports, model: Model, { text, next }: Extract<Judgement, { verdict: 'hopeless' }>): MaasError {
  tellFailing(ports, model);
  return new MaasError('MODEL_STALLED', `${titleOf(model)} cannot come up by itself: ${text}`, {
    ...(next === undefined ? {} : { next }),
  });
}

/** Waits until a deleted model is gone. @throws MaasError TIMEOUT */
export async function waitUntilGone(ports: Ports, cluster: Cluster, model: Model, timeoutMs: number): Promise<void> {
  const said = narrator(ports, titleOf(model));
  for await (const seen of looks(ports, cluster, model, timeoutMs, said)) {
    if (seen === undefined) {
      said('gone');
      return;
    }
    const total = seen.status.endpointsTotal ?? seen.status.replicas ?? 0;
    said(total > 0 ? `being removed, ${counted(total, 'instance')} left` : 'being removed');
  }
  throw new MaasError('TIMEOUT', `${titleOf(model)} is not gone after ${formatDuration(timeoutMs)}`, {
    next: `See what holds it with \`kubectl get mdl ${model.metadata.name} -n ${model.metadata.namespace} -o yaml\`.`,
  });
}

/** Looks often while it is young: an instance may be up after a second. */
const eagerForMs = 10_000;
const eagerMs = 250;
const patientMs = 1_000;

/** The model again and again, undefined when it is gone; ends after the timeout, with at least one look. */
async function* looks(
  { clock, signal }: Ports,
  cluster: Cluster,
  model: Model,
  timeoutMs: number,
  said: Narrator,
): AsyncGenerator<Model | undefined> {
  const start = clock.monotonic();
  for (;;) {
    try {
      yield await find(cluster, model);
    } catch (error) {
      // The API server may be away for a moment; the model is not.
      if (!hasCode(error, 'CLUSTER_UNREACHABLE', 'CLUSTER_UNAVAILABLE')) throw error;
      if (clock.monotonic() - start >= timeoutMs) throw error;
      said(`cannot ask the cluster: ${error.message}`);
    }
    const elapsed = clock.monotonic() - start;
    if (elapsed >= timeoutMs) return;
    await clock.sleep(Math.min(elapsed < eagerForMs ? eagerMs : patientMs, timeoutMs - elapsed), signal);
  }
}

/** The very same one, not a successor of its name. */
async function find(cluster: Cluster, { metadata: { namespace, name, uid } }: Model): Promise<Model | undefined> {
  const object = await cluster.get(namespace, name);
  const seen = object && readModel(object);
  return seen?.metadata.uid === uid ? seen : undefined;
}

/** Says each state once. */
type Narrator = (text: string) => void;

function narrator({ err, clock }: Ports, title: string): Narrator {
  const start = clock.monotonic();
  let last: string | undefined;
  return (text) => {
    if (text === last) return;
    last = text;
    say(err, `${title}: ${text} (${formatAge(clock.monotonic() - start)})`);
  };
}

function tellFailing({ err }: Ports, model: Model): void {
  for (const endpoint of model.status.endpoints ?? []) {
    if (endpoint.state === registeredState) continue;
    const words = endpoint.message === undefined ? endpoint.state : `${endpoint.state}: ${endpoint.message}`;
    say(err, `  ${endpoint.pod}  ${words}`);
  }
}
