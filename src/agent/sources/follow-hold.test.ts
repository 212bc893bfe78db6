import { describe, expect, it } from 'vitest';
import { encodeHolds } from '../../contracts/holds.ts';
import { silentLog } from '../../kernel/log.ts';
import type { FoundNode } from '../registration-plan.ts';
import { followHold } from './follow-hold.ts';

/** What an agent of version `k-1` makes of the nodes that it sees one after the other. */
function heard(untilReleased: boolean, ...nodes: (Uint8Array | string | undefined)[]): boolean[] {
  const words: boolean[] = [];
  let tell: (node: FoundNode | undefined) => void = () => {};
  followHold(
    { dispatch: (event) => event.type === 'hold' && words.push(event.held) },
    {
      watchNode: (_path, changed) => {
        tell = changed;
        return { close: () => {} };
      },
    },
    { path: '/maas/operator/c1/holds/u', version: 'k-1', untilReleased, log: silentLog },
  );
  for (const node of nodes) {
    tell(node === undefined ? undefined : { data: Buffer.from(node), stat: { version: 0, ephemeralOwner: undefined } });
  }
  return words;
}

const published = (...versions: [string, boolean][]) =>
  encodeHolds({
    namespace: 'ns',
    name: 'dga',
    versions: Object.fromEntries(versions.map(([version, held]) => [version, { held, since: 1 }])),
  });

describe('followHold', () => {
  it.each([true, false])('takes what the pod was told (%s) where nothing is published about its version', (told) => {
    expect(heard(told, undefined)).toEqual([told]);
    expect(heard(told, 'nonsense')).toEqual([told]);
    expect(heard(told, published(['k-2', !told]))).toEqual([told]);
  });

  it('follows what is published of its version, and tells each word once', () => {
    const words = heard(
      true,
      published(['k-1', true]),
      published(['k-1', false]),
      published(['k-1', false], ['k-2', true]),
    );
    expect(words).toEqual([true, false]);
    expect(heard(true, published(['k-1', false]), published(['k-1', true]))).toEqual([false, true]);
  });

  it('keeps the last word when the node vanishes or is spoilt', () => {
    expect(heard(true, published(['k-1', false]), undefined, 'nonsense', published(['k-2', true]))).toEqual([false]);
  });
});
