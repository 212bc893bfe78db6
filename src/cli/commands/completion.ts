/**
 * Shell completion, in the protocol that kubectl speaks with the kubectl_complete-NAME of a plugin: candidates one a
 * line with a description behind a tab, and last a colon and a number (4: do not complete file names, 0: do).
 */
import { Argument, Option } from 'commander';
import { visible } from '../../kernel/shown-text.ts';
import { readModel } from '../cluster/model.ts';
import { commands } from '../commands.ts';
import type { UnlistedCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, group, type Input, option } from '../options/field.ts';
import { whereabouts } from '../options/shared-options.ts';
import { helpCommand, readUnfinished } from '../parse.ts';
import type { Ports } from '../ports.ts';

const noFiles = ':4\n';
const files = ':0\n';

export const completion: UnlistedCommand = {
  name: '__complete',
  async run(words, _environment, ports) {
    ports.out.write(await complete(words, ports));
    return exitCodes.ok;
  },
};

/** What of a line says which models may be meant. */
const typed = group({
  ...whereabouts(),
  allNamespaces: flag('-A, --all-namespaces', ''),
  model: option('--name <model>', ''),
});

/**
 * @param words what is typed behind the program's name; the last one, possibly empty, is to be completed
 * @returns what to print; a cluster that does not answer leaves its candidates out
 */
async function complete(words: readonly string[], ports: Ports): Promise<string> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const previous = before.at(-1) ?? '';
  const listed = [...commands, helpCommand].map(({ name, summary }) => `${name}\t${summary}`);
  const command = commands.find(({ name }) => before.includes(name));

  const answer = (candidates: readonly string[]): string =>
    [
      ...candidates.filter((candidate) => candidate.startsWith(word)).map((candidate) => `${candidate}\n`),
      noFiles,
    ].join('');

  if (command === undefined && before.includes(helpCommand.name)) {
    return answer(previous === helpCommand.name ? listed : []);
  }
  const inputs = command?.inputs ?? typed.inputs;
  const open = inputs.find(({ declared }) => declared instanceof Option && asksForValue(declared, previous));
  if (open?.suggests === 'files') return files;
  if (open !== undefined) return answer(await candidatesFor(open, before.slice(0, -1), ports));
  if (command === undefined) return answer(listed);
  const argument = inputs.find(({ declared }) => declared instanceof Argument);
  if (argument !== undefined && !word.startsWith('-') && !previous.startsWith('-')) {
    return answer(await candidatesFor(argument, before, ports));
  }
  if (!word.startsWith('-') && word !== '') return noFiles;
  return answer(inputs.flatMap((input) => flagOf(input, before)));
}

function asksForValue({ required, short, long }: Option, previous: string): boolean {
  return required && [short, long].includes(previous);
}

function flagOf({ declared, repeatable }: Input, before: readonly string[]): string[] {
  if (!(declared instanceof Option)) return [];
  const name = declared.long ?? declared.flags;
  return repeatable === true || !before.includes(name) ? [`${name}\t${declared.description}`] : [];
}

async function candidatesFor({ suggests }: Input, words: readonly string[], ports: Ports): Promise<readonly string[]> {
  if (suggests === undefined || suggests === 'files') return [];
  if (typeof suggests !== 'string') return suggests;
  try {
    const said = readUnfinished(typed, words, { version: ports.version, operatorNamespace: undefined });
    const cluster = ports.connect(said.cluster);
    const models = (await cluster.list(said.allNamespaces ? undefined : (said.namespace ?? cluster.namespace))).map(
      readModel,
    );
    if (suggests === 'resources') return models.map(({ metadata }) => visible(metadata.name)).sort();
    const meant =
      suggests === 'models' ? models : models.filter(({ spec }) => [undefined, spec.name].includes(said.model));
    const names = meant.map(({ spec }) => visible(suggests === 'models' ? spec.name : spec.version));
    return [...new Set(names)].sort();
  } catch {
    // A prompt is no place for an error.
    return [];
  }
}
