/** `kubectl maas history`: what was asked of a model, by whom and when, and what came of it. */
import { namedModel } from '../cluster/named-model.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { everywhere, theModel } from '../options/shared-options.ts';
import { historyFields, historyView, printHistory } from '../output/print-history.ts';
import { say } from '../output/say.ts';
import { lookOf } from '../ports.ts';

export const history = defineCommand({
  name: 'history',
  summary: 'Lists what was asked of a model, and what came of it.',
  description:
    'Lists what was asked of a model, newest first: which version, by whom and when, the digest of its payload, and ' +
    'whether it served. Other numbers of instances are not listed.',
  fields: { ...theModel, ...everywhere },
  examples: [
    ['Who changed what?', 'history dga-1.0'],
    ['With paths, and why something stalled', 'history dga-1.0 -o wide'],
  ],
  notes: [
    'SERVES marks what clients are served by now. WHO is the field manager of the API server: kubectl-maas is this ' +
      'program, kubectl-edit somebody with an editor. A few of the latest are kept, and always the last that served.',
  ],
  shape: {
    says: '`history -o json` prints `{"kind": "ModelHistory", "apiVersion": "cli.maas.dev/v1", "items": [...]}`:',
    fields: historyFields,
  },
  /** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_* */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const model = await namedModel(cluster, options.namespace ?? cluster.namespace, options.name);
    const view = historyView(model);
    const people = options.output === undefined || options.output === 'table' || options.output === 'wide';
    if (people && view.items.length === 0) say(ports.err, `Nothing has been seen of ${model.metadata.name} yet.`);
    else ports.out.write(printHistory(view, options.output, { ...lookOf(ports.out), now: ports.clock.now() }));
    return exitCodes.ok;
  },
});
