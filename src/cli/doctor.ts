/** `kubectl maas doctor`: what would go wrong for a Stellar client, and what is wrong with what serves it. */
import type { DoctorCommand } from './command.ts';
import { check } from './doctor/check.ts';
import { gatherFacts } from './doctor/gather-facts.ts';
import { checkManifests } from './doctor/manifest/check-manifests.ts';
import { gatherManifests } from './doctor/manifest/gather-manifests.ts';
import { checkedOf, type DoctorReport, printReport, reportOf } from './doctor/report.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { counted } from './output/counted.ts';
import { type Cluster, type Ports, roomOf } from './ports.ts';

/** Fails only for what keeps it from looking at anything: a part that cannot be asked is a finding. */
export async function doctor(command: DoctorCommand, ports: Ports, cluster: Cluster): Promise<ExitCode> {
  const report =
    command.files.length > 0 ? await checkFiles(command, ports, cluster) : await checkAll(command, ports, cluster);
  ports.out.write(printReport(report, command.output, { colour: ports.out.colour, width: roomOf(ports.out) }));
  const bad = report.errors > 0 || (command.strict && report.warnings > 0);
  return bad ? exitCodes.failed : exitCodes.ok;
}

async function checkAll(command: DoctorCommand, ports: Ports, cluster: Cluster): Promise<DoctorReport> {
  const facts = await gatherFacts(command, ports, cluster);
  // What could not be asked because the user does not wait any longer is not a finding.
  ports.signal.throwIfAborted();
  return reportOf(checkedOf(facts), check(facts));
}

async function checkFiles(command: DoctorCommand, ports: Ports, cluster: Cluster): Promise<DoctorReport> {
  const world = await gatherManifests(command, command.files, ports, cluster);
  ports.signal.throwIfAborted();
  return reportOf([counted(world.manifests.length, 'manifest')], checkManifests(world));
}
