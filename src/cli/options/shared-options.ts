/** Options that several commands take, under the names that they have in the values of all of them. */
import { Option } from 'commander';
import { defaultOperatorNamespace } from '../../contracts/settings.ts';
import { type OutputFormat, outputFormats } from '../output/output-format.ts';
import { clusterOptions } from './cluster-options.ts';
import { argument, choice, declaredAs, type Field, flag, option, or, required, type Values } from './field.ts';
import * as value from './option-values.ts';

const cluster = clusterOptions('everyday');

/** Every command takes them. @param namespace what --namespace means there */
export function whereabouts(namespace = "Namespace. (default: the context's)", inputs = cluster) {
  const operator = option(
    '--operator-namespace <namespace>',
    'Where the operator publishes its settings. (default: $MAAS_OPERATOR_NAMESPACE, maas-system)',
    value.namespace,
  );
  const given = option('-n, --namespace <namespace>', namespace, value.namespaceOrNone);
  return {
    namespace: { inputs: given.inputs, read: (...from) => given.read(...from) || undefined },
    cluster: inputs,
    operatorNamespace: {
      inputs: operator.inputs,
      read: (given, context) => operator.read(given, context) ?? context.operatorNamespace ?? defaultOperatorNamespace,
    },
  } satisfies Record<string, Field<unknown>>;
}

export function output(formats: readonly OutputFormat[] = outputFormats) {
  return { output: choice('-o, --output <format>', `One of ${formats.join(', ')}.`, formats) };
}

/** Where, and in which format. */
export const everywhere = { ...whereabouts(), ...output() };
export type Everywhere = Values<typeof everywhere>;

export const zookeeper = {
  zookeeper: option(
    '--zookeeper <quorum>',
    "The ZooKeeper to look at: host:port,host:port, followed by /path for a chroot. (default: the operator's)",
    value.nonEmpty,
  ),
};

/** Of the commands that look into ZooKeeper. */
export type AboutZooKeeper = Everywhere & Values<typeof zookeeper>;

export const oneModel = {
  model: required(
    option('--name <model>', 'The model, as Stellar names it. Required.', value.modelName, { suggests: 'models' }),
  ),
  version: required(
    option('--version <version>', 'Version of the model. Required.', value.modelVersion, { suggests: 'versions' }),
  ),
};

/** The one resource that a command is about; see named-model.ts. */
export const theModel = {
  name: required(
    argument('<name>', "The resource as `kubectl get mdl` shows it, or its model's name.", value.modelName, {
      suggests: 'resources',
    }),
  ),
};

export const someModels = {
  model: option('--name <model>', 'Only this model.', value.modelName, { suggests: 'models' }),
  version: option('--version <version>', 'Only this version.', value.modelVersion, { suggests: 'versions' }),
};

export const dryRun = {
  dryRun: or(
    declaredAs<boolean>(
      new Option('--dry-run [server]', 'Let the cluster check it and print the result; change nothing.')
        .argParser(value.dryRun)
        .preset('server'),
    ),
    false,
  ),
};

const defaultTimeoutMs = 600_000;

/** @param end what --wait waits for */
export function waiting(end: string) {
  return {
    wait: flag('--wait', `Wait ${end}.`),
    timeoutMs: or(
      option('--timeout <time>', 'How long --wait waits. (default: 10m)', value.milliseconds),
      defaultTimeoutMs,
    ),
    ...dryRun,
  };
}
