/** A ModelDeployment as the rules of ADD and REMOVE see it. */
import type { DeployedModel } from '../../src/deploy-rules/deployed-model.ts';

export function deployedModel(changes: Partial<DeployedModel> = {}, name = 'dga-1.0', uid = 'u1'): DeployedModel {
  return {
    state: { namespace: 'fraud', name, uid, resourceVersion: '5' },
    createdAt: '2026-01-01T00:00:00Z',
    deleting: false,
    stalled: false,
    model: 'dga',
    version: '1.0',
    instances: 3,
    memory: '512Mi',
    path: '/m/dga',
    readFrom: 'Store',
    ...changes,
  };
}
