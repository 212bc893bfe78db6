/** A finding: what was seen where, how bad it is, what to do. */
import { compareTexts } from '../../kernel/text-order.ts';
import { type FindingCode, findingCatalogue, type Severity, severities } from './finding-catalogue.ts';

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What it is about: a znode, an address, a Kubernetes object, a model. */
  readonly subject: string;
  /** What was seen. */
  readonly evidence: string;
  readonly cure: string;
}

/** @param cure where more is known than the catalogue's advice */
export function finding(code: FindingCode, subject: string, evidence: string, cure?: string): Finding {
  const { severity, cure: usual } = findingCatalogue[code];
  return { code, severity, subject, evidence, cure: cure ?? usual };
}

/** The worst first; then in the order of the catalogue, which goes from the client's view to what is behind it. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const codes = Object.keys(findingCatalogue);
  return findings.toSorted(
    (a, b) =>
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      codes.indexOf(a.code) - codes.indexOf(b.code) ||
      compareTexts(a.subject, b.subject),
  );
}
