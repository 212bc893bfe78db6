/**
 * Modes: how far the operator and its agents go with a model, changed while everything runs. They are for moving models
 * from another installation that serves the same clients, one at a time and with the way back open.
 *
 * People write them into a ConfigMap; the leader publishes them in a znode that agents watch. What an agent does follows
 * from three of the modes; `observe` holds the operator back and leaves the agents as they were. See docs/adr/0023.
 */

import { quoted } from '../kernel/shown-text.ts';
import { byText } from '../kernel/text-order.ts';
import { MaasError } from './errors.ts';
import { modelName } from './model-name.ts';

/** In the order in which a model usually goes through them. */
export const modes = ['observe', 'shadow', 'active', 'drain'] as const;
export type Mode = (typeof modes)[number];

const agentModes = ['shadow', 'active', 'drain'] as const;
/** What an agent is told. */
export type AgentMode = (typeof agentModes)[number];

/** A mode for every model: its own, else the default. */
export interface ModeTable<M extends Mode = Mode> {
  readonly default: M;
  readonly models: ReadonlyMap<string, M>;
}

/** The ConfigMap in the operator's namespace, and its key. Nothing but people and `kubectl maas mode` writes it. */
export const modesConfigMap = 'maas-operator-modes';
export const modesKey = 'modes.json';

/** What holds where nobody has said anything. */
export const allActive: ModeTable<'active'> = { default: 'active', models: new Map() };

/** Characters. A znode takes 1 MiB, holds the modes twice, and a character may need three bytes. */
const longestText = 128 * 1_024;

export function modeOf<M extends Mode>(table: ModeTable<M>, model: string): M {
  return table.models.get(model) ?? table.default;
}

export function isMode(text: string): text is Mode {
  return (modes as readonly string[]).includes(text);
}

/** Are clients to see the models' registrations? */
export function registers(mode: AgentMode): boolean {
  return mode === 'active';
}

/**
 * @param text the value of the ConfigMap's key; undefined where there is none, which means that all are active
 * @throws MaasError MODES_INVALID
 */
export function parseModes(text: string | undefined): ModeTable {
  if (text === undefined) return allActive;
  if (text.length > longestText) throw invalid(`is longer than ${longestText} characters`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid('is not JSON', cause);
  }
  const table = readTable(json, modes);
  if (typeof table === 'string') throw invalid(table);
  return table;
}

/** The value of the ConfigMap's key, for people too. */
export function printModes(table: ModeTable): string {
  return `${JSON.stringify(tableJson(table), undefined, 2)}\n`;
}

/** As JSON; models in the order of their names. */
export function tableJson(table: ModeTable): {
  readonly default: Mode;
  readonly models: Readonly<Record<string, Mode>>;
} {
  const sorted = [...table.models].sort(byText(([model]) => model));
  return { default: table.default, models: Object.fromEntries(sorted) };
}

function invalid(what: string, cause?: unknown): MaasError {
  return new MaasError('MODES_INVALID', `${modesKey} of the ConfigMap ${modesConfigMap} ${what}`, { cause });
}

/** The table, or what is wrong with it. A mistyped key or mode is wrong: it would have no effect, silently. */
function readTable<M extends Mode>(json: unknown, allowed: readonly M[]): ModeTable<M> | string {
  if (!isObject(json)) return 'is not a JSON object';
  const unknown = Object.keys(json).find((key) => key !== 'default' && key !== 'models');
  if (unknown !== undefined) return `has the key ${quoted(unknown)}; there are "default" and "models"`;
  const mode = (value: unknown): M | undefined => allowed.find((each) => each === value);
  const byDefault = json['default'] === undefined ? allowed.find((each) => each === 'active') : mode(json['default']);
  if (byDefault === undefined) return `has a default that is none of ${allowed.join(', ')}`;
  const given = json['models'] ?? {};
  if (!isObject(given)) return 'has models that are not an object of names and modes';
  const models = new Map<string, M>();
  for (const [name, value] of Object.entries(given)) {
    const known = mode(value);
    if (!modelName.safeParse(name).success) return `names a model ${quoted(name)} that cannot be`;
    if (known === undefined) return `gives ${quoted(name)} a mode that is none of ${allowed.join(', ')}`;
    models.set(name, known);
  }
  return { default: byDefault, models };
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** What the leader publishes. */
export interface PublishedModes {
  /** What people asked for; kept, so that it outlives a ConfigMap that was spoilt and an operator that was restarted. */
  readonly wanted: ModeTable;
  readonly agents: ModeTable<AgentMode>;
}

/** Where they are published, for one cluster. */
export function modesPath(operatorRoot: string, clusterId: string): string {
  return `${operatorRoot === '/' ? '' : operatorRoot}/${clusterId}/modes`;
}

/**
 * What agents are to be told. A model that is observed is left as it was: its agents keep what was published before,
 * and so does an instance that takes the place of another.
 *
 * @param before what is published now; undefined where nothing is
 */
export function modesForAgents(wanted: ModeTable, before: ModeTable<AgentMode> = allActive): ModeTable<AgentMode> {
  const told = (mode: Mode, last: AgentMode): AgentMode => (mode === 'observe' ? last : mode);
  const byDefault = told(wanted.default, before.default);
  const models = new Map<string, AgentMode>();
  for (const name of new Set([...wanted.models.keys(), ...before.models.keys()])) {
    const mode = told(modeOf(wanted, name), modeOf(before, name));
    if (mode !== byDefault) models.set(name, mode);
  }
  return { default: byDefault, models };
}

/** The same modes always give the same bytes. */
export function encodePublishedModes({ wanted, agents }: PublishedModes): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ agents: tableJson(agents), wanted: tableJson(wanted) }));
}

/** Undefined for what no operator of this kind wrote. */
export function decodePublishedModes(data: Uint8Array): PublishedModes | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
  if (!isObject(json)) return undefined;
  const wanted = readTable(json['wanted'], modes);
  const agents = readTable(json['agents'], agentModes);
  return typeof wanted === 'string' || typeof agents === 'string' ? undefined : { wanted, agents };
}
