/** What doctor says, for people and as the documented JSON. Pure. */
import { type Colour, paint } from '../colour.ts';
import type { OutputFormat } from '../command.ts';
import { counted } from '../counted.ts';
import { visible } from '../escape.ts';
import { printJson, printYaml } from '../print-object.ts';
import { instancesOf } from '../zookeeper-side.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import type { Severity } from './finding-catalogue.ts';

export interface DoctorReport {
  readonly kind: 'DoctorReport';
  readonly apiVersion: 'cli.maas.dev/v1';
  readonly errors: number;
  readonly warnings: number;
  readonly infos: number;
  /** What was looked at, in words. */
  readonly checked: readonly string[];
  readonly findings: readonly Finding[];
}

export function reportOf(facts: Facts, findings: readonly Finding[]): DoctorReport {
  const number = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
  return {
    kind: 'DoctorReport',
    apiVersion: 'cli.maas.dev/v1',
    errors: number('error'),
    warnings: number('warning'),
    infos: number('info'),
    checked: checkedOf(facts),
    findings,
  };
}

function checkedOf({ zookeeper, endpoints, cluster, hdfs }: Facts): string[] {
  const checked: string[] = [];
  if (zookeeper?.known === true) {
    const { side, quorum } = zookeeper.value;
    checked.push(`ZooKeeper at ${quorum}`, `configuration node ${side.config.path}`);
    checked.push(`${counted(instancesOf(side).length, 'registration')} below ${side.serviceRoot}`);
    if (side.queue.path !== undefined) checked.push(`request queue ${side.queue.path}`);
    if (side.secondQueue?.path !== undefined) checked.push(`second queue ${side.secondQueue.path}`);
  }
  if (endpoints !== undefined) checked.push(`${counted(endpoints.length, 'endpoint')} by connecting`);
  if (cluster.crd.known) checked.push('CRD');
  if (cluster.operators.known && cluster.lease.known) checked.push('operator');
  if (cluster.operatorMay.known && cluster.operatorMay.value.length > 0) checked.push("the operator's permissions");
  if (cluster.callerMay.known) checked.push('your permissions');
  for (const { name } of hdfs) checked.push(`HDFS ${name}`);
  return checked;
}

const colours: Readonly<Record<Severity, Colour>> = { error: 'red', warning: 'yellow', info: 'grey' };

export function printReport(report: DoctorReport, format: OutputFormat | undefined, colour: boolean): string {
  switch (format) {
    case 'json':
      return printJson(report);
    case 'yaml':
      return printYaml(report);
    case 'name':
      return report.findings.map(({ code, subject }) => `${visible(`${code} ${subject}`)}\n`).join('');
    default:
      return report.findings.map((each) => printFinding(each, colour)).join('') + summary(report);
  }
}

function printFinding({ code, severity, subject, evidence, cure }: Finding, colour: boolean): string {
  const head = paint({ colour }, colours[severity], `${severity}[${code}]`);
  return `${head}: ${visible(subject)}\n  ${visible(evidence)}\n  ${paint({ colour }, 'bold', 'cure')}: ${visible(cure)}\n`;
}

function summary({ errors, warnings, infos, checked }: DoctorReport): string {
  const found = [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
    ...(infos > 0 ? [`${infos} for information`] : []),
  ];
  const looked = checked.length === 0 ? '' : `Checked: ${visible(checked.join('; '))}.\n`;
  return `${found.length === 0 ? 'Nothing is wrong' : found.join(', ')}.\n${looked}`;
}
