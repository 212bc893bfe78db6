import { describe, expect, it } from 'vitest';
import { aPod } from '../../test/builders/model-deployment.ts';
import type { AgentStatus } from '../contracts/pod-contract.ts';
import { stateOf } from './instance-state.ts';
import type { ContainerView, RegisteredPod } from './observation.ts';

const registration: RegisteredPod = { version: '1.0', url: 'http://10.0.0.9:1500', functions: {}, since: 0 };
const waiting = (reason: string, message = ''): ContainerView => ({
  restarts: 0,
  state: { kind: 'waiting', reason, message },
});
const crashed = (exitCode: number, message: string, reason = 'Error'): ContainerView => ({
  restarts: 2,
  state: { kind: 'waiting', reason: 'CrashLoopBackOff', message: 'back-off' },
  lastTermination: { kind: 'terminated', exitCode, reason, message },
});
const agent = (changes: Partial<AgentStatus>): AgentStatus => ({
  instance: 'i',
  stage: 'Starting',
  since: '2026-03-01T12:00:00Z',
  zookeeper: 'connected',
  ...changes,
});
const problem = { code: 'ENDPOINT_NOT_LISTENING', message: 'nothing listens on port 1500', next: 'Listen.' };

describe('stateOf', () => {
  it.each<[string, Parameters<typeof stateOf>, string, RegExp]>([
    ['registered and ready', [aPod({ ready: true }), registration, undefined], 'Registered', /^$/],
    ['up in shadow', [aPod({ ready: true }), undefined, undefined, 'shadow'], 'Shadow', /^$/],
    [
      'up in shadow, but not ready yet',
      [aPod(), undefined, agent({ stage: 'Shadow' }), 'shadow'],
      'Starting',
      /not ready yet/,
    ],
    ['drained', [aPod({ ready: true }), undefined, undefined, 'drain'], 'Drained', /^$/],
    ['told to drain', [aPod({ ready: true }), registration, undefined, 'drain'], 'Unregistering', /still registered/],
    [
      'told to drain and unable to',
      [aPod({ ready: true }), registration, agent({ stage: 'Unregistering', problem }), 'drain'],
      'EndpointNotListening',
      /1500/,
    ],
    ['a deleted pod', [aPod({ deleting: true }), registration, undefined], 'Terminating', /^$/],
    [
      'no room',
      [aPod({ unschedulable: '0/1 nodes: Insufficient memory' }), undefined, undefined],
      'Unschedulable',
      /memory/,
    ],
    [
      'an image that cannot be pulled',
      [aPod({ model: waiting('ImagePullBackOff', 'no such tag') }), undefined, undefined],
      'ImagePullFailed',
      /no such tag/,
    ],
    [
      'a missing secret',
      [aPod({ model: waiting('CreateContainerConfigError', 'secret "x" not found') }), undefined, undefined],
      'SecretMissing',
      /secret "x"/,
    ],
    [
      'an agent that gave up',
      [
        aPod({
          agent: crashed(1, '{"level":"info"}\n{"code":"PAYLOAD_CHANGED","message":"run.sh differs","next":"N"}'),
        }),
        undefined,
        undefined,
      ],
      'PayloadChanged',
      /run\.sh differs/,
    ],
    [
      'an agent that died without a word',
      [aPod({ agent: crashed(134, 'abort') }), undefined, undefined],
      'AgentFailed',
      /134.*abort/,
    ],
    [
      'a script that ended',
      [aPod({ model: crashed(3, 'no module named x\nmaas: the script ended with status 3\n') }), undefined, undefined],
      'ScriptEnded',
      /status 3; its last lines: no module named x$/,
    ],
    [
      'what the shell of an earlier release says of an interpreter',
      [
        aPod({ model: crashed(127, 'maas: 15: ./run.sh: not found\nmaas: the script ended with status 127\n') }),
        undefined,
        undefined,
      ],
      'ScriptEnded',
      /status 127 \(.*not found\); its last lines: \.\/run\.sh: not found$/,
    ],
    [
      'a script that cannot run as it is stored',
      [
        aPod({
          model: crashed(
            127,
            'maas: 15: ./run.sh: not found\nmaas: SCRIPT_NOT_RUNNABLE: it asks for "/bin/bash\\r"; next: Save it.\nmaas: the script ended with status 127\n',
          ),
        }),
        undefined,
        undefined,
      ],
      'ScriptNotRunnable',
      /^it asks for "\/bin\/bash\\r"; the script ended with status 127 .*; its last lines: \.\/run\.sh: not found$/,
    ],
    [
      'an interpreter that the image does not have',
      [
        aPod({
          model: crashed(
            127,
            'maas: SCRIPT_INTERPRETER_MISSING: /usr/bin/python2 is not in the image\nmaas: the script ended with status 127\n',
          ),
        }),
        undefined,
        undefined,
      ],
      'ScriptInterpreterMissing',
      /^\/usr\/bin\/python2 is not in the image/,
    ],
    [
      'a script that ended well, which it must not',
      [aPod({ model: crashed(1, 'done\nmaas: the script ended with status 0\n') }), undefined, undefined],
      'ScriptEnded',
      /status 0; its last lines: done$/,
    ],
    [
      'a script that is run again after a crash',
      [
        aPod({
          model: {
            restarts: 1,
            state: { kind: 'running' },
            lastTermination: { kind: 'terminated', exitCode: 2, reason: 'Error', message: '' },
          },
        }),
        undefined,
        agent({ stage: 'WaitingForEndpoint' }),
      ],
      'ScriptEnded',
      /status 2; it runs again/,
    ],
    ['out of memory', [aPod({ model: crashed(137, '', 'OOMKilled') }), undefined, undefined], 'OutOfMemory', /memory/],
    [
      'restarted because of its start-up timeout',
      [
        aPod({ model: crashed(143, 'x\nmaas: restarting: ENDPOINT_MISSING: no endpoint.dat within 10m\n') }),
        undefined,
        undefined,
      ],
      'EndpointMissing',
      /no endpoint.dat within 10m/,
    ],
    [
      'a problem that the agent tells',
      [aPod(), undefined, agent({ stage: 'WaitingForListener', problem })],
      'EndpointNotListening',
      /port 1500/,
    ],
    [
      'registered before, not answering now',
      [aPod(), undefined, agent({ stage: 'NotAnswering', problem })],
      'EndpointNotListening',
      /port 1500/,
    ],
    [
      'a payload on its way',
      [
        aPod(),
        undefined,
        agent({
          stage: 'FetchingPayload',
          payload: { bytesDone: 1_048_576, bytesTotal: 3_221_225_472, filesDone: 1, filesTotal: 2 },
        }),
      ],
      'FetchingPayload',
      /^1 MiB of 3 GiB$/,
    ],
    ['an agent that was not reached', [aPod(), undefined, undefined], 'Starting', /^$/],
    ['ready, but gone from ZooKeeper', [aPod({ ready: true }), undefined, undefined], 'Unregistered', /not registered/],
  ])('%s', (_name, parameters, state, message) => {
    const found = stateOf(...parameters);
    expect(found.state).toBe(state);
    expect(found.message ?? '').toMatch(message);
  });

  it('keeps only the end of a long output', () => {
    const found = stateOf(aPod({ model: crashed(1, `${'x'.repeat(5_000)}END`) }), undefined, undefined);
    expect(found.message?.length).toBeLessThan(700);
    expect(found.message).toMatch(/END$/);
  });
});
