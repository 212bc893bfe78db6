/** `kubectl maas version`: of this program, of the operator it finds and of the cluster. */
import { asMaasError } from '../contracts/errors.ts';
import { visible } from '../kernel/shown-text.ts';
import { readSettings } from './cluster/operator-settings.ts';
import type { VersionCommand } from './command.ts';
import { printJson, printYaml } from './output/print-object.ts';
import type { Cluster, Ports } from './ports.ts';

/** Shape of `version -o json`; what could not be asked is null. */
export interface VersionView {
  readonly client: string;
  /** Image that the operator runs its agents with. */
  readonly operator: string | null;
  readonly kubernetes: string | null;
}

/** Never fails because of the cluster: a note says what could not be asked. */
export async function version(command: VersionCommand, ports: Ports, connect: () => Cluster): Promise<void> {
  const ask = async (what: string, question: () => Promise<string | null>): Promise<string | null> => {
    if (command.clientOnly) return null;
    try {
      return await question();
    } catch (error) {
      ports.err.write(`${visible(`note: ${what} is not known: ${asMaasError(error).message}`)}\n`);
      return null;
    }
  };
  const view: VersionView = {
    client: ports.version,
    operator: await ask("the operator's version", async () => {
      const settings = await readSettings(connect(), command.operatorNamespace);
      return settings.agent?.image ?? null;
    }),
    kubernetes: await ask("the cluster's version", () => connect().serverVersion()),
  };
  if (command.output === 'json') ports.out.write(printJson(view));
  else if (command.output === 'yaml') ports.out.write(printYaml(view));
  else {
    const known = Object.entries(view).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    ports.out.write(known.map(([name, text]) => `${`${name}:`.padEnd(12)}${visible(text)}\n`).join(''));
  }
}
