/** `kubectl maas version`: of this program, of the operator it finds and of the cluster. */
import { asMaasError } from '../../contracts/errors.ts';
import { visible } from '../../kernel/shown-text.ts';
import { readSettings } from '../cluster/operator-settings.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag } from '../options/field.ts';
import { everywhere } from '../options/shared-options.ts';
import { printJson, printYaml } from '../output/print-object.ts';
import { note } from '../output/say.ts';

/** Shape of `version -o json`; what could not be asked is null. */
export interface VersionView {
  readonly client: string;
  /** Image that the operator runs its agents with. */
  readonly operator: string | null;
  readonly kubernetes: string | null;
}

export const version = defineCommand({
  name: 'version',
  summary: 'Prints versions.',
  description: 'Prints the version of this program, of the operator and of the cluster.',
  fields: {
    clientOnly: flag('--client', 'Only the version of this program; contact nothing.'),
    ...everywhere,
  },
  examples: [
    ['Print all of them', 'version'],
    ['For a script', 'version --client -o json'],
  ],
  exitCodes: false,
  /** Never fails because of the cluster: a note says what could not be asked. */
  async run({ clientOnly, cluster, operatorNamespace, output }, ports) {
    const ask = async (what: string, question: () => Promise<string | null>): Promise<string | null> => {
      if (clientOnly) return null;
      try {
        return await question();
      } catch (error) {
        note(ports.err, `${what} is not known: ${asMaasError(error).message}`);
        return null;
      }
    };
    const view: VersionView = {
      client: ports.version,
      operator: await ask("the operator's version", async () => {
        const settings = await readSettings(ports.connect(cluster), operatorNamespace);
        return settings.agent?.image ?? null;
      }),
      kubernetes: await ask("the cluster's version", () => ports.connect(cluster).serverVersion()),
    };
    if (output === 'json') ports.out.write(printJson(view));
    else if (output === 'yaml') ports.out.write(printYaml(view));
    else {
      const known = Object.entries(view).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
      ports.out.write(known.map(([name, text]) => `${`${name}:`.padEnd(12)}${visible(text)}\n`).join(''));
    }
    return exitCodes.ok;
  },
});
