import { describe, expect, it } from 'vitest';
import { customResourceDefinition } from './crd.ts';
import { resourceEntry } from './resource-entry.ts';
import { modelDeploymentStatus } from './resource-status.ts';

describe('resourceEntry', () => {
  const spec = { name: 'dga', version: '1.0', memory: '512Mi', payload: { path: '/models/dga' } };

  it('does not take for a memory what the API server says before any operator does', () => {
    const crd = customResourceDefinition() as {
      spec: { versions: { schema: { openAPIV3Schema: { properties: { status: { default: unknown } } } } }[] };
    };
    const status = crd.spec.versions[0]?.schema.openAPIV3Schema.properties.status.default;
    expect(status).toMatchObject({ conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NotSeen' }] });
    expect(modelDeploymentStatus.safeParse(status).success).toBe(true);
    expect(resourceEntry({ metadata: { name: 'dga' }, spec, status }).resource.status).toEqual({});
  });
});
