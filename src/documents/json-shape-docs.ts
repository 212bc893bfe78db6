/** What `-o json` prints, for those who write scripts; a test holds it to what the printers print. */

/** Fields of one item of `list -o json`, in the order of the output. */
export const listFields: readonly (readonly [field: string, means: string])[] = [
  ['namespace', 'Namespace of the resource.'],
  ['resource', 'metadata.name of the ModelDeployment.'],
  ['model', 'The model, as Stellar names it.'],
  ['version', 'The wanted version.'],
  ['serving', 'The version that clients get now; null when none.'],
  ['desired', 'Wanted instances.'],
  ['ready', 'Instances that answer; null before the operator has said anything.'],
  ['registered', 'Instances that clients see in ZooKeeper; null while that is not known.'],
  ['payload.path', 'Where the payload is, as the resource says.'],
  ['payload.digest', 'Digest of the pinned files; null before they are pinned.'],
  ['state.ready', 'The Ready condition: True, False or Unknown.'],
  ['state.reason', 'Its reason, one word.'],
  ['state.message', 'Its message.'],
  ['state.stalled', 'True when nothing but a change by somebody can help.'],
  ['state.reconciling', 'True while the operator is at work on it.'],
  ['endpoints[].pod', 'Pod of the instance.'],
  ['endpoints[].version', 'The version that it serves.'],
  ['endpoints[].registered', 'True when clients see it.'],
  ['endpoints[].url', 'The URL that clients call; null before there is one.'],
  ['endpoints[].functions', 'Paths of the functions by the names that clients use.'],
  ['endpoints[].state', 'Registered, or what it waits for or fails at.'],
  ['endpoints[].message', 'More about the state; null when there is nothing more to say.'],
  ['endpointsTotal', 'How many instances there are; `endpoints` holds at most 50 of them, failing ones first.'],
  ['created', 'When the resource was made, RFC 3339.'],
];

/** Fields of `status -o json`, in the order of the output. */
export const statusFields: readonly (readonly [field: string, means: string])[] = [
  ['serviceRoot', 'Below which node of ZooKeeper clients look.'],
  ['items[].model', 'The model, as clients name it.'],
  ['items[].version', 'The version.'],
  ['items[].served', 'True for the version that clients get who name none.'],
  ['items[].resources[].namespace', 'Namespace of a ModelDeployment that wants this version.'],
  ['items[].resources[].resource', 'Its metadata.name.'],
  ['items[].resources[].desired', 'Wanted instances.'],
  ['items[].resources[].ready', 'Instances that answer; null before the operator has said anything.'],
  ['items[].resources[].reason', 'Reason of its Ready condition.'],
  ['items[].registered.here', 'Registrations of agents of this cluster.'],
  ['items[].registered.otherCluster', 'Registrations of agents of another cluster.'],
  ['items[].registered.foreign', 'Registrations of anybody else: the original, or somebody by hand.'],
  ['items[].endpoints[].owner', '`here`, `other-cluster` or `foreign`.'],
  ['items[].endpoints[].url', 'The URL that clients call; null where there is none.'],
  ['items[].endpoints[].functions', 'Paths of the functions by the names that clients use.'],
  ['items[].endpoints[].path', 'Path of the registration in ZooKeeper.'],
  ['unreadable[].path', 'A registration that clients cannot read; one of them hides all models.'],
  ['unreadable[].reason', 'Why they cannot.'],
  ['queued', 'Requests in the queue of the old deploy client; null where there is no queue that can be read.'],
];

/** Fields of one item of `import -o json`, in the order of the output. */
export const importFields: readonly (readonly [field: string, means: string])[] = [
  ['manifest', 'The ModelDeployment, without what is missing.'],
  ['missing', 'What has to be filled in before it can be applied: `memory`, `payload.path`.'],
  ['notes', 'What was seen, in sentences.'],
  ['onlyAsked', 'True where only a waiting request asks for it, and nothing is registered.'],
];

/** Fields of `doctor -o json`, in the order of the output. */
export const doctorFields: readonly (readonly [field: string, means: string])[] = [
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

const fieldTable = (fields: readonly (readonly [field: string, means: string])[]): string =>
  `| field | |\n|---|---|\n${fields.map(([field, means]) => `| \`${field}\` | ${means} |`).join('\n')}`;

/** Markdown. */
export function jsonShapeDocs(): string {
  return `
## Output for scripts

\`list -o json\` and \`-o yaml\` print \`{"kind": "ModelList", "apiVersion": "cli.maas.dev/v1", "items": [...]}\`. Fields
are added to an item, never renamed or removed:

${fieldTable(listFields)}

\`status -o json\` prints \`{"kind": "StatusReport", "apiVersion": "cli.maas.dev/v1", ...}\`:

${fieldTable(statusFields)}

\`import -o json\` prints \`{"kind": "ImportList", "apiVersion": "cli.maas.dev/v1", "items": [...]}\`:

${fieldTable(importFields)}

\`doctor -o json\` prints \`{"kind": "DoctorReport", "apiVersion": "cli.maas.dev/v1", ...}\`, findings with the worst first:

${fieldTable(doctorFields)}

\`add\` and \`remove\` print the resource itself: as it is in the cluster, with \`--wait\` as it is at the end, and with
\`--dry-run\` as a manifest that can be applied. \`version\` prints \`client\`, \`operator\` and \`kubernetes\`, null where
it is not known.

\`mode\` prints what holds: \`{"default": "active", "models": {"dga": "shadow"}}\`, with \`--model\` only
\`{"model": "dga", "mode": "shadow"}\`.

With \`-o json\` a failure is \`{"error": {"code": ..., "message": ..., "next": ...}}\` on standard error, behind the
notes that came before it; the codes are those of [the error reference](errors.md).
`;
}
