import { annotations } from '../contracts/names.ts';
import type { ModelDeploymentSpec } from '../contracts/resource.ts';
import type { DeploymentView } from './observation.ts';

/** What two versions are called where both are meant: where their texts are the same, their payloads tell them apart. */
export function namesOf(
  before: Pick<DeploymentView, 'version' | 'annotations'>,
  { version, payload }: Pick<ModelDeploymentSpec, 'version' | 'payload'>,
): { readonly from: string; readonly to: string } {
  if (before.version !== version) return { from: before.version, to: version };
  const path = before.annotations[annotations.payloadPath];
  if (path === undefined || path === payload.path) return { from: `${version} as it was before`, to: version };
  return { from: `${version} of ${path}`, to: `${version} of ${payload.path}` };
}
