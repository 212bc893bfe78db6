/**
 * Shell completion, in the protocol that kubectl speaks with the kubectl_complete-NAME of a plugin: candidates one a
 * line with a description behind a tab, and last a colon and a number (4: do not complete file names, 0: do).
 */
import { modes } from '../contracts/modes.ts';
import { visible } from '../kernel/shown-text.ts';
import { readModel } from './cluster/model.ts';
import { outputFormats } from './command.ts';
import { clusterChoiceIn } from './options/cluster-options.ts';
import { commandOptions } from './parse.ts';
import type { Ports } from './ports.ts';

const noFiles = ':4\n';
const files = ':0\n';

/**
 * @param words what is typed behind the program's name; the last one, possibly empty, is to be completed
 * @returns what to print; a cluster that does not answer leaves its candidates out
 */
export async function complete(words: readonly string[], ports: Ports): Promise<string> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const commands = commandOptions();
  const command = commands.find(({ name }) => before.includes(name));
  const previous = before.at(-1) ?? '';

  const answer = (candidates: readonly string[], end = noFiles): string =>
    [...candidates.filter((candidate) => candidate.startsWith(word)).map((candidate) => `${candidate}\n`), end].join(
      '',
    );

  switch (previous) {
    case '-o':
    case '--output':
      return answer(outputFormats);
    case '--local-model-path':
    case '--kubeconfig':
    case '--certificate-authority':
    case '--client-certificate':
    case '--client-key':
      return answer([], files);
    case '--name':
    case '--model':
      return answer(await deployed(before, ports, ({ model }) => model));
    case '--version':
      return answer(
        await deployed(before, ports, ({ model, version }) =>
          [undefined, model].includes(given(before, '--name')) ? version : undefined,
        ),
      );
  }
  if (command?.name === 'help' && !word.startsWith('-')) {
    return answer(previous === 'help' ? commands.map(({ name, summary }) => `${name}\t${summary}`) : []);
  }
  if (command === undefined) return answer(commands.map(({ name, summary }) => `${name}\t${summary}`));
  if (command.name === 'mode' && !word.startsWith('-') && !previous.startsWith('-')) return answer(modes);
  if (!word.startsWith('-') && word !== '') return noFiles;
  const takesValue = command.options.find(({ flag }) => flag === previous)?.takesValue ?? false;
  if (takesValue) return noFiles;
  const fresh = command.options.filter(({ flag }) => flag === '--env' || !before.includes(flag));
  return answer(fresh.map(({ flag, description }) => `${flag}\t${description}`));
}

async function deployed(
  words: readonly string[],
  ports: Ports,
  pick: (model: { model: string; version: string }) => string | undefined,
): Promise<string[]> {
  try {
    const cluster = ports.connect(clusterChoiceIn(words));
    const namespace = given(words, '--namespace') ?? given(words, '-n') ?? cluster.namespace;
    const everywhere = words.includes('-A') || words.includes('--all-namespaces');
    const models = (await cluster.list(everywhere ? undefined : namespace)).map(readModel);
    const picked = models.map(({ spec }) => pick({ model: spec.name, version: spec.version }));
    return [...new Set(picked.filter((text) => text !== undefined))].map(visible).sort();
  } catch {
    // A prompt is no place for an error.
    return [];
  }
}

/** `--name dga` or `--name=dga`. */
function given(words: readonly string[], flag: string): string | undefined {
  const joined = words.find((word) => word.startsWith(`${flag}=`));
  if (joined !== undefined) return joined.slice(flag.length + 1);
  const at = words.indexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}
