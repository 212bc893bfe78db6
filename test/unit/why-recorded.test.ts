/**
 * What `kubectl maas why` says of what a small cluster cannot be made to do, and of the moments of a start that goes
 * well: the words of Kubernetes and of agents go through the real planner, and its status through the real story. As
 * in the end-to-end tests, MAAS_WRITE_GOLDENS writes the texts, to be read by whoever changed something.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { readModel } from '../../src/cli/cluster/model.ts';
import { podFacts } from '../../src/cli/why/pod-facts.ts';
import { printStory } from '../../src/cli/why/print-story.ts';
import { storyOf } from '../../src/cli/why/story.ts';
import type { AgentStatus } from '../../src/contracts/pod-contract.ts';
import type { ContainerView, Observation, PodView } from '../../src/plan/observation.ts';
import { plan } from '../../src/plan/plan.ts';
import { podObject } from '../builders/fake-instances.ts';
import { anObservation, aPod, aResource, deployed, someSettings, start } from '../builders/model-deployment.ts';

const golden = join(projectRoot, 'test/goldens/why-recorded.txt');

const resource = aResource({ spec: { instances: 1 } });
const { pin, deployment, revision } = deployed(resource);
const seen: Partial<Observation> = {
  resource,
  pins: [pin],
  deployments: [deployment],
  payload: { state: 'pinned', looked: true },
};
const refused = (replicaFailure: string): Partial<Observation> => ({
  ...seen,
  deployments: [{ ...deployment, replicaFailure }],
});
const pod = (changes: Partial<PodView>) => aPod({ versionKey: deployment.versionKey, revision, ...changes });
const ofPod = (changes: Partial<PodView>): Partial<Observation> => ({ ...seen, pods: [pod(changes)] });
const waiting = (reason: string, message = ''): ContainerView => ({
  restarts: 0,
  state: { kind: 'waiting', reason, message },
});
const creating = { agent: waiting('PodInitializing'), model: waiting('PodInitializing') };
const warned = (reason: string, message: string): Partial<Observation> =>
  ofPod({ ...creating, warnings: [{ podUid: pod({}).uid, reason, message, lastSeen: start }] });
const agentAt = (stage: AgentStatus['stage'], more: Partial<AgentStatus> = {}): Partial<Observation> => {
  const { uid, name } = pod({});
  const status = { instance: `${name}-${uid}`, stage, since: '2026-03-01T12:00:00Z', zookeeper: 'connected' as const };
  return { ...ofPod({}), agents: new Map([[uid, { ...status, ...more }]]) };
};

const cases: readonly (readonly [string, Partial<Observation>])[] = [
  ['ResolvingPayload', { resource }],
  ['CopyingPayload', { resource, payload: { state: 'copying', bytesDone: 1_048_576, bytesTotal: 4_194_304 } }],
  ['Starting', ofPod(creating)],
  [
    'FetchingPayload',
    agentAt('FetchingPayload', {
      payload: { bytesDone: 1_048_576, bytesTotal: 4_194_304, filesDone: 1, filesTotal: 4 },
    }),
  ],
  ['WaitingForListener', agentAt('WaitingForListener')],
  ['WarmingUp', agentAt('WarmingUp')],
  ['Registering', agentAt('Registering')],
  [
    'EndpointNotReachable',
    agentAt('WaitingForListener', {
      problem: {
        code: 'ENDPOINT_NOT_REACHABLE',
        message: 'Port 18081 listens on 192.168.7.1, but clients are told 10.0.0.9',
        next: 'Let the service bind to 0.0.0.0.',
      },
    }),
  ],
  [
    'RunsAsRoot',
    ofPod({ model: waiting('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root') }),
  ],
  [
    'ImageNotForPlatform',
    ofPod({
      model: waiting('ErrImagePull', 'failed to pull image "x:1": no match for platform in manifest: not found'),
    }),
  ],
  [
    'PodSandboxFailed',
    warned(
      'FailedCreatePodSandBox',
      'Failed to create pod sandbox: rpc error: no runtime for "nohandler" is configured',
    ),
  ],
  ['DeviceNotReady', warned('FailedPrepareDynamicResources', 'failed to prepare dynamic resources: no such driver')],
  ['NodeNotReady', warned('NodeNotReady', 'Node is not ready')],
  ['WebhookRefused', refused('admission webhook "policy.example" denied the request: images must be signed')],
  [
    'NamespaceTerminating',
    refused('pods "x-" is forbidden: unable to create new content in namespace fraud because it is being terminated'),
  ],
  ['PodsRefused', refused('pods "x-" is forbidden: the moon\nis full')],
];

function told(observed: Partial<Observation>): string {
  const observation = anObservation(observed);
  const { status } = plan(observation, someSettings);
  const { metadata, spec } = resource;
  const model = readModel({ metadata, spec, status });
  const pods = observation.pods.flatMap(({ name }) => podFacts(podObject(name, metadata.uid)) ?? []);
  const unasked = { agent: undefined, events: undefined, scriptLog: undefined, agentLog: undefined };
  const instances = { known: true as const, value: pods.map((facts) => ({ pod: facts, ...unasked })) };
  const now = start + 30_000;
  const story = storyOf({ now, model, instances, hdfsUser: 'maas', unattended: undefined });
  return printStory(story, undefined, { colour: false, now }).split('\n\n')[0]?.trimEnd() ?? '';
}

describe('why', () => {
  const texts = cases.map(([name, observed]) => [name, told(observed)] as const);

  it.each(texts)('of %s gives that reason', (name, text) => {
    expect(text).toContain(`why        ${name} `);
  });

  it('says word for word what is recorded', () => {
    const all = `${texts.map(([, text]) => text).join('\n\n')}\n`;
    if (process.env['MAAS_WRITE_GOLDENS'] !== undefined) writeFileSync(golden, all);
    expect(all).toBe(readFileSync(golden, 'utf8'));
  });
});
