/** `kubectl maas` in the process of a test: arguments in, exit code out; all else is seen in the ports. */
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { CommandEnvironment } from '../../src/cli/define-command.ts';
import type { ExitCode } from '../../src/cli/exit-codes.ts';
import type { Ports } from '../../src/cli/ports.ts';

const nothingSet: CommandEnvironment = {
  version: '1.2.3',
  operatorNamespace: undefined,
  namespace: undefined,
  chart: 'charts/maas-operator',
  hadoopConf: '/etc/hadoop/conf',
  hadoopUser: undefined,
};

/** @param line words with one space between them; as a list where they have spaces themselves */
export function typed(
  line: string | readonly string[],
  ports: Ports,
  environment: Partial<CommandEnvironment> = {},
): Promise<ExitCode> {
  const argv = typeof line === 'string' ? line.split(' ') : line;
  return runCommandLine(argv, { ...nothingSet, ...environment }, ports);
}
