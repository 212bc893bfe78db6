import { describe, expect, it } from 'vitest';
import { type AgentMode, allActive, encodePublishedModes } from '../../contracts/modes.ts';
import { silentLog } from '../../kernel/log.ts';
import type { FoundNode } from '../registration-plan.ts';
import { followMode } from './follow-mode.ts';

/** What an agent of `dga` makes of the nodes that it sees one after the other. */
function heard(...nodes: (Uint8Array | string | undefined)[]): AgentMode[] {
  const modes: AgentMode[] = [];
  let tell: (node: FoundNode | undefined) => void = () => {};
  followMode(
    { dispatch: (event) => event.type === 'mode' && modes.push(event.mode) },
    {
      watchNode: (_path, changed) => {
        tell = changed;
        return { close: () => {} };
      },
    },
    { path: '/maas/operator/c1/modes', model: 'dga', log: silentLog },
  );
  for (const node of nodes) {
    tell(node === undefined ? undefined : { data: Buffer.from(node), stat: { version: 0, ephemeralOwner: undefined } });
  }
  return modes;
}

const published = (byDefault: AgentMode, ...own: [string, AgentMode][]) =>
  encodePublishedModes({ wanted: allActive, agents: { default: byDefault, models: new Map(own) } });

describe('followMode', () => {
  it('takes a model for active where nothing is published', () => {
    expect(heard(undefined)).toEqual(['active']);
    expect(heard('nonsense')).toEqual(['active']);
    expect(heard('{"agents":{"default":"observe"},"wanted":{}}')).toEqual(['active']);
  });

  it('follows the mode of its own model, and tells each once', () => {
    const nodes = [
      published('shadow'),
      published('shadow', ['echo', 'drain']),
      published('shadow', ['dga', 'active']),
      published('drain'),
    ];
    expect(heard(...nodes)).toEqual(['shadow', 'active', 'drain']);
  });

  it('keeps the last one known when the node vanishes or is spoilt', () => {
    expect(heard(published('shadow'), undefined, 'nonsense', published('shadow'), published('active'))).toEqual([
      'shadow',
      'active',
    ]);
  });
});
