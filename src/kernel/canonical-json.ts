/** JSON whose text is the same for the same value, whatever the order of keys in which it was built or received. */
import { byText } from './text-order.ts';

export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(byText(([key]) => key)))
      : inner,
  );
}

export function sameJson(left: unknown, right: unknown): boolean {
  return canonicalJson(left) === canonicalJson(right);
}
