/**
 * What was asked of a model, one after the other, and what came of each: what `kubectl maas history` shows and
 * `kubectl maas undo` goes back to.
 *
 * 1. A spec that differs in what runs is a new revision, also one that goes back. Other numbers of instances are none, nor
 *    is how versions are to follow one another: the revision then says what was said of that last.
 * 2. A revision serves once all its instances do. Then the one that served before has served.
 * 3. One that gives way before it has served has failed where it was stalled, and else was replaced.
 * 4. A few revisions are kept, and always the latest that has served.
 */
import { registers } from '../contracts/modes.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { maxHistory, type Revision } from '../contracts/resource-status.ts';
import { decidedSpec, runsOf } from './children.ts';
import type { Verdict } from './conditions.ts';
import type { Facts } from './readiness.ts';

/** Characters of JSON that all kept specs may take; older ones are listed without theirs. */
const longestSpecs = 32_768;

/** Newest first. @param payload that is pinned for the present spec */
export function historyOf(
  { observation, versions, rollout, claim }: Facts,
  ready: Verdict,
  stalled: Verdict,
  payload: PinnedPayload | undefined,
): readonly Revision[] {
  const { resource, invalid, mode, now } = observation;
  const before = resource.status.history ?? [];
  if (invalid !== undefined || !claim.owned || mode.mode === 'observe' || resource.spec.paused === true) return before;
  const at = new Date(now).toISOString();
  const [present, ...earlier] = withPresent(facts(resource), before, at, resource.metadata.changedBy);
  if (present === undefined) return before;
  const seen: Revision = { ...present, ...(payload === undefined ? {} : { digest: payload.digest }) };
  const serves = rollout.done && ready.status === 'True' && registers(mode.agents) && versions.registered > 0;
  if (serves) {
    const now: Revision =
      seen.result === 'Serving' ? seen : { ...withoutReason(seen), result: 'Serving', servedAt: at };
    return kept([now, ...earlier.map((revision) => hasServed(revision, at))]);
  }
  return kept([undecided(seen, stalled), ...earlier]);
}

function facts({ spec }: Facts['observation']['resource']): Pick<Revision, 'id' | 'version' | 'path' | 'spec'> {
  return { id: runsOf(spec), version: spec.version, path: spec.payload.path, spec: decidedSpec(spec) };
}

function withPresent(
  present: Pick<Revision, 'id' | 'version' | 'path' | 'spec'>,
  before: readonly Revision[],
  at: string,
  by: string | undefined,
): readonly Revision[] {
  const [newest, ...earlier] = before;
  if (newest?.id === present.id) return [{ ...newest, ...present }, ...earlier];
  const next: Revision = {
    revision: (newest?.revision ?? 0) + 1,
    ...present,
    ...(by === undefined ? {} : { by }),
    startedAt: at,
    result: 'RollingOut',
  };
  return newest === undefined ? [next] : [next, givenUp(newest, at), ...earlier];
}

/** It gave way to another. What serves goes on serving until that one does. */
function givenUp(revision: Revision, at: string): Revision {
  switch (revision.result) {
    case 'RollingOut':
      return { ...revision, result: 'Replaced', endedAt: at };
    case 'Stalled':
      return { ...revision, result: 'Failed', endedAt: at };
    default:
      return revision;
  }
}

function hasServed(revision: Revision, at: string): Revision {
  return revision.result === 'Serving' ? { ...revision, result: 'Served', endedAt: at } : revision;
}

/** What has served once goes on being what served last, whatever happens to its instances. */
function undecided(revision: Revision, stalled: Verdict): Revision {
  if (revision.result !== 'RollingOut' && revision.result !== 'Stalled') return revision;
  if (stalled.status !== 'True') return { ...withoutReason(revision), result: 'RollingOut' };
  return { ...revision, result: 'Stalled', reason: stalled.message.slice(0, maxReason) };
}

const maxReason = 512;

function withoutReason({ reason: _, ...revision }: Revision): Revision {
  return revision;
}

function kept(all: readonly Revision[]): readonly Revision[] {
  const last = all.find(({ servedAt }, index) => servedAt !== undefined && index >= maxHistory);
  const newest = all.slice(0, maxHistory);
  const some = newest.some(({ servedAt }) => servedAt !== undefined);
  const revisions = last === undefined || some ? newest : [...newest.slice(0, -1), last];
  let room = longestSpecs;
  return revisions.map((revision) => {
    if (revision.spec === undefined) return revision;
    room -= JSON.stringify(revision.spec).length;
    if (room >= 0) return revision;
    const { spec: _, ...short } = revision;
    return short;
  });
}
