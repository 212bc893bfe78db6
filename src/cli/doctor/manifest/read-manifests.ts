/** Manifests from text, as kubectl reads it: YAML or JSON, several documents, Lists. Pure. */
import { LineCounter, parseAllDocuments } from 'yaml';
import { isRecord } from '../../cluster/api-object.ts';
import type { ApiObject } from '../../ports.ts';

/** A document that is an object, or what is wrong with it. */
export type ReadManifest =
  | { readonly where: string; readonly object: ApiObject }
  | { readonly where: string; readonly problem: string };

/** @param file as the user named it, for the reader */
export function readManifests(text: string, file: string): readonly ReadManifest[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, version: '1.1', uniqueKeys: true });
  const several = documents.filter(({ contents }) => contents !== null).length > 1;
  return [...documents].flatMap((document): ReadManifest[] => {
    const at = lines.linePos(document.contents?.range?.[0] ?? document.range?.[0] ?? 0).line;
    const where = several ? `${file} line ${at}` : file;
    const [error] = document.errors;
    if (error !== undefined) {
      const [position] = error.linePos ?? [];
      const [problem = error.message] = error.message.split(/ at line|:\n/);
      return [{ where: position === undefined ? where : `${file} line ${position.line}`, problem }];
    }
    const value: unknown = document.toJS();
    return value === null || value === undefined ? [] : objectsOf(value, where);
  });
}

function objectsOf(value: unknown, where: string): ReadManifest[] {
  if (!isRecord(value)) return [{ where, problem: 'it is no object of Kubernetes' }];
  const { kind, items } = value;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    return items.flatMap((item: unknown, at) => objectsOf(item, `${where} item ${at + 1}`));
  }
  return [{ where, object: value }];
}
