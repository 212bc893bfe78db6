/** Lists, page by page or whole. */

import type { ApiCalls, CallOptions } from './api-calls.ts';
import { type Attempt, apiStatusOf } from './api-status.ts';
import { collectionPath, type KubeObject, type ResourceKind, type Stored } from './resource-kind.ts';
import { type List, listPage } from './stored-object.ts';

export interface ListOptions extends CallOptions {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects a request, default 500; the answer holds all of them all the same. */
  readonly pageSize?: number | undefined;
}

/** A page. */
const deadlineMs = 30_000;
const attempts = 3;

export async function* listPages<T extends KubeObject>(
  calls: ApiCalls,
  kind: ResourceKind<T>,
  options: ListOptions,
): AsyncGenerator<List<T>> {
  const { namespace, labelSelector, fieldSelector, pageSize = 500, signal } = options;
  const attempt: Attempt = { verb: 'list', kind, namespace };
  let next: string | undefined;
  do {
    const answer = await calls.json(attempt, {
      method: 'GET',
      path: collectionPath(kind, namespace),
      query: { limit: String(pageSize), continue: next, labelSelector, fieldSelector },
      deadlineMs: options.deadlineMs ?? deadlineMs,
      signal,
    });
    const page = listPage<T>(attempt, kind, answer);
    yield page.list;
    next = page.next;
  } while (next !== undefined);
}

/** All pages; an expired continuation starts over. */
export async function listAll<T extends KubeObject>(
  calls: ApiCalls,
  kind: ResourceKind<T>,
  options: ListOptions,
): Promise<List<T>> {
  for (let attempt = 1; ; attempt++) {
    try {
      const items: Stored<T>[] = [];
      let resourceVersion = '';
      for await (const page of listPages(calls, kind, options)) {
        items.push(...page.items);
        resourceVersion = page.resourceVersion;
      }
      return { items, resourceVersion };
    } catch (error) {
      if (!isExpired(error) || attempt >= attempts) throw error;
    }
  }
}

/** Did the continuation of a list, or the resourceVersion of a watch, expire? */
export function isExpired(error: unknown): boolean {
  return apiStatusOf(error)?.status === 410;
}
