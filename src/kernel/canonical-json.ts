/** JSON whose text is the same for the same value, whatever the order of keys in which it was built or received. */
import { byText } from './text-order.ts';

export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(byText(([key]) => key)))
      : inner,
  );
}

/** Whether two values have the same canonical JSON, without writing it: what is equal mostly is so down to its leaves. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => sameJson(item ?? null, right[index] ?? null));
  }
  if (isPlain(left) && isPlain(right)) {
    const keys = Object.keys(left).filter((key) => left[key] !== undefined);
    const others = Object.keys(right).filter((key) => right[key] !== undefined);
    return (
      keys.length === others.length && keys.every((key) => right[key] !== undefined && sameJson(left[key], right[key]))
    );
  }
  return canonicalJson(left) === canonicalJson(right);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
