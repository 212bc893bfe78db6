/** What an agent finds of those that ran before it in the same pod. */
import type { ControlVolume } from './control-volume.ts';
import type { Remains } from './lifecycle/state.ts';
import type { SessionStore } from './session-store.ts';

/**
 * A gate that was opened for other bytes, or before the node went down, is shut again, and then nothing was ready.
 *
 * @throws Error where something is there that cannot be read just now: what it says must not be taken for nothing
 */
export async function findRemains(control: ControlVolume, store: SessionStore, digest: string): Promise<Remains> {
  const gateOpen = (await store.verifiedDigest()) === digest && (await control.isOpen());
  if (!gateOpen) await control.shutGate();
  const readyMark = await control.readyMark();
  const registered = await store.registered();
  return {
    gateOpen,
    ...(readyMark === undefined ? {} : { readyMark }),
    ...(registered === undefined ? {} : { registered }),
    stopping: await control.isStopping(),
    revoked: await store.isRevoked(),
  };
}
