import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Entry, Shelf, spaceOf, type Wanted } from './shelf.ts';

const leaseMs = 100;
const file = (name: string, bytes = 4_096): Wanted => ({ sha256: name, bytes });
const shelfFor = (files: number) => new Shelf({ room: files * spaceOf(4_096), leaseMs });

/** Has the file brought, and says what had to go for it. */
function bring(shelf: Shelf, name: string, now = 0): string[] {
  const step = shelf.ask(file(name), now, `lease of ${name}`);
  if (step.do !== 'bring') throw new Error(step.do);
  const entry = shelf.begin(file(name), step.entry.lease);
  if (entry === undefined) throw new Error('not begun');
  shelf.whole(entry);
  return step.evicted.map(({ sha256 }) => sha256);
}

function reading(shelf: Shelf, name: string, now = 0): Entry {
  const step = shelf.ask(file(name), now, 'unused');
  if (step.do !== 'read') throw new Error(step.do);
  return step.entry;
}

describe('who asks for a file', () => {
  it('is to bring it where nobody else is about to, and waits where somebody is', () => {
    const shelf = shelfFor(2);
    expect(shelf.ask(file('a'), 0, 'first')).toMatchObject({ do: 'bring', entry: { lease: 'first' } });
    expect(shelf.ask(file('a'), 40, 'second')).toEqual({ do: 'wait', ms: 60 });
  });

  it('has the lease of somebody who did not begin in time', () => {
    const shelf = shelfFor(2);
    shelf.ask(file('a'), 0, 'first');
    expect(shelf.ask(file('a'), leaseMs, 'second')).toMatchObject({ do: 'bring', entry: { lease: 'second' } });
    expect(shelf.begin(file('a'), 'first')).toBeUndefined();
    expect(shelf.begin(file('a'), 'second')).toBeDefined();
  });

  it('follows one that arrives, and is to bring one that was given up', () => {
    const shelf = shelfFor(2);
    shelf.ask(file('a'), 0, 'first');
    const entry = shelf.begin(file('a'), 'first');
    expect(reading(shelf, 'a')).toBe(entry);
    if (entry !== undefined) shelf.remove(entry);
    expect(shelf.ask(file('a'), 1, 'second')).toMatchObject({ do: 'bring' });
  });

  it('of another length is sent away: a digest has one', () => {
    const shelf = shelfFor(2);
    bring(shelf, 'a');
    expect(shelf.ask(file('a', 5), 0, 'x')).toEqual({ do: 'without', why: 'another length' });
  });
});

describe('room', () => {
  it('is made by what was asked for the longest ago', () => {
    const shelf = shelfFor(3);
    for (const name of ['a', 'b', 'c']) bring(shelf, name);
    shelf.leave(reading(shelf, 'a'));
    expect(bring(shelf, 'd')).toEqual(['b']);
    expect(bring(shelf, 'e')).toEqual(['c']);
  });

  it('is not made by what is read, or arriving, or promised', () => {
    const shelf = shelfFor(3);
    bring(shelf, 'read');
    const entry = reading(shelf, 'read');
    shelf.ask(file('promised'), 0, 'p');
    shelf.ask(file('arriving'), 0, 'q');
    shelf.begin(file('arriving'), 'q');
    expect(shelf.ask(file('more'), 1, 'r')).toEqual({ do: 'without', why: 'no room' });
    shelf.leave(entry);
    expect(bring(shelf, 'more', 1)).toEqual(['read']);
    // Nobody began in time, and nothing of it is on the disk.
    expect(bring(shelf, 'other', leaseMs)).toEqual([]);
  });

  it('is what is there, for a while, where the disk took no more', () => {
    const shelf = shelfFor(3);
    bring(shelf, 'a');
    bring(shelf, 'b');
    shelf.narrow(0);
    expect(bring(shelf, 'c')).toEqual(['a']);
    expect(shelf.ask(file('huge', 50_000), 0, 'h')).toEqual({ do: 'without', why: 'no room' });
    expect(bring(shelf, 'd', 10 * 60_000)).toEqual([]);
  });

  it('of a file that was removed while somebody read it is free when that is over', () => {
    const shelf = shelfFor(1);
    bring(shelf, 'a');
    const entry = reading(shelf, 'a');
    shelf.remove(entry);
    expect(shelf.ask(file('b'), 0, 'b')).toMatchObject({ do: 'without' });
    shelf.leave(entry);
    expect(bring(shelf, 'b')).toEqual([]);
    expect(shelf.taken).toBe(spaceOf(4_096));
  });

  it('is kept by the files of an earlier process that were used last', () => {
    const shelf = shelfFor(2);
    const gone = ['oldest', 'older', 'newest'].flatMap((name) => shelf.found(file(name), 0));
    expect(gone.map(({ sha256 }) => sha256)).toEqual(['oldest']);
    expect(shelf.found(file('huge', 1e9), 0)).toEqual([file('huge', 1e9)]);
    expect(reading(shelf, 'newest').checkedAt).toBeUndefined();
  });
});

interface Person {
  entry: Entry | undefined;
  lease: { readonly file: Wanted; readonly lease: string } | undefined;
}

/** Makes people do things, at random, and compares what the shelf says with what is so. */
class World {
  readonly room = 2 * spaceOf(9_000);
  readonly shelf = new Shelf({ room: this.room, leaseMs });
  readonly people: Person[] = Array.from({ length: 6 }, () => ({ entry: undefined, lease: undefined }));
  now = 0;
  leases = 0;
  onDisk = new Set<string>();

  ask(person: Person, wanted: Wanted): void {
    if (person.entry !== undefined || person.lease !== undefined) return;
    const step = this.shelf.ask(wanted, this.now, String(this.leases++));
    if (step.do === 'read') person.entry = step.entry;
    if (step.do === 'wait') expect(step.ms).toBeLessThanOrEqual(leaseMs);
    if (step.do !== 'bring') return;
    for (const evicted of step.evicted) {
      // Whoever still reads one of that name that was given up before reads another file.
      expect(this.people.filter(({ entry }) => entry === evicted)).toEqual([]);
      expect(this.onDisk.delete(evicted.sha256)).toBe(true);
    }
    person.lease = { file: wanted, lease: step.entry.lease };
  }

  begin(person: Person): void {
    if (person.lease === undefined || person.entry !== undefined) return;
    const entry = this.shelf.begin(person.lease.file, person.lease.lease);
    if (entry === undefined) person.lease = undefined;
    else {
      const bringers = this.people.filter((other) => other.lease !== undefined && other.entry?.sha256 === entry.sha256);
      expect(bringers).toEqual([]);
      person.entry = entry;
    }
  }

  finish(person: Person, right: boolean): void {
    const { entry, lease } = person;
    if (entry === undefined || lease === undefined) {
      this.leave(person);
      return;
    }
    if (right) {
      this.shelf.whole(entry);
      this.onDisk.add(entry.sha256);
    } else this.shelf.remove(entry);
    person.entry = person.lease = undefined;
  }

  leave(person: Person): void {
    if (person.entry !== undefined && person.lease === undefined) this.shelf.leave(person.entry);
    if (person.lease === undefined) person.entry = undefined;
  }

  damage(person: Person): void {
    const { entry } = person;
    if (entry?.state !== 'whole') return;
    this.onDisk.delete(entry.sha256);
    this.shelf.remove(entry);
  }
}

it('whatever many do at once, and whoever of them dies: the room is kept, one brings a file, and nobody waits for ever', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const size = fc.constantFrom(1, 4_096, 9_000);
  const deed = fc.record({
    who: fc.nat(5),
    what: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('ask', 'begin') },
      { weight: 1, arbitrary: fc.constantFrom('finish', 'fail', 'die', 'damage', 'wait') },
    ),
    name,
    size,
    ms: fc.nat(leaseMs),
  });
  fc.assert(
    fc.property(fc.array(deed, { minLength: 20, maxLength: 200 }), (deeds) => {
      const world = new World();
      const sizes = new Map<string, number>();
      for (const { who, what, name: sha256, size: bytes, ms } of deeds) {
        const person = world.people[who] ?? { entry: undefined, lease: undefined };
        if (!sizes.has(sha256)) sizes.set(sha256, bytes);
        if (what === 'ask') world.ask(person, file(sha256, sizes.get(sha256)));
        if (what === 'begin') world.begin(person);
        if (what === 'finish') world.finish(person, true);
        if (what === 'fail') world.finish(person, false);
        if (what === 'damage') world.damage(person);
        if (what === 'wait') world.now += ms;
        // Whoever dies before it began leaves a lease that nobody will use.
        if (what === 'die') {
          world.finish(person, false);
          person.lease = undefined;
        }
        expect(world.shelf.taken).toBeLessThanOrEqual(world.room);
      }
      for (const person of world.people) world.finish(person, false);
      for (const person of world.people) world.leave(person);
      world.now += leaseMs;
      for (const person of world.people) Object.assign(person, { entry: undefined, lease: undefined });
      // All are gone: whatever somebody asks for now, there is room, and nobody to wait for.
      for (const [sha256, bytes] of sizes) {
        const step = world.shelf.ask(file(sha256, bytes), world.now, 'last');
        expect(step.do).toBe(world.onDisk.has(sha256) ? 'read' : 'bring');
        if (step.do === 'read') world.shelf.leave(step.entry);
        if (step.do === 'bring') {
          for (const { sha256: evicted } of step.evicted) world.onDisk.delete(evicted);
          world.shelf.remove(step.entry);
        }
      }
      expect([...world.onDisk]).toHaveLength(world.shelf.files);
    }),
    { numRuns: 500 },
  );
});
