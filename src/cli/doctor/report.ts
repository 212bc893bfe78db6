/** What doctor says, for people and as the documented JSON. Pure. */

import { visible } from '../../kernel/shown-text.ts';
import type { JsonShape } from '../define-command.ts';
import { type Colour, paint } from '../output/colour.ts';
import { counted } from '../output/counted.ts';
import { type OutputFormat, printAs } from '../output/output-format.ts';
import { foldTo } from '../output/text-columns.ts';
import type { Look } from '../ports.ts';
import { instancesOf } from '../zookeeper/zookeeper-side.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import type { Severity } from './finding-catalogue.ts';

export interface DoctorReport {
  readonly kind: 'DoctorReport';
  readonly apiVersion: 'cli.maas.dev/v1';
  readonly errors: number;
  readonly warnings: number;
  readonly infos: number;
  readonly checked: readonly string[];
  readonly findings: readonly Finding[];
}

/** Fields of `doctor -o json`, in the order of the output. */
export const doctorFields: JsonShape['fields'] = [
  ['errors', 'How many findings are errors.'],
  ['warnings', 'How many are warnings.'],
  ['infos', 'How many are mere notes.'],
  ['checked', 'What was looked at, in words.'],
  ['findings[].code', 'One of the codes below.'],
  ['findings[].severity', '`error`, `warning` or `info`.'],
  ['findings[].subject', 'What it is about: a znode, an address, a Kubernetes object, a model.'],
  ['findings[].evidence', 'What was seen.'],
  ['findings[].cure', 'What to do.'],
];

/** @param checked what was looked at, in words */
export function reportOf(checked: readonly string[], findings: readonly Finding[]): DoctorReport {
  const number = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
  return {
    kind: 'DoctorReport',
    apiVersion: 'cli.maas.dev/v1',
    errors: number('error'),
    warnings: number('warning'),
    infos: number('info'),
    checked,
    findings,
  };
}

export function checkedOf({ zookeeper, endpoints, cluster, hdfs, models }: Facts): string[] {
  const checked: string[] = [];
  if (zookeeper?.known === true) {
    const { side, quorum } = zookeeper.value;
    checked.push(`ZooKeeper at ${quorum}`, `configuration node ${side.config.path}`);
    checked.push(`${counted(instancesOf(side).length, 'registration')} below ${side.serviceRoot}`);
    if (side.queue.path !== undefined) checked.push(`request queue ${side.queue.path}`);
    if (side.secondQueue?.path !== undefined) checked.push(`second queue ${side.secondQueue.path}`);
  }
  if (endpoints !== undefined) checked.push(`${counted(endpoints.length, 'endpoint')} by connecting`);
  if (models.known) checked.push(counted(models.value.length, 'model'));
  if (cluster.crd.known) checked.push('CRD');
  if (cluster.operators.known && cluster.lease.known) checked.push('operator');
  if (cluster.operatorMay.known && cluster.operatorMay.value.length > 0) checked.push("the operator's permissions");
  if (cluster.callerMay.known) checked.push('your permissions');
  for (const { name } of hdfs) checked.push(`HDFS ${name}`);
  return checked;
}

const colours: Readonly<Record<Severity, Colour>> = { error: 'red', warning: 'yellow', info: 'grey' };

export function printReport(report: DoctorReport, format: OutputFormat | undefined, options: Look): string {
  return printAs(format, report, {
    name: () => report.findings.map(({ code, subject }) => `${visible(`${code} ${subject}`)}\n`).join(''),
    table: () => report.findings.map((each) => printFinding(each, options)).join('') + summary(report, options),
  });
}

function printFinding({ code, severity, subject, evidence, cure }: Finding, options: Look): string {
  const head = `${severity}[${code}]`;
  return [
    ...folded(`${head}: ${visible(subject)}`, options, (line) =>
      line.replace(head, () => paint(options, colours[severity], head)),
    ),
    ...folded(`  ${visible(evidence)}`, options),
    ...folded(`  cure: ${visible(cure)}`, options, (line) =>
      line.replace(/^ {2}cure:/, () => `  ${paint(options, 'bold', 'cure')}:`),
    ),
  ].join('');
}

/** Lines that fit, those after the first one set in. Colour is put on afterwards: it takes no room. */
function folded(text: string, { width }: Look, first = (line: string) => line): string[] {
  const [, indent = '', words = ''] = /^( *)(.*)$/s.exec(text) ?? [];
  const more = indent === '' ? '  ' : `${indent}  `;
  const lines = width === undefined ? [words] : foldTo(width - more.length, words);
  return lines.map((line, at) => `${at === 0 ? first(indent + line) : more + line}\n`);
}

function summary({ errors, warnings, infos, checked }: DoctorReport, options: Look): string {
  const found = [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
    ...(infos > 0 ? [counted(infos, 'note')] : []),
  ];
  return [
    ...folded(`${found.length === 0 ? 'Nothing is wrong' : found.join(', ')}.`, options),
    ...(checked.length === 0 ? [] : folded(`Checked: ${visible(checked.join('; '))}.`, options)),
  ].join('');
}
