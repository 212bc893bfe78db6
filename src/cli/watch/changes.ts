/** What became of models from one look to the next. Pure. */
import { sameJson } from '../../kernel/canonical-json.ts';
import type { ModelView } from '../output/model-view.ts';

export interface ModelChange {
  readonly type: 'present' | 'added' | 'changed' | 'deleted';
  readonly view: ModelView;
}

type Views = ReadonlyMap<string, ModelView>;

/** @param before by UID; undefined for the first look */
export function changesBetween(before: Views | undefined, after: Views): readonly ModelChange[] {
  const there = [...after].flatMap(([uid, view]): ModelChange[] => {
    const was = before?.get(uid);
    if (was === undefined) return [{ type: before === undefined ? 'present' : 'added', view }];
    return sameJson(was, view) ? [] : [{ type: 'changed', view }];
  });
  const gone = [...(before ?? [])].flatMap(([uid, view]): ModelChange[] =>
    after.has(uid) ? [] : [{ type: 'deleted', view }],
  );
  return [...gone, ...there];
}
