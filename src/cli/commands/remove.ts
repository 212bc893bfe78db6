/** `kubectl maas remove`: its options and its help. */
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { option } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { everywhere, oneModel, waiting } from '../options/shared-options.ts';
import { remove as removeInstances } from '../remove.ts';

export const remove = defineCommand({
  name: 'remove',
  summary: 'Removes instances of a model, or the whole model.',
  description:
    'Removes instances of a model: all of them without --instances. With the last instance the model is deleted. ' +
    'Its payload in HDFS stays.',
  fields: {
    ...oneModel,
    /** How many fewer; undefined means all. */
    instances: option('--instances <n>', 'How many instances to remove. (default: all)', value.countFromOne),
    ...waiting('until the instances are gone'),
    ...everywhere,
  },
  examples: [
    ['One instance fewer', 'remove --name dga --version 1.0 --instances 1'],
    ['All of them, and wait until they are gone', 'remove --name dga --version 1.0 --wait'],
    ['What would be done', 'remove --name dga --version 1.0 --dry-run'],
  ],
  async run(asked, ports) {
    await removeInstances({ kind: 'remove', ...asked }, ports, ports.connect(asked.cluster));
    return exitCodes.ok;
  },
});
