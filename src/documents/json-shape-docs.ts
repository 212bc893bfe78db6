/** What `-o json` prints, for those who write scripts; a test holds it to what the printers print. */
import { commands } from '../cli/commands.ts';
import type { JsonShape } from '../cli/define-command.ts';

const shapeDocs = ({ says, fields }: JsonShape): string =>
  `${says}\n\n| field | |\n|---|---|\n${fields.map(([field, means]) => `| \`${field}\` | ${means} |\n`).join('')}`;

/** Markdown. */
export function jsonShapeDocs(): string {
  const shapes = commands.flatMap(({ shape }) => (shape === undefined ? [] : [shapeDocs(shape)]));
  return `
## Output for scripts

${shapes.join('\n')}
\`add\` and \`remove\` print the resource itself: as it is in the cluster, with \`--wait\` as it is at the end, and with
\`--dry-run\` as a manifest that can be applied. \`version\` prints \`client\`, \`operator\` and \`kubernetes\`, null where
it is not known.

\`mode\` prints what holds: \`{"default": "active", "models": {"dga": "shadow"}}\`, with \`--model\` only
\`{"model": "dga", "mode": "shadow"}\`.

With \`-o json\` a failure is \`{"error": {"code": ..., "message": ..., "next": ...}}\` on standard error, behind the
notes that came before it; the codes are those of [the error reference](errors.md).
`;
}
