/**
 * Holds: which versions of a resource's instances are to stay unregistered although they answer. A version that takes
 * another's place is held until as many of its instances answer as are asked for, and then released at once; the version
 * before is held when it is to go, so that its instances leave together, too.
 *
 * The leader publishes them in a znode for each resource, outside of what clients see, and the agents watch it. What an
 * agent does where nothing was published says its own pod. See docs/adr/0043.
 */
import { z } from 'zod';
import { readJson } from '../kernel/schema-json.ts';

const holdJson = z.object({ held: z.boolean(), since: z.int() });
/** `since`: when it was last decided, milliseconds since the epoch. */
export type Hold = z.infer<typeof holdJson>;

const holdsJson = z.object({
  namespace: z.string(),
  name: z.string(),
  versions: z.record(z.string(), holdJson),
});

/** What is published for one resource. */
export interface Holds {
  /** The resource: whoever takes away what nobody needs any more asks whether it is there. */
  readonly namespace: string;
  readonly name: string;
  /** By the versions' keys. */
  readonly versions: Readonly<Record<string, Hold>>;
}

/** What an agent is told with its pod. */
export const holdInstruction = z.object({
  /** UID of the resource. */
  resource: z.string(),
  /** Key of the version. */
  version: z.string(),
  /** What holds where nothing is published. */
  untilReleased: z.boolean(),
});
export type HoldInstruction = z.infer<typeof holdInstruction>;

/** Where they are published, for one cluster: a node for each resource, by its UID. */
export function holdsPath(operatorRoot: string, clusterId: string): string {
  return `${operatorRoot === '/' ? '' : operatorRoot}/${clusterId}/holds`;
}

/** The same holds always give the same bytes. */
export function encodeHolds({ namespace, name, versions }: Holds): Uint8Array {
  const sorted = Object.fromEntries(Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1)));
  return new TextEncoder().encode(JSON.stringify({ namespace, name, versions: sorted }));
}

/** Undefined for what no operator of this kind wrote. */
export function decodeHolds(data: Uint8Array): Holds | undefined {
  return readJson(new TextDecoder().decode(data), holdsJson).value;
}
