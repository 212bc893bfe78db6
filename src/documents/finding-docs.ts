/** What `kubectl maas doctor` can find, for the reference of the commands. */
import { findingCatalogue } from '../cli/doctor/finding-catalogue.ts';

/** Markdown. */
export function findingDocs(): string {
  const rows = Object.entries(findingCatalogue).map(
    ([code, { severity, means, cure }]) => `| \`${code}\` | ${severity} | ${means} | ${cure} |`,
  );
  return `
## What doctor finds

Codes are never renamed. The cure that is printed may be more exact than the one here.

| code | severity | means | cure |
|---|---|---|---|
${rows.join('\n')}
`;
}
