import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podObject, runningSince, time } from '../../../test/builders/fake-instances.ts';
import { agentStages } from '../../contracts/pod-contract.ts';
import type { InstanceFacts, SaidStatus } from './facts.ts';
import { podFacts } from './pod-facts.ts';
import { stepNames, stepsOf } from './steps.ts';

const pod = podFacts(
  podObject('a', 'u', {
    status: {
      initContainerStatuses: [runningSince('agent', 1)],
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: time(0) }],
    },
  }),
);

function instance(stages: readonly (readonly [string, number])[], rest: Partial<SaidStatus> = {}): InstanceFacts {
  if (pod === undefined) throw new Error('no pod');
  const reached = stages.map(([stage, at]) => ({ stage, at: time(at) }));
  const said: SaidStatus = {
    instance: 'a',
    stage: stages.at(-1)?.[0] ?? 'Starting',
    since: time(0),
    zookeeper: 'connected',
    reached,
    verifiedDigest: 'sha256:aa',
    scriptStarted: time(3),
    ...rest,
  };
  return { pod, agent: { known: true, value: said }, events: undefined, scriptLog: undefined, agentLog: undefined };
}

const begin = [
  ['Starting', 1],
  ['FetchingPayload', 2],
  ['WaitingForEndpoint', 3],
] as const;
const names = (facts: InstanceFacts) => stepsOf(facts).map(({ step, tookMs }) => [step, tookMs]);

describe('the steps of an instance', () => {
  it('are those of a start, with warm-up and the wait for the others where there were such', () => {
    const up = [
      ...begin,
      ['WaitingForListener', 4],
      ['WarmingUp', 6],
      ['Held', 9],
      ['Registering', 14],
      ['Registered', 15],
    ] as const;
    expect(names(instance(up, { url: 'http://x:1' }))).toEqual([
      ['made', undefined],
      ['scheduled', 0],
      ['agent', 1_000],
      ['payload', 2_000],
      ['script', 0],
      ['endpoint', 1_000],
      ['listening', 2_000],
      ['warm-up', 3_000],
      ['released', 5_000],
      ['registered', 1_000],
    ]);
  });

  it('of a stage that was passed over are done with the next one', () => {
    expect(names(instance([...begin, ['Registering', 5], ['Registered', 5]])).slice(-3)).toEqual([
      ['endpoint', 2_000],
      ['listening', 0],
      ['registered', 0],
    ]);
  });

  it('are not yet those that it is at: held, warming up', () => {
    expect(names(instance([...begin, ['WarmingUp', 5]])).at(-1)).toEqual(['listening', 0]);
    expect(names(instance([...begin, ['Held', 5]])).at(-1)).toEqual(['listening', 0]);
  });

  it('are those of the present start where the script was started again', () => {
    const again = [
      ...begin,
      ['Registering', 4],
      ['Registered', 5],
      ['NotAnswering', 20],
      ['WaitingForEndpoint', 30],
    ] as const;
    expect(names(instance(again, { scriptStarted: time(29) })).map(([step]) => step)).toEqual([
      'made',
      'scheduled',
      'agent',
      'payload',
      'script',
    ]);
  });

  it('come in order and go forward in time, whatever an agent of another release says', () => {
    const stage = fc.oneof(fc.constantFrom(...agentStages), fc.string());
    fc.assert(
      fc.property(fc.array(fc.tuple(stage, fc.integer({ min: -10, max: 100 })), { maxLength: 20 }), (stages) => {
        const steps = stepsOf(instance(stages));
        const times = steps.map(({ at }) => at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        const places = steps.map(({ step }) => stepNames.indexOf(step));
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        expect(steps.every(({ tookMs }) => tookMs === undefined || tookMs >= 0)).toBe(true);
      }),
    );
  });
});
