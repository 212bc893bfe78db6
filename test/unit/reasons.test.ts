/** Every reason that the sources can give is in the catalogue, and so in docs/reasons.md; and none is there for nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { errorCatalogue } from '../../src/contracts/error-catalogue.ts';
import { agentStages } from '../../src/contracts/pod-contract.ts';
import { eventTypeOf, reasonCatalogue, reasonOf } from '../../src/contracts/reason-catalogue.ts';
import { sourcesBelow } from './module-imports.ts';

const sources = sourcesBelow(join(projectRoot, 'src')).filter(({ path }) => !path.endsWith('.test.ts'));
const catalogued = new Set(Object.keys(reasonCatalogue));
const codes = new Set(Object.keys(errorCatalogue).map(reasonOf));
const known = (reason: string) => catalogued.has(reason) || codes.has(reason);
const text = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

const word = /'([A-Z][a-z]+(?:[A-Z][a-z]+)*)'/g;
const wordsOf = (expression: string) => [...expression.matchAll(word)].map((match) => match[1] ?? '');

/** Constants that stand for one word, by their names. */
const constants = new Map(
  sources.flatMap(({ text: source }) =>
    [...source.matchAll(/\bconst (\w+)(?:: [^=]+)? = '([A-Z][A-Za-z]+)'/g)].map(
      (match) => [match[1] ?? '', match[2] ?? ''] as const,
    ),
  ),
);

/** What a source gives as a reason: verdicts, instance states, events, and what the commands show where there is none. */
function reasonsIn(source: string): string[] {
  const expressions = [
    ...source.matchAll(/\b(?:yes|no|unknown|failing|waiting)\(\s*((?:[^,()]|\([^()]*\))+)/g),
    ...source.matchAll(/\b(?:reason|state)(?:: |\s*\?\?\s*|\s+===\s+)([^,;{}\n]+)/g),
    ...source.matchAll(/\breason \?\? ('\w+')/g),
    // What the events of a pod mean where no pattern knows their words.
    ...source.matchAll(/^ {2}(?:Failed|Network)\w+: ('\w+'),$/gm),
  ].map((match) => match[1] ?? '');
  return expressions.flatMap((expression) => [
    ...wordsOf(expression),
    ...[...expression.matchAll(/\b[a-z]\w*\b/g)].flatMap(([name]) => constants.get(name) ?? []),
  ]);
}

/** Other people's words: what Kubernetes says of its own objects. */
const ofKubernetes = new Set(['Unknown', 'True', 'False', 'FailedToRetrieveImagePullSecret']);

/** Sources that read other people's words, or have a catalogue of their own. */
const readsOthers = /^(operator\/views\.ts|cli\/doctor\/)/;

describe('reasons', () => {
  it('that the sources give are in the catalogue', () => {
    const said = sources
      .filter(({ path }) => /^(plan|operator|legacy|bin|cli)\//.test(path) && !readsOthers.test(path))
      .flatMap(({ path, text: source }) => reasonsIn(source).map((reason) => ({ path, reason })));
    expect(new Set(said.map(({ reason }) => reason)).size).toBeGreaterThan(30);
    expect(said.filter(({ reason }) => !known(reason) && !ofKubernetes.has(reason))).toEqual([]);
  });

  it('that agents give are in the catalogue', () => {
    expect(agentStages.filter((stage) => !known(stage))).toEqual([]);
  });

  it('of the catalogue are given by the sources', () => {
    const others = sources.filter(({ path }) => !path.startsWith('api/reason-'));
    const given = new Set(others.flatMap(({ text: source }) => wordsOf(source)));
    expect([...catalogued].filter((reason) => !given.has(reason))).toEqual([]);
  });

  it('are no error codes at the same time', () => {
    expect([...catalogued].filter((reason) => codes.has(reason))).toEqual([]);
  });

  it('say what to do, in whole sentences', () => {
    for (const [reason, { means, next, places }] of Object.entries(reasonCatalogue)) {
      expect([reason, means]).toEqual([reason, expect.stringMatching(/^[A-Z].*\.$/)]);
      expect([reason, next]).toEqual([reason, expect.stringMatching(/^[A-Z].*\.$/)]);
      expect([reason, places.length]).not.toEqual([reason, 0]);
    }
  });

  it('of which nobody knows are told as warnings', () => {
    expect(eventTypeOf('HdfsPathMissing')).toBe('Warning');
    expect(eventTypeOf('toString')).toBe('Warning');
    expect(eventTypeOf('Starting')).toBeUndefined();
    expect(eventTypeOf('Serving')).toBe('Normal');
  });
});

describe('the documents', () => {
  it('list every reason, with a place to link to', () => {
    const reference = text('docs/reasons.md');
    for (const reason of catalogued) expect(reference).toContain(`<a id="${reason.toLowerCase()}"></a>\`${reason}\``);
    for (const code of Object.keys(errorCatalogue).filter((each) =>
      /^(HDFS|PAYLOAD|ENDPOINT|ZOOKEEPER|CLUSTER)_/.test(each),
    )) {
      expect(reference).toContain(`[\`${reasonOf(code)}\`](errors.md#${code.toLowerCase()})`);
    }
  });

  it.each(['docs/models.md', 'docs/operations.md'])('%s names reasons that there are', (path) => {
    const tables = [...text(path).matchAll(/^\|[^\n]*\breason\b[^\n]*\n\|---[\s\S]*?\n\n/gm)].map(([table]) => table);
    const named = tables.flatMap((table) =>
      [...table.matchAll(/`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`/g)].map((match) => match[1] ?? ''),
    );
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((reason) => !known(reason))).toEqual([]);
  });
});
