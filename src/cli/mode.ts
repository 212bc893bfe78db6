/** `kubectl maas mode`: prints or sets how far the operator goes with the models. */
import { hasCode, MaasError } from '../contracts/errors.ts';
import {
  type ModeTable,
  modeOf,
  modesConfigMap,
  modesKey,
  parseModes,
  printModes,
  tableJson,
} from '../contracts/modes.ts';
import { settingsConfigMap } from '../contracts/settings.ts';
import { visible } from '../kernel/shown-text.ts';
import { untilUncontended } from './cluster/retry.ts';
import type { ModeCommand } from './command.ts';
import { printJson, printYaml } from './output/print-object.ts';
import { printTable } from './output/print-table.ts';
import { type Cluster, type ConfigMapState, type Ports, roomOf } from './ports.ts';

/** @throws MaasError MODES_INVALID where what is there cannot be read; SETTINGS_NOT_FOUND, CLUSTER_* */
export async function mode(command: ModeCommand, ports: Ports, cluster: Cluster): Promise<void> {
  if (command.mode === undefined) {
    const present = await find(command, cluster);
    show(command, ports, parseModes(present?.data[modesKey]));
    return;
  }
  const { before, after } = await untilUncontended(ports, () => set(command, cluster));
  const line = `${visible(sentence(command, before, after))}\n`;
  (command.output === undefined ? ports.out : ports.err).write(line);
  if (command.output !== undefined) show(command, ports, after);
}

async function set(command: ModeCommand, cluster: Cluster): Promise<{ before: ModeTable; after: ModeTable }> {
  const { operatorNamespace } = command;
  const present = (await find(command, cluster)) ?? (await cluster.makeConfigMap(operatorNamespace, modesConfigMap));
  // What cannot be read is not written over: modes of other models may be in it.
  const before = parseModes(present.data[modesKey]);
  const after = changed(before, command);
  const text = printModes(after);
  if (text !== printModes(before)) await cluster.patchConfigMap(present, { [modesKey]: text });
  return { before, after };
}

/** Undefined where no mode was ever set. */
async function find({ operatorNamespace }: ModeCommand, cluster: Cluster): Promise<ConfigMapState | undefined> {
  const present = await cluster.configMapState(operatorNamespace, modesConfigMap);
  if (present !== undefined) return present;
  try {
    if ((await cluster.configMap(operatorNamespace, settingsConfigMap)) !== undefined) return undefined;
  } catch (error) {
    // Who may not read the settings may be allowed to set modes all the same.
    if (hasCode(error, 'CLUSTER_FORBIDDEN')) return undefined;
    throw error;
  }
  throw new MaasError('SETTINGS_NOT_FOUND', `No operator publishes its settings in namespace ${operatorNamespace}`);
}

function changed(table: ModeTable, { model, mode: wanted }: ModeCommand): ModeTable {
  const models = new Map(table.models);
  if (wanted === undefined) return table;
  if (model === undefined) return { default: wanted === 'default' ? table.default : wanted, models };
  if (wanted === 'default') models.delete(model);
  else models.set(model, wanted);
  return { ...table, models };
}

function sentence({ model }: ModeCommand, before: ModeTable, after: ModeTable): string {
  const was = model === undefined ? before.default : modeOf(before, model);
  const is = model === undefined ? after.default : modeOf(after, model);
  const change = was === is ? `${is}, as before` : `${is}, was ${was}`;
  if (model !== undefined) return `${model}: ${change}${after.models.has(model) ? '' : ' (as all others)'}`;
  const own = [...after.models.keys()].sort();
  const others = own.length === 0 ? '' : `; with a mode of their own: ${own.join(', ')}`;
  return `all models: ${change}${others}`;
}

function show({ model, output }: ModeCommand, { out }: Ports, table: ModeTable): void {
  const one = model === undefined ? undefined : { model, mode: modeOf(table, model) };
  const { default: byDefault, models } = tableJson(table);
  switch (output) {
    case 'json':
      out.write(printJson(one ?? { default: byDefault, models }));
      return;
    case 'yaml':
      out.write(printYaml(one ?? { default: byDefault, models }));
      return;
    case 'name':
      out.write(`${one?.mode ?? byDefault}\n`);
      return;
    default: {
      const rows =
        one === undefined ? [...Object.entries(models), ['(all others)', byDefault]] : [[one.model, one.mode]];
      out.write(
        printTable(
          [{ heading: 'MODEL' }, { heading: 'MODE' }],
          rows.map((row) => row.map((text) => ({ text: visible(text) }))),
          roomOf(out),
        ),
      );
    }
  }
}
