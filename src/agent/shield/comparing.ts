/** Do two versions say the same? As JSON, where both are: neither spaces nor the order of fields matter then. */
import { sameJson } from '../../kernel/canonical-json.ts';

export interface ComparedAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

export function saySame(one: ComparedAnswer, other: ComparedAnswer): boolean {
  if (one.status !== other.status) return false;
  if (Buffer.compare(one.body, other.body) === 0) return true;
  const [left, right] = [jsonOf(one.body), jsonOf(other.body)];
  return left !== undefined && right !== undefined && sameJson(left.value, right.value);
}

function jsonOf(body: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(Buffer.from(body).toString('utf8')) };
  } catch {
    return undefined;
  }
}
