/** `kubectl maas mode`: prints or sets how far the operator goes with the models. */
import { hasCode, MaasError } from '../../contracts/errors.ts';
import {
  type ModeTable,
  modeOf,
  modes,
  modesConfigMap,
  modesKey,
  parseModes,
  printModes,
  tableJson,
} from '../../contracts/modes.ts';
import { settingsConfigMap } from '../../contracts/settings.ts';
import { untilUncontended } from '../cluster/retry.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { argument, option, type Values } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { everywhere } from '../options/shared-options.ts';
import { printAs } from '../output/output-format.ts';
import { cell, printTable } from '../output/print-table.ts';
import { say } from '../output/say.ts';
import { type Cluster, type ConfigMapState, lookOf, type Ports } from '../ports.ts';

const fields = {
  /** To be set; undefined only prints. `default` takes a model's own mode away. */
  mode: argument(
    '[mode]',
    `One of ${modes.join(', ')}; with --model also default, which means the mode of all others.`,
    value.mode,
    { suggests: modes },
  ),
  /** Whose mode; undefined means that of all models that have none of their own. */
  model: option('--model <model>', 'Only for this model, as Stellar names it.', value.modelName, {
    suggests: 'models',
  }),
  ...everywhere,
};
type ModeOptions = Values<typeof fields>;

export const mode = defineCommand({
  name: 'mode',
  summary: 'Prints or sets how far the operator goes with the models.',
  description:
    'Prints or sets how far the operator goes with the models: with one of them, or with all that have no mode of ' +
    'their own. observe: the operator changes nothing. shadow: models run and are checked, but not registered. ' +
    'active: they are registered. drain: they are unregistered and keep running.',
  fields,
  examples: [
    ['Print the modes', 'mode'],
    ['Run everything without registering it', 'mode shadow'],
    ['Let clients have one model', 'mode --model dga active'],
    ['Take it back from them, and let it run', 'mode --model dga drain'],
    ['Treat dga like all other models again', 'mode --model dga default'],
  ],
  notes: [
    'A change restarts nothing and takes effect within seconds. The modes are kept in the ConfigMap maas-operator-modes ' +
      "in the operator's namespace; without it all models are active.",
  ],
  refuse: (options) =>
    options.mode === 'default' && options.model === undefined
      ? 'default needs --model: it is a mode of one model'
      : undefined,
  /** @throws MaasError MODES_INVALID where what is there cannot be read; SETTINGS_NOT_FOUND, CLUSTER_* */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    if (options.mode === undefined) {
      const present = await find(options, cluster);
      show(options, ports, parseModes(present?.data[modesKey]));
      return exitCodes.ok;
    }
    const { before, after } = await untilUncontended(ports, () => set(options, cluster));
    say(options.output === undefined ? ports.out : ports.err, sentence(options, before, after));
    if (options.output !== undefined) show(options, ports, after);
    return exitCodes.ok;
  },
});

async function set(options: ModeOptions, cluster: Cluster): Promise<{ before: ModeTable; after: ModeTable }> {
  const { operatorNamespace } = options;
  const present = (await find(options, cluster)) ?? (await cluster.makeConfigMap(operatorNamespace, modesConfigMap));
  // What cannot be read is not written over: modes of other models may be in it.
  const before = parseModes(present.data[modesKey]);
  const after = changed(before, options);
  const text = printModes(after);
  if (text !== printModes(before)) await cluster.patchConfigMap(present, { [modesKey]: text });
  return { before, after };
}

/** Undefined where no mode was ever set. */
async function find({ operatorNamespace }: ModeOptions, cluster: Cluster): Promise<ConfigMapState | undefined> {
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

function changed(table: ModeTable, { model, mode: wanted }: ModeOptions): ModeTable {
  const models = new Map(table.models);
  if (wanted === undefined) return table;
  if (model === undefined) return { default: wanted === 'default' ? table.default : wanted, models };
  if (wanted === 'default') models.delete(model);
  else models.set(model, wanted);
  return { ...table, models };
}

function sentence({ model }: ModeOptions, before: ModeTable, after: ModeTable): string {
  const was = model === undefined ? before.default : modeOf(before, model);
  const is = model === undefined ? after.default : modeOf(after, model);
  const change = was === is ? `${is}, as before` : `${is}, was ${was}`;
  if (model !== undefined) return `${model}: ${change}${after.models.has(model) ? '' : ' (as all others)'}`;
  const own = [...after.models.keys()].sort();
  const others = own.length === 0 ? '' : `; with a mode of their own: ${own.join(', ')}`;
  return `all models: ${change}${others}`;
}

function show({ model, output }: ModeOptions, { out }: Ports, table: ModeTable): void {
  const one = model === undefined ? undefined : { model, mode: modeOf(table, model) };
  const { default: byDefault, models } = tableJson(table);
  const rows = one === undefined ? [...Object.entries(models), ['(all others)', byDefault]] : [[one.model, one.mode]];
  out.write(
    printAs(output, one ?? { default: byDefault, models }, {
      name: () => `${one?.mode ?? byDefault}\n`,
      table: () =>
        printTable(
          [{ heading: 'MODEL' }, { heading: 'MODE' }],
          rows.map((row) => row.map(cell)),
          lookOf(out).width,
        ),
    }),
  );
}
