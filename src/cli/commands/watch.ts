/** `kubectl maas watch`: the models as they change: a table that is drawn anew, or a line of JSON for each change. */
import { Bell } from '../../kernel/bell.ts';
import { type Model, readModel } from '../cluster/model.ts';
import { namedModel } from '../cluster/named-model.ts';
import { tellTrouble, troubleText } from '../cluster/trouble.ts';
import { defineCommand } from '../define-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { argument, choice, flag, type Values } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { whereabouts } from '../options/shared-options.ts';
import { viewOf } from '../output/model-view.ts';
import { say } from '../output/say.ts';
import { type InstanceReader, lookOf, type OnTrouble, type Ports } from '../ports.ts';
import { changesBetween } from '../watch/changes.ts';
import { liveTable } from '../watch/live-table.ts';
import { Screen } from '../watch/screen.ts';

const fields = {
  name: argument('[name]', "Only this resource, or its model's name.", value.modelName, { suggests: 'resources' }),
  allNamespaces: flag('-A, --all-namespaces', 'In all namespaces.'),
  output: choice('-o, --output <format>', 'json prints lines of JSON on a terminal, too.', ['json'] as const),
  ...whereabouts(),
};
type WatchOptions = Values<typeof fields>;

export const watch = defineCommand({
  name: 'watch',
  summary: 'Shows the models as they change.',
  description:
    'Shows the models as they change, until you interrupt it: on a terminal a table that is drawn anew, with the ' +
    'instances of a model that is named; to a pipe a line of JSON for each change.',
  fields,
  examples: [
    ['All models of this namespace', 'watch'],
    ['One of them with its instances', 'watch dga-1.0'],
    ['When does it serve?', "watch dga-1.0 | jq -r '[.at, .model.state.reason] | @tsv'"],
  ],
  refuse: ({ name, allNamespaces }) =>
    name !== undefined && allNamespaces ? 'a name is one of a namespace: leave --all-namespaces out' : undefined,
  shape: {
    says: '`watch` prints to a pipe, and with `-o json`, a line of JSON for each change:',
    fields: [
      ['at', 'When it was seen, RFC 3339.'],
      ['type', '`present` of what is there at the beginning, `added`, `changed` or `deleted`.'],
      ['model', 'An item as of `list -o json`; of one that was deleted, as it was last.'],
    ],
  },
  /** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_* */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const namespace = options.allNamespaces ? undefined : (options.namespace ?? cluster.namespace);
    // What follows goes on whatever happens to the connection, so that nobody would be told that there never was one.
    if (options.name === undefined) await cluster.list(namespace);
    const one =
      options.name === undefined || namespace === undefined
        ? undefined
        : (await namedModel(cluster, namespace, options.name)).metadata.name;
    const reader = ports.instances(options.cluster);
    const live: Live = (onTrouble) => reader.liveModels(namespace, one, ports.signal, onTrouble);
    return ports.out.terminal && options.output === undefined
      ? await draw(live, one, options, ports)
      : await tell(live, one, ports);
  },
});

type Live = (onTrouble: OnTrouble) => ReturnType<InstanceReader['liveModels']>;

async function tell(live: Live, one: string | undefined, ports: Ports): Promise<ExitCode> {
  let before: ReadonlyMap<string, ReturnType<typeof viewOf>> | undefined;
  for await (const objects of live(tellTrouble(ports.err))) {
    const after = new Map(objects.map(readModel).map((model) => [model.metadata.uid, viewOf(model)]));
    for (const { type, view } of changesBetween(before, after)) {
      const line = { at: new Date(ports.clock.now()).toISOString(), type, model: view };
      ports.out.write(`${JSON.stringify(line)}\n`);
    }
    before = after;
    if (one !== undefined && objects.length === 0) return exitCodes.ok;
  }
  return exitCodes.interrupted;
}

/** Ages grow without anything being heard. */
const redrawMs = 5_000;

async function draw(
  live: Live,
  one: string | undefined,
  { allNamespaces }: WatchOptions,
  ports: Ports,
): Promise<ExitCode> {
  const screen = new Screen(ports.out);
  const over = new AbortController();
  const bell = new Bell(ports.clock, AbortSignal.any([ports.signal, over.signal]));
  let models: readonly Model[] | undefined;
  let trouble: string | undefined;
  const show = () => {
    if (models === undefined) return;
    const options = {
      ...lookOf(ports.out),
      now: ports.clock.now(),
      namespaces: allNamespaces,
      instances: one !== undefined,
      trouble,
    };
    screen.draw(liveTable(models, options));
  };
  const redrawing = (async () => {
    while (!over.signal.aborted && !ports.signal.aborted) {
      show();
      await bell.wait(redrawMs);
    }
  })();
  try {
    const told: OnTrouble = (failure) => {
      trouble = failure === undefined ? undefined : troubleText(failure);
      bell.ring();
    };
    for await (const objects of live(told)) {
      models = objects.map(readModel);
      bell.ring();
      if (one !== undefined && objects.length === 0) {
        show();
        say(ports.err, `${one} is gone`);
        return exitCodes.ok;
      }
    }
    return exitCodes.interrupted;
  } finally {
    over.abort();
    await redrawing;
  }
}
