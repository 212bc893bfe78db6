/** Whose a request is: that of a model of ours, one for the second queue, or nobody's, because nobody could do it. Pure. */

import type { RequestQueueSettings } from '../contracts/settings.ts';
import { namespaceForModel } from '../deploy-rules/old-words.ts';
import { type QueueRequest, readQueueRequest } from '../wire/queue-request.ts';

export type Triage =
  | {
      readonly kind: 'ours';
      readonly request: NamedRequest;
      readonly namespace: string;
    }
  | { readonly kind: 'forward'; readonly to: string; readonly model: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unreadable'; readonly why: string };

export type NamedRequest = QueueRequest & { readonly name: string };

/**
 * What the original could not read is nobody's: it would only stop the original in turn. What it could read goes to
 * whom the model's name belongs, however impossible it is.
 *
 * @param node the request's data, and how many nodes lie below it
 */
export function triage(
  node: { readonly data: Uint8Array; readonly numChildren: number },
  settings: RequestQueueSettings,
): Triage {
  if (node.numChildren > 0) return { kind: 'unreadable', why: 'has nodes below it' };
  const reading = readQueueRequest(node.data);
  if (reading.kind !== 'request')
    return reading.kind === 'empty' ? { kind: 'empty' } : { kind: 'unreadable', why: reading.why };
  const { name } = reading.request;
  if (name === null) return { kind: 'unreadable', why: 'names no model' };
  const { forwardTo } = settings;
  if (forwardTo !== undefined && !isOurs(name, settings.models)) return { kind: 'forward', to: forwardTo, model: name };
  // The settings are refused where the queue is enabled without a namespace.
  return { kind: 'ours', request: { ...reading.request, name }, namespace: namespaceForModel(name, settings) ?? '' };
}

function isOurs(model: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : model === pattern,
  );
}
