/**
 * What to do next about a reason, as a command that can be pasted, with the names of what it is about filled in. What
 * the status advises has such a command already where only the operator knows what is missing. Pure.
 */
import { posix } from 'node:path';
import { errorCatalogue } from '../../contracts/error-catalogue.ts';
import { parseQuantity } from '../../contracts/quantity.ts';
import { heardReasonOf, traitsOf } from '../../contracts/reasons.ts';
import type { Model } from '../cluster/model.ts';
import type { NextAction } from './story-shape.ts';

export interface About {
  readonly model: Model;
  readonly pod?: string | undefined;
  readonly node?: string | undefined;
  /** What the status advises. */
  readonly advice?: string | undefined;
  /** The message of the model's condition, which ends with the advice. */
  readonly said?: string | undefined;
  /** Does a container that ran before hold the lines that tell? */
  readonly endedBefore?: boolean;
}

export function nextAction(reason: string, about: About): NextAction {
  const says = about.advice ?? adviceOf(reason);
  const command = commandFor(reason, about) ?? commandIn(about.advice) ?? fallbackFor(reason, about);
  return { says: withoutCommand(says, command) ?? null, command: command ?? null };
}

const ofErrors = new Map(Object.entries(errorCatalogue).map(([code, { next }]) => [String(heardReasonOf(code)), next]));

function adviceOf(reason: string): string | undefined {
  const next = traitsOf(reason).next ?? ofErrors.get(reason);
  return next === 'Nothing.' ? undefined : next;
}

/** Sentences that only name a command in general go where there is one with names. */
function withoutCommand(says: string | undefined, command: string | undefined): string | undefined {
  if (says === undefined || command === undefined) return says;
  const rest = says.split(/(?<=\.) +/).filter((sentence) => !/\bkubectl\b/.test(sentence));
  return rest.length === 0 ? undefined : rest.join(' ');
}

/** `Make it: kubectl create secret generic s -n fraud --from-file=KEY=FILE` */
function commandIn(advice: string | undefined): string | undefined {
  const found = /(?:`(kubectl [^`]+)`|: (kubectl [^;]+?)(?:;|\. |\.?$))/.exec(advice ?? '');
  return (found?.[1] ?? found?.[2])?.trim();
}

type Commands = Readonly<Record<string, (about: About) => string | undefined>>;

const resourceOf = ({ model: { metadata } }: About) => `${word(metadata.name)} -n ${word(metadata.namespace)}`;
const inNamespace = ({ model: { metadata } }: About) => `-n ${word(metadata.namespace)}`;
const edit = (about: About) => `kubectl edit mdl ${resourceOf(about)}`;
const doctor = (about: About) => `kubectl maas doctor ${inNamespace(about)}`;
const watch = (about: About) => `kubectl maas watch ${resourceOf(about)}`;
const describePod = (about: About) =>
  about.pod === undefined ? undefined : `kubectl describe pod ${word(about.pod)} ${inNamespace(about)}`;
const pathOf = ({ model }: About) => model.status.payload?.path ?? model.spec.payload.path;
const list = (about: About) => `hdfs dfs -ls ${word(pathOf(about))}`;
const refusals = (about: About) => `kubectl get events ${inNamespace(about)} --field-selector reason=FailedCreate`;
const mode = (about: About) => `kubectl maas mode --model ${word(about.model.spec.name)} active`;

function logs(about: About): string {
  const instance = about.pod === undefined ? '' : ` --instance ${word(about.pod)}`;
  return `kubectl maas logs ${resourceOf(about)}${instance}${about.endedBefore === true ? ' --previous' : ''}`;
}

const logsOfAgent = (about: About) => `${logs({ ...about, endedBefore: false })} --agent`;

const commands: Commands = {
  NotSeen: doctor,
  NameOwned: ({ model: { status } }) =>
    status.nameOwner && `kubectl get mdl ${word(status.nameOwner.name)} -n ${word(status.nameOwner.namespace)}`,
  SpecInvalid: edit,
  Paused: (about) => `kubectl maas resume ${resourceOf(about)}`,
  Shadow: mode,
  Draining: mode,
  Drained: mode,
  Observed: mode,
  ScaledToZero: (about) => `kubectl scale mdl ${resourceOf(about)} --replicas 1`,

  HdfsPathMissing: (about) => `hdfs dfs -ls ${word(posix.dirname(pathOf(about)))}`,
  HdfsForbidden: (about) => `hdfs dfs -ls -d ${word(pathOf(about))}`,
  HdfsUnreachable: doctor,
  HdfsUnavailable: doctor,
  HdfsNameserviceUnknown: edit,
  PayloadNoScript: list,
  PayloadSeveralScripts: list,
  PayloadNotADirectory: (about) => `hdfs dfs -ls -d ${word(pathOf(about))}`,
  PayloadIncomplete: list,
  PayloadChanged: edit,
  ZookeeperUnreachable: doctor,

  // Only the operator knows the name.
  ServiceAccountMissing: ({ said }) => /: (kubectl create serviceaccount \S+ -n \S+)$/.exec(said ?? '')?.[1],
  Unschedulable: ({ advice }) =>
    commandIn(advice) ??
    'kubectl get nodes -o custom-columns=NODE:.metadata.name,CPU:.status.allocatable.cpu,MEMORY:.status.allocatable.memory',
  WaitingForQueueCapacity: (about) => `kubectl describe resourcequota ${inNamespace(about)}`,
  // Where a pull secret is missing, that is what is advised.
  ImagePullFailed: (about) => commandIn(about.advice) ?? edit(about),
  ImageNotForPlatform: edit,
  ImageUnusable: edit,
  RunsAsRoot: edit,
  NodeNotReady: ({ node }) => (node === undefined ? undefined : `kubectl describe node ${word(node)}`),
  PodsRefused: refusals,
  PolicyRefused: refusals,
  WebhookRefused: refusals,
  WebhookUnavailable: refusals,
  QuotaUnmet: edit,
  PriorityClassMissing: () => 'kubectl get priorityclasses',
  RuntimeClassMissing: () => 'kubectl get runtimeclasses',
  NamespaceTerminating: ({ model: { metadata } }) => `kubectl describe namespace ${word(metadata.namespace)}`,
  WarmUpFailed: logs,

  OutOfMemory: moreMemory,
  AgentFailed: logsOfAgent,
  CallsFailing: logsOfAgent,
  ScriptEnded: logs,
  Restarted: logs,
  EndpointMissing: logs,
  EndpointUnhealthy: logs,
  EndpointNotListening: logs,
  NotAnswering: logs,
  WaitingForEndpoint: logs,
  WaitingForListener: logs,
  ScriptNotRunnable: firstLine,
  ScriptInterpreterMissing: firstLine,
  EndpointNotJson: endpointFile,
  EndpointUrlInvalid: endpointFile,
  EndpointUnsafe: endpointFile,
  EndpointLoopbackOnly: endpointFile,
  EndpointNotReachable: endpointFile,
};

function commandFor(reason: string, about: About): string | undefined {
  return Object.hasOwn(commands, reason) ? commands[reason]?.(about) : undefined;
}

/** A start that goes well is watched; of anything else the pod tells more. */
function fallbackFor(reason: string, about: About): string | undefined {
  const { severity } = traitsOf(reason);
  if (severity === 'up' || severity === 'leaving') return undefined;
  if (severity === 'starting') return watch(about);
  return describePod(about) ?? `kubectl describe mdl ${resourceOf(about)}`;
}

/** Twice as much as it had. */
function moreMemory(about: About): string | undefined {
  const { name, version, memory } = about.model.spec;
  const bytes = parseQuantity(memory);
  if (bytes === undefined) return undefined;
  const twice = `${Math.ceil((2 * bytes) / 2 ** 20)}Mi`;
  const of = `--name ${word(name)} --version ${word(version)} ${inNamespace(about)}`;
  return `kubectl maas add ${of} --instances 0 --memory ${twice}`;
}

function firstLine(about: About): string | undefined {
  const { payload } = about.model.status;
  if (payload === undefined) return undefined;
  return `hdfs dfs -cat ${word(`${payload.path}/${payload.script}`)} | head -n 1 | od -c`;
}

function endpointFile(about: About): string | undefined {
  if (about.pod === undefined) return undefined;
  return `kubectl exec ${word(about.pod)} ${inNamespace(about)} -c model -- cat endpoint.dat`;
}

/** As one word of a shell. */
export function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
