/** The order of texts that everything here sorts by: code unit by code unit, the same on every machine and in every locale. */

export function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** The same by what `of` gives for each. */
export function byText<Item>(of: (item: Item) => string): (one: Item, other: Item) => number {
  return (one, other) => compareTexts(of(one), of(other));
}
