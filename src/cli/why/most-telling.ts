/** Of many instances those that tell most. Pure. */

/** In the order in which they came; one of each kind before a second one of any. */
export function mostTelling<T>(items: readonly T[], most: number, kindOf: (item: T) => string): readonly T[] {
  const seen = new Map<string, number>();
  const counted = items.map((item, place) => {
    const kind = kindOf(item);
    const nth = seen.get(kind) ?? 0;
    seen.set(kind, nth + 1);
    return { item, place, nth };
  });
  return counted
    .sort((a, b) => a.nth - b.nth || a.place - b.place)
    .slice(0, most)
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
