/** `kubectl maas doctor`: what would go wrong for a Stellar client, and what is wrong with what serves it. */
import type { DoctorCommand } from './command.ts';
import { check } from './doctor/check.ts';
import { gatherFacts } from './doctor/gather-facts.ts';
import { printReport, reportOf } from './doctor/report.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type Cluster, type Ports, roomOf } from './ports.ts';

/** Fails only for what keeps it from looking at anything: a part that cannot be asked is a finding. */
export async function doctor(command: DoctorCommand, ports: Ports, cluster: Cluster): Promise<ExitCode> {
  const facts = await gatherFacts(command, ports, cluster);
  // What could not be asked because the user does not wait any longer is not a finding.
  ports.signal.throwIfAborted();
  const report = reportOf(facts, check(facts));
  ports.out.write(printReport(report, command.output, { colour: ports.out.colour, width: roomOf(ports.out) }));
  const bad = report.errors > 0 || (command.strict && report.warnings > 0);
  return bad ? exitCodes.failed : exitCodes.ok;
}
