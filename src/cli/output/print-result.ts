/** What `add` and `remove` print: a line as kubectl does it, or the resource in a format. */

import { type Model, qualifiedName } from '../cluster/model.ts';
import { lookOf, type Ports } from '../ports.ts';
import { viewOf } from './model-view.ts';
import type { OutputFormat } from './output-format.ts';
import { printModels } from './print-models.ts';
import { manifestOf, printJson, printYaml, resourceOf } from './print-object.ts';
import { say } from './say.ts';

export interface Change {
  readonly model: Model;
  /** What was done, as the rest of a sentence about the resource. */
  readonly did: string;
}

/**
 * @param wait follows the change to its end; called only with --wait. The line comes before, a format after it,
 *   so that it shows the last state.
 */
export async function printResult(
  ports: Ports,
  command: { readonly wait: boolean; readonly dryRun: boolean; readonly output: OutputFormat | undefined },
  { model, did }: Change,
  wait: () => Promise<Model>,
): Promise<void> {
  const output = command.output ?? (command.dryRun ? 'yaml' : undefined);
  const done = `${qualifiedName(model)} ${did}${command.dryRun ? ' (server dry run)' : ''}`;
  say(output === undefined ? ports.out : ports.err, done);
  const last = command.wait && !command.dryRun ? await wait() : model;
  switch (output) {
    case undefined:
      return;
    case 'json':
    case 'yaml': {
      const object = command.dryRun ? manifestOf(last) : resourceOf(last);
      ports.out.write(output === 'json' ? printJson(object) : printYaml(object));
      return;
    }
    default:
      ports.out.write(
        printModels([viewOf(last)], output, {
          now: ports.clock.now(),
          ...lookOf(ports.out),
        }),
      );
  }
}
