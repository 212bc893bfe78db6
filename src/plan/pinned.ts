import type { PinnedPayload } from '../api/payload.ts';
import type { PinView } from './observation.ts';

/** The payload that a version is pinned to; undefined where its pin is missing, damaged, or on its way out. */
export function pinnedOf(pins: readonly PinView[], versionKey: string): PinnedPayload | undefined {
  return pins.find((pin) => pin.versionKey === versionKey && !pin.deleting)?.payload;
}
