import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AgentMode,
  allActive,
  decodePublishedModes,
  encodePublishedModes,
  type Mode,
  type ModeTable,
  modeOf,
  modes,
  modesForAgents,
  parseModes,
  printModes,
} from './modes.ts';

const table = <M extends Mode>(byDefault: M, models: Record<string, M> = {}): ModeTable<M> => ({
  default: byDefault,
  models: new Map(Object.entries(models)),
});

describe('parseModes', () => {
  it('reads what people write', () => {
    const read = parseModes('{"default":"shadow","models":{"dga":"active","a b":"drain"}}');
    expect([modeOf(read, 'dga'), modeOf(read, 'a b'), modeOf(read, 'echo')]).toEqual(['active', 'drain', 'shadow']);
  });

  it.each([undefined, '{}', '{"models":{}}', '{"default":"active"}'])('takes %j for all active', (text) => {
    expect(parseModes(text)).toEqual(allActive);
  });

  it('knows no model that is only a word of the language', () => {
    expect(modeOf(parseModes('{"default":"shadow","models":{}}'), 'constructor')).toBe('shadow');
    expect(modeOf(parseModes('{"models":{"__proto__":"drain"}}'), '__proto__')).toBe('drain');
  });

  it.each([
    ['', /is not JSON/],
    ['{"default":"active"', /is not JSON/],
    ['null', /is not a JSON object/],
    ['["active"]', /is not a JSON object/],
    ['{"default":"on"}', /default that is none of observe, shadow, active, drain/],
    ['{"default":null}', /default that is none of/],
    ['{"model":{"dga":"shadow"}}', /the key "model"/],
    ['{"models":[]}', /models that are not an object/],
    ['{"models":{"dga":"Shadow"}}', /gives "dga" a mode/],
    ['{"models":{"a/b":"shadow"}}', /names a model "a\/b"/],
    ['{"models":{"a\\u001b[2J":"shadow"}}', /"a\\u001b\[2J"/],
    [`{"default":"${'x'.repeat(200_000)}"}`, /is longer than/],
  ])('refuses %j', (text, words) => {
    expect(() => parseModes(text)).toThrow(expect.objectContaining({ code: 'MODES_INVALID' }));
    expect(() => parseModes(text)).toThrow(words);
  });
});

const mode = fc.constantFrom(...modes);
const agentMode = fc.constantFrom<AgentMode>('shadow', 'active', 'drain');
const names = ['dga', 'echo', 'constructor', '__proto__'];
const tables = <M extends Mode>(one: fc.Arbitrary<M>): fc.Arbitrary<ModeTable<M>> =>
  fc.record({
    default: one,
    models: fc.array(fc.tuple(fc.constantFrom(...names), one)).map((entries) => new Map(entries)),
  });

describe('what is written', () => {
  it('is read as it was meant', () => {
    fc.assert(
      fc.property(tables(mode), tables(agentMode), (wanted, agents) => {
        expect(parseModes(printModes(wanted))).toEqual(wanted);
        expect(decodePublishedModes(encodePublishedModes({ wanted, agents }))).toEqual({ wanted, agents });
      }),
    );
  });

  it.each(['', 'nonsense', '{}', '[]', '{"agents":{"default":"observe"},"wanted":{}}', '{"agents":{}}'])(
    'is nothing where it is %j',
    (text) => {
      expect(decodePublishedModes(Buffer.from(text))).toBeUndefined();
    },
  );
});

describe('what agents are told', () => {
  it('is what people said, but for models that are observed, which stay as they were', () => {
    fc.assert(
      fc.property(tables(mode), tables(agentMode), (wanted, before) => {
        const told = modesForAgents(wanted, before);
        for (const name of [...names, 'another']) {
          const said = modeOf(wanted, name);
          expect(modeOf(told, name)).toBe(said === 'observe' ? modeOf(before, name) : said);
        }
        // Told again, nothing changes.
        expect(modesForAgents(wanted, told)).toEqual(told);
      }),
    );
  });

  it('is to be active where nothing was said before', () => {
    expect(modesForAgents(table('observe'))).toEqual(allActive);
  });
});
