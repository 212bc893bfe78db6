/** Which ConfigMap pins the wanted version's payload, and which ones nobody needs any more. */

import { pinnedVolume } from '../contracts/pod-contract.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { DeploymentView, Observation, Pin, PinView } from './observation.ts';

type Pinning = Pick<Observation, 'pins' | 'deployments'>;

/**
 * The pin of a version: the one that its Deployment's pods are given, else the first one that was made. Undefined where
 * there is none, or only damaged ones, or such as are on their way out.
 */
export function pinOf({ pins, deployments }: Pinning, versionKey: string): Pin | undefined {
  const deployment = deployments.find((each) => each.versionKey === versionKey && !each.deleting);
  const given = deployment === undefined ? undefined : pinIn(deployment.spec);
  const [pin] = pins
    .filter((each) => each.versionKey === versionKey && !each.deleting)
    .flatMap(({ name, uid, payload }) => (payload === undefined ? [] : [{ name, uid, payload }]))
    .sort((a, b) => Number(b.name === given) - Number(a.name === given) || compareTexts(a.uid, b.uid));
  return pin === undefined ? undefined : { name: pin.name, payload: pin.payload };
}

/** Name of the pin that the pods of a Deployment's spec are given. */
export function pinIn(spec: DeploymentView['spec']): string | undefined {
  const template = spec['template'] as
    | {
        readonly spec?: {
          readonly volumes?: readonly { readonly name?: string; readonly configMap?: { readonly name?: string } }[];
        };
      }
    | undefined;
  return template?.spec?.volumes?.find((volume) => volume.name === pinnedVolume)?.configMap?.name;
}

/**
 * Pins that may go: damaged ones, which stand in the way of a right one of the same name, and those that no Deployment
 * and no living pod is given any more. An agent may be restarted until its pod ends.
 */
export function uselessPins({ pins, pin: wanted, deployments, pods }: Observation): PinView[] {
  const given = new Set([
    ...deployments.map(({ spec }) => pinIn(spec)),
    ...pods.filter((pod) => pod.dead === undefined).map((pod) => pod.pin),
  ]);
  return pins.filter(
    (pin) => !pin.deleting && (pin.payload === undefined || !(pin.name === wanted?.name || given.has(pin.name))),
  );
}
