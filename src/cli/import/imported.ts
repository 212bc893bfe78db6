/** A draft with what was found out about it: a manifest, what is missing in it, what somebody should know. Pure. */
import { resourceNameFor } from '../../contracts/names.ts';
import { formatBytes } from '../../contracts/quantity.ts';
import { apiVersion, kind } from '../../contracts/resource.ts';
import type { OldDefaults } from '../../deploy-rules/old-words.ts';
import type { JsonShape } from '../define-command.ts';
import { counted } from '../output/counted.ts';
import type { FoundPayload, ModelManifest } from '../ports.ts';
import type { Draft } from './draft.ts';

export const openFields = ['memory', 'payload.path'] as const;
export type OpenField = (typeof openFields)[number];

/** What became of looking for the payload. */
export type PayloadSearch =
  | { readonly state: 'found'; readonly path: string; readonly payload: FoundPayload }
  /** It is known where it should be, but not that it is there. */
  | { readonly state: 'unproved'; readonly path: string; readonly why: string }
  | { readonly state: 'unknown'; readonly tried: readonly { readonly path: string; readonly why: string }[] };

/** `importFields` says what each field means. */
export interface Imported {
  readonly manifest: ModelManifest;
  readonly missing: readonly OpenField[];
  readonly notes: readonly string[];
  readonly onlyAsked: boolean;
}

/** Fields of one item of `import -o json`, in the order of the output. */
export const importFields: JsonShape['fields'] = [
  ['manifest', 'The ModelDeployment, without what is missing.'],
  ['missing', 'What has to be filled in before it can be applied: `memory`, `payload.path`.'],
  ['notes', 'What was seen, in sentences.'],
  ['onlyAsked', 'True where only a waiting request asks for it, and nothing is registered.'],
];

/**
 * @param memory a quantity for what neither side tells
 * @param namespace where the resource is to be
 */
export function importedOf(
  draft: Draft,
  payload: PayloadSearch,
  options: {
    readonly namespace: string;
    readonly memory: string | undefined;
  } & OldDefaults,
): Imported {
  const { model, version } = draft;
  const onlyAsked = draft.registered === 0;
  const memory = draft.memoryMb === undefined ? options.memory : `${draft.memoryMb}Mi`;
  const path = payload.state === 'unknown' ? undefined : payload.path;
  return {
    manifest: {
      apiVersion,
      kind,
      metadata: { name: resourceNameFor(model, version), namespace: options.namespace },
      spec: {
        name: model,
        version,
        instances: onlyAsked ? draft.asked : draft.registered,
        ...(memory === undefined ? {} : { memory }),
        ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
        ...(path === undefined ? {} : { payload: { path, readFrom: options.readFrom } }),
      },
    },
    missing: openFields.filter((field) => (field === 'memory' ? memory === undefined : path === undefined)),
    notes: [...registeredNotes(draft), ...requestNotes(draft), ...payloadNotes(payload)],
    onlyAsked,
  };
}

/** How many addresses a note names. */
const shownUrls = 5;

function registeredNotes({ registered, urls }: Draft): string[] {
  if (registered === 0) return ['Not registered yet: only asked for in the old queue.'];
  const more = urls.length - shownUrls;
  const at =
    urls.length === 0 ? '' : ` at ${urls.slice(0, shownUrls).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return [`${counted(registered, 'instance')} registered${at}.`];
}

function requestNotes({ requests, asked, registered }: Draft): string[] {
  if (requests.length === 0) return [];
  const change = asked < 0 ? `${-asked} fewer` : registered > 0 ? `${asked} more` : `${asked}`;
  const taken = registered > 0 ? ', which are not counted here: whoever consumes the queue acts on them' : '';
  return [`Waiting requests ${requests.join(', ')} ask for ${change}${taken}.`];
}

function payloadNotes(payload: PayloadSearch): string[] {
  switch (payload.state) {
    case 'found': {
      const { script, files, bytes, path } = payload.payload;
      return [`Payload: ${path} holds ${counted(files, 'file')}, ${formatBytes(bytes)}; it runs ${script}.`];
    }
    case 'unproved':
      return [`The payload could not be seen: ${payload.why}`];
    case 'unknown':
      return payload.tried.map(({ path, why }) => `No payload at ${path}: ${why}`);
  }
}
