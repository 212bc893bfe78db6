import { describe, expect, it } from 'vitest';
import { aPin, aResource, someSettings } from '../../test/builders/model-deployment.ts';
import { modelDeploymentSpec } from '../contracts/resource.ts';
import { deploymentManifest, inputsOf } from './children.ts';
import { shieldInstructionsOf } from './shield-instructions.ts';

const defaults = { timeLimitMs: 10_000, maxInFlight: 32, maxQueued: 128, queueTimeMs: 1_000, onError: 'NoContent' };

describe('a shield', () => {
  it.each([
    [{}, {}],
    [
      { timeLimit: '1.5s', maxInFlight: 1, maxQueued: 0, queueTime: '0s', onError: 'Close' },
      { timeLimitMs: 1_500, maxInFlight: 1, maxQueued: 0, queueTimeMs: 0, onError: 'Close' },
    ],
    [{ cache: {} }, { cache: { bytes: 8_388_608, timeToLiveMs: 60_000 } }],
    [{ cache: { size: '1Mi', timeToLive: '30s' } }, { cache: { bytes: 1_048_576, timeToLiveMs: 30_000 } }],
    [{ mirror: { version: '2.0', percent: 5 } }, { mirror: { version: '2.0', percent: 5 } }],
    // Let through by an API server that knew another CRD.
    [
      { timeLimit: '3h', cache: { size: '1Gi', timeToLive: '0s' } },
      { timeLimitMs: 600_000, cache: { bytes: 16_777_216, timeToLiveMs: 1 } },
    ],
  ] as const)('of %j is told as %j', (shield, told) => {
    const parsed = modelDeploymentSpec.shape.shield.parse(shield);
    expect(parsed && shieldInstructionsOf(parsed)).toEqual({ ...defaults, ...told });
  });

  it('that is left out is in none of the pods, and restarts none', () => {
    const plain = aResource();
    expect(JSON.stringify(deploymentManifest(plain, aPin, someSettings))).not.toContain('shield');
    const { shield: _none, ...spec } = { ...plain.spec, shield: undefined };
    expect(inputsOf({ ...plain, spec }, aPin.payload)).toBe(inputsOf(plain, aPin.payload));
    expect(inputsOf(aResource({ spec: { shield: {} } }), aPin.payload)).not.toBe(inputsOf(plain, aPin.payload));
  });

  it('has a port of the agent, unless the pod is on the network of its node', () => {
    const applied = (advertise: string) =>
      JSON.stringify(deploymentManifest(aResource({ spec: { shield: {}, advertise } }), aPin, someSettings));
    expect(applied('PodIP')).toContain('"containerPort":8098');
    expect(applied('Node')).not.toContain('"containerPort":8098');
  });
});
