/** `kubectl maas doctor`: what would go wrong for a Stellar client, and what is wrong with what serves it. */
import { defineCommand } from '../define-command.ts';
import { check } from '../doctor/check.ts';
import { gatherFacts } from '../doctor/gather-facts.ts';
import { checkManifests } from '../doctor/manifest/check-manifests.ts';
import { gatherManifests } from '../doctor/manifest/gather-manifests.ts';
import { checkedOf, doctorFields, printReport, reportOf } from '../doctor/report.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, option, or, repeated, type Values } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { everywhere, zookeeper } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { type Cluster, lookOf, type Ports } from '../ports.ts';

const defaultConnectMs = 2_000;

const fields = {
  /** Manifests to check in place of all else; `-` is standard input. */
  files: repeated(
    '-f, --filename <file>',
    'Check only the manifests of this file, before you apply it; - is standard input. Repeatable.',
    value.files,
    { suggests: 'files' },
  ),
  connect: flag('--no-connect', 'Do not connect to registered addresses.'),
  connectTimeoutMs: or(
    option(
      '--connect-timeout <time>',
      'How long an address may take to accept a connection. (default: 2s)',
      value.milliseconds,
    ),
    defaultConnectMs,
  ),
  strict: flag('--strict', 'Fail for warnings, too.'),
  ...zookeeper,
  ...everywhere,
};
type DoctorOptions = Values<typeof fields>;

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Checks what clients see and what serves it.',
  description:
    'Checks what a Stellar client would see in ZooKeeper, reading every registration as its library does, and what ' +
    'serves it: endpoints, the models, the old queue, the CRD, the operator, permissions, HDFS. It changes nothing.',
  fields,
  examples: [
    ['Check everything', 'doctor'],
    ['Check a manifest before you apply it', 'doctor -f model.yaml'],
    ['In a script: fail for warnings too', 'doctor --strict -o json'],
    ['Without an operator that publishes its settings', 'doctor --zookeeper zk1:2181,zk2:2181'],
  ],
  notes: [
    'With -f only manifests are checked, and nothing is applied: their fields, the namespace, who owns the name, the ' +
      'payload in HDFS, whatever else they name, the image, the order of versions, and whether a node would do. What ' +
      'you may not look at is reported as not checked.',
    'Doctor connects to each registered address without sending a byte. One that refuses is tried again for a second, ' +
      'because a server that takes one connection at a time may not be listening for a moment. Such a server is also ' +
      'busy for that moment: --no-connect leaves all of them alone. An address that cannot be reached from here may ' +
      'still be reachable for clients elsewhere, so that is a warning.',
  ],
  shape: {
    says: '`doctor -o json` prints `{"kind": "DoctorReport", "apiVersion": "cli.maas.dev/v1", ...}`, findings with the worst first:',
    fields: doctorFields,
  },
  /** Fails only for what keeps it from looking at anything: a part that cannot be asked is a finding. */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const report = await (options.files.length > 0 ? checkFiles : checkAll)(options, ports, cluster);
    ports.out.write(printReport(report, options.output, lookOf(ports.out)));
    const bad = report.errors > 0 || (options.strict && report.warnings > 0);
    return bad ? exitCodes.failed : exitCodes.ok;
  },
});

async function checkAll(options: DoctorOptions, ports: Ports, cluster: Cluster) {
  const facts = await gatherFacts(options, ports, cluster);
  // What could not be asked because the user does not wait any longer is not a finding.
  ports.signal.throwIfAborted();
  return reportOf(checkedOf(facts), check(facts));
}

async function checkFiles(options: DoctorOptions, ports: Ports, cluster: Cluster) {
  const world = await gatherManifests(options, options.files, ports, cluster);
  ports.signal.throwIfAborted();
  return reportOf([counted(world.manifests.length, 'manifest')], checkManifests(world));
}
