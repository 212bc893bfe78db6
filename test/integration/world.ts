/** The real parts that the tests run against: what `make up` has brought up. */
import { readWorld, type World, type WorldZooKeeper } from '../../deploy/local/world.ts';

/** What runs now. */
export function world(): World {
  return readWorld();
}

/** The local ZooKeeper. Throws where there is none: a test against real parts never passes without them. */
export function zookeeper(): WorldZooKeeper {
  return present('zookeeper');
}

/** A part of the world that a test cannot do without. */
export function present<Part extends keyof World>(part: Part): NonNullable<World[Part]> {
  const found = readWorld()[part];
  if (found === undefined) throw new Error(`No ${part} runs here; bring up the local world with \`make up\`.`);
  return found;
}
