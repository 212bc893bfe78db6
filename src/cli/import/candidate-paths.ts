/** Where the payload of a model may be, when neither a registration nor a request says it. Pure. */
import { defaultPayloadPath } from '../../deploy-rules/payload-place.ts';

/**
 * In the order in which they are tried: what the user says, then where `kubectl maas add` puts payloads.
 * @param template `{name}` and `{version}` in it stand for the model's
 */
export function candidatePaths(
  { model, version }: { readonly model: string; readonly version: string },
  template: string | undefined,
  payloadRoot: string | undefined,
): readonly string[] {
  return [
    ...(template === undefined
      ? []
      : [template.replaceAll(/\{(name|version)\}/g, (_, part) => (part === 'name' ? model : version))]),
    ...(payloadRoot === undefined ? [] : [defaultPayloadPath(payloadRoot, model, version)]),
  ];
}
