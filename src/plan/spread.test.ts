import { describe, expect, it } from 'vitest';
import { spreadOverNodes, spreadOverZones } from './spread.ts';

const selector = { 'maas.dev/version-key': 'k' };
const labelSelector = { matchLabels: selector };
const zoneWish = {
  preferredDuringSchedulingIgnoredDuringExecution: [
    { weight: 100, podAffinityTerm: { topologyKey: 'topology.kubernetes.io/zone', labelSelector } },
  ],
};
const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } };
const constraint = { maxSkew: 2, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' };

describe('instances of a version', () => {
  it('spread over nodes by a constraint that also holds where nodes have no zones, and over zones by a wish', () => {
    expect(spreadOverNodes({}, selector)).toEqual([
      { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector },
    ]);
    expect(spreadOverZones(undefined, {}, selector)).toEqual({ podAntiAffinity: zoneWish });
    expect(spreadOverZones({ nodeAffinity }, {}, selector)).toEqual({ nodeAffinity, podAntiAffinity: zoneWish });
    expect(spreadOverZones({ podAntiAffinity: null }, {}, selector)).toEqual({ podAntiAffinity: zoneWish });
  });

  it('spread as the resource says, where it says it: the selector may be left out, and none means none', () => {
    const own = { ...constraint, labelSelector: { matchLabels: { app: 'x' } } };
    const asked = { topologySpreadConstraints: [constraint, own] };
    expect(spreadOverNodes(asked, selector)).toEqual([{ labelSelector, ...constraint }, own]);
    expect(spreadOverZones({ nodeAffinity }, asked, selector)).toEqual({ nodeAffinity });
    const none = { topologySpreadConstraints: [] };
    expect([spreadOverNodes(none, selector), spreadOverZones(undefined, none, selector)]).toEqual([[], undefined]);
  });

  it('keep away from each other as the resource says, where it says that', () => {
    const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [] };
    expect(spreadOverZones({ podAntiAffinity }, {}, selector)).toEqual({ podAntiAffinity });
  });
});
