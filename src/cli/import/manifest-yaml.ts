/** Imported manifests as YAML: what is not known stands as a comment where it belongs, so that nobody applies it unseen. */
import { visible } from '../../kernel/shown-text.ts';
import { printYaml } from '../output/print-object.ts';
import type { Imported } from './imported.ts';

/** One document each. The API server refuses those with something left to be filled in: both fields are required. */
export function manifestsYaml(all: readonly Imported[]): string {
  return all.map((imported) => `---\n${manifestYaml(imported)}`).join('');
}

const openLines: Readonly<Record<Imported['missing'][number], string>> = {
  memory:
    '  # To be filled in: memory of each instance (-m of the old deploy client, there in megabytes).\n  # memory: 512Mi\n',
  'payload.path':
    '  # To be filled in: the directory in HDFS (-hmp of the old deploy client).\n  # payload:\n  #   path: /user/metron/models/NAME\n  #   readFrom: Store\n',
};

function manifestYaml({ manifest, missing, notes }: Imported): string {
  const comments = notes.map((note) => `# ${visible(note)}\n`).join('');
  return `${comments}${printYaml(manifest)}${missing.map((field) => openLines[field]).join('')}`;
}
