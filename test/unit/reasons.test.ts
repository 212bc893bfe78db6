/**
 * What the compiler cannot see of the reasons: none is in the catalogue for nothing, each is explained, and the documents
 * name those that there are. That what is given is in the catalogue is a matter of its type.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { errorCatalogue } from '../../src/contracts/error-catalogue.ts';
import { agentStages } from '../../src/contracts/pod-contract.ts';
import { reasonCatalogue } from '../../src/contracts/reason-catalogue.ts';
import { heardReasonOf } from '../../src/contracts/reasons.ts';
import { sourcesBelow } from './module-imports.ts';

const sources = sourcesBelow(join(projectRoot, 'src')).filter(({ path }) => !path.endsWith('.test.ts'));
const catalogued = new Set(Object.keys(reasonCatalogue));
const codes = new Set<string>(Object.keys(errorCatalogue).map(heardReasonOf));
const known = (reason: string) => catalogued.has(reason) || codes.has(reason);
const text = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

describe('reasons', () => {
  it('that agents give are in the catalogue', () => {
    expect(agentStages.filter((stage) => !known(stage))).toEqual([]);
  });

  it('of the catalogue are given by the sources', () => {
    const others = sources.filter(({ path }) => path !== 'contracts/reason-catalogue.ts');
    const given = (reason: string) => others.some(({ text: source }) => source.includes(`'${reason}'`));
    expect([...catalogued].filter((reason) => !given(reason))).toEqual([]);
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
});

describe('the documents', () => {
  it('list every reason, with a place to link to', () => {
    const reference = text('docs/reasons.md');
    for (const reason of catalogued) expect(reference).toContain(`<a id="${reason.toLowerCase()}"></a>\`${reason}\``);
    for (const code of Object.keys(errorCatalogue).filter((each) =>
      /^(HDFS|PAYLOAD|ENDPOINT|ZOOKEEPER|CLUSTER)_/.test(each),
    )) {
      expect(reference).toContain(`[\`${heardReasonOf(code)}\`](errors.md#${code.toLowerCase()})`);
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
