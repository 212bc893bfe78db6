/** Runs a parsed command. */
import { asMaasError, MaasError } from '../contracts/errors.ts';
import { add } from './add.ts';
import type { Command } from './command.ts';
import { doctor } from './doctor.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { importModels } from './import.ts';
import { list } from './list.ts';
import { mode } from './mode.ts';
import { printError } from './output/print-error.ts';
import type { Cluster, Ports } from './ports.ts';
import { remove } from './remove.ts';
import { status } from './status.ts';
import { version } from './version.ts';

/** Never throws: a failure is told on standard error and is in the exit code. */
export async function run(command: Command, ports: Ports): Promise<ExitCode> {
  try {
    return await execute(command, ports);
  } catch (thrown) {
    const error = ports.signal.aborted
      ? new MaasError('INTERRUPTED', 'interrupted; what was written to the cluster stays', { cause: thrown })
      : asMaasError(thrown);
    ports.err.write(printError(error, { colour: ports.err.colour, json: command.output === 'json' }));
    return exitCodeOf(error.code);
  }
}

async function execute(command: Command, ports: Ports): Promise<ExitCode> {
  const connect = (): Cluster => ports.connect(command.cluster);
  switch (command.kind) {
    case 'add':
      await add(command, ports, connect());
      break;
    case 'remove':
      await remove(command, ports, connect());
      break;
    case 'list':
      await list(command, ports, connect());
      break;
    case 'mode':
      await mode(command, ports, connect());
      break;
    case 'version':
      await version(command, ports, connect);
      break;
    case 'status':
      await status(command, ports, connect());
      break;
    case 'import':
      await importModels(command, ports, connect());
      break;
    case 'doctor':
      return doctor(command, ports, connect());
  }
  return exitCodes.ok;
}
