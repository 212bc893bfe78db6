/** Registrations for tests, whole and spoilt. */
import type { Registration } from '../../src/wire/service-instance.ts';
import { encodeRegistration } from '../../src/wire/service-instance.ts';

/** A registration of dga 1.0. */
export function aRegistration(changes: Partial<Registration> = {}): Registration {
  return {
    model: 'dga',
    version: '1.0',
    id: 'dga-1',
    url: 'http://127.0.0.1:1',
    functions: { apply: 'apply' },
    registeredAt: 1_796_083_200_123,
    ...changes,
  };
}

/** The data of a registration as plain values, for tests that change what the types forbid. */
export interface RegistrationData extends Record<string, unknown> {
  payload: Record<string, unknown> & { endpoint: Record<string, unknown> };
}

/** The text of a registration after a change of its data. */
export function changed(registration: Registration, change: (data: RegistrationData) => unknown): string {
  const data: RegistrationData = JSON.parse(new TextDecoder().decode(encodeRegistration(registration)));
  change(data);
  return JSON.stringify(data);
}
