/** `kubectl maas logs`: what the scripts, or the agents, of all instances of a model print. */
import { namedModel } from '../cluster/named-model.ts';
import { defineCommand } from '../define-command.ts';
import { followLogs } from '../logs/follow-logs.ts';
import { printLogs } from '../logs/print-logs.ts';
import { flag, option, or } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { theModel, whereabouts } from '../options/shared-options.ts';

const defaultTail = 100;

const fields = {
  ...theModel,
  follow: flag('-f, --follow', 'Go on with what is printed from now on, by new instances, too.'),
  instance: option('--instance <pod>', 'Only of this instance.', value.nonEmpty),
  agent: flag('--agent', "The agents' log in place of what the scripts print."),
  previous: flag('--previous', 'Of the start before the present one.'),
  tail: or(
    option('--tail <lines>', `How many of the last lines of each instance. (default: ${defaultTail})`, value.lineCount),
    defaultTail,
  ),
  ...whereabouts(),
};
export const logs = defineCommand({
  name: 'logs',
  summary: 'Prints what the instances of a model print.',
  description:
    'Prints what the scripts of all instances of a model print, or the log of their agents. Each line has the name of ' +
    'its instance before it where there are several.',
  fields,
  examples: [
    ['What the scripts printed last', 'logs dga-1.0'],
    ['And what they print from now on, new instances, too', 'logs dga-1.0 -f'],
    ['What a script that was started again printed before', 'logs dga-1.0 --previous'],
    ['What the agents did', 'logs dga-1.0 --agent'],
  ],
  notes: ['On a terminal the lines of agents, which are JSON, are shown as text.'],
  refuse: ({ follow, previous }) =>
    follow && previous ? '--previous and --follow exclude each other: what ran before prints no more' : undefined,
  /** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_* */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const model = await namedModel(cluster, options.namespace ?? cluster.namespace, options.name);
    const reader = ports.instances(options.cluster);
    return options.follow
      ? await followLogs(model, options, ports, cluster, reader)
      : await printLogs(model, options, ports, reader);
  },
});
