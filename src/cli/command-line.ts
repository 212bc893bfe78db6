/** `kubectl maas`: from arguments to an exit code. Everything that it does, it does through its ports. */
import { asMaasError, MaasError } from '../contracts/errors.ts';
import { completion } from './commands/completion.ts';
import type { CommandEnvironment, UnlistedCommand } from './define-command.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { oldDeploy } from './old-commands/deploy.ts';
import { oldService } from './old-commands/service.ts';
import { printError } from './output/print-error.ts';
import { parseArguments } from './parse.ts';
import type { Ports } from './ports.ts';

const unlisted: readonly UnlistedCommand[] = [completion, oldDeploy, oldService];

/**
 * Never throws: a failure is told on standard error and is in the exit code.
 * @param argv what follows the program's name
 */
export async function runCommandLine(
  argv: readonly string[],
  environment: CommandEnvironment,
  ports: Ports,
): Promise<ExitCode> {
  const [first, ...rest] = argv;
  const called = unlisted.find(({ name }) => name === first);
  if (called !== undefined) return await toItsEnd(() => called.run(rest, environment, ports), ports, false);
  const parsed = parseArguments(argv, environment);
  switch (parsed.kind) {
    case 'text':
      ports.out.write(parsed.text);
      return exitCodes.ok;
    case 'refused':
      return failed(parsed.error, ports, parsed.json);
    case 'command':
      return await toItsEnd(() => parsed.command.run(ports), ports, parsed.command.value.output === 'json');
  }
}

async function toItsEnd(run: () => Promise<ExitCode>, ports: Ports, json: boolean): Promise<ExitCode> {
  try {
    return await run();
  } catch (thrown) {
    const interrupted = 'interrupted; what was written to the cluster stays';
    return failed(
      ports.signal.aborted ? new MaasError('INTERRUPTED', interrupted, { cause: thrown }) : asMaasError(thrown),
      ports,
      json,
    );
  }
}

function failed(error: MaasError, { err }: Ports, json: boolean): ExitCode {
  err.write(printError(error, { colour: err.colour, json }));
  return exitCodeOf(error.code);
}
