/** Kubernetes quantities: `512Mi`, `1.5Gi`, `500m`, `2`, `1e3`. */

const scale: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** What the API server checks with; see parseQuantity. */
export const quantityPattern = '^[0-9]+([.][0-9]*)?([eE][0-9]+|n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$';

/** The number that a quantity means (bytes for memory, cores for cpu), or undefined where the text is none. */
export function parseQuantity(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]*)?)(?:[eE]([0-9]+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/.exec(text);
  if (match === null) return undefined;
  const [, digits, exponent, suffix] = match;
  const factor = exponent === undefined ? scale[suffix ?? ''] : 10 ** Number(exponent);
  return factor === undefined ? undefined : Number(digits) * factor;
}

/** Do two quantities mean the same amount, however they are written? */
export function sameQuantity(left: string, right: string): boolean {
  const a = parseQuantity(left);
  const b = parseQuantity(right);
  return a !== undefined && b !== undefined ? a === b : left === right;
}

/** Bytes as a person reads them: `0 B`, `1.5 KiB`, `284 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024)
      return `${unit === 'B' || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${unit}`;
    value /= 1024;
  }
  return `${Math.round(value * 10) / 10} TiB`;
}
