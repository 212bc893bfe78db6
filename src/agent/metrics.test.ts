import { expect, it } from 'vitest';
import { initialState, usualLimits } from './lifecycle/state.ts';
import { metricsText } from './metrics.ts';

it('is text that Prometheus reads', () => {
  const state = initialState(
    { ...usualLimits, startup: 1, unregister: 1 },
    { gateOpen: false, stopping: false, revoked: false },
    0,
  );
  const text = metricsText(
    { ...state, registrations: 3, progress: { bytesDone: 5, bytesTotal: 9, filesDone: 0, filesTotal: 1 } },
    { timeToRegister: 1_500 },
  );
  const values = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of values) expect(line).toMatch(/^[a-z_]+(\{stage="[A-Za-z]+"\})? [0-9.]+$/);
  expect(values).toContain('maas_agent_stage{stage="Starting"} 1');
  expect(values).toContain('maas_agent_stage{stage="Registered"} 0');
  expect(values).toContain('maas_agent_payload_bytes 5');
  expect(values).toContain('maas_agent_reregistrations_total 2');
  expect(values).toContain('maas_agent_time_to_register_seconds 1.5');
  expect(metricsText(state, { timeToRegister: undefined })).not.toContain('time_to_register');
});
