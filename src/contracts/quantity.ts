/** Kubernetes quantities, as a Pod takes them: `512Mi`, `1.5Gi`, `500m`, `2`, `.5`, `1e3`. */

/** Powers of ten and of two by their suffixes. */
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binary: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/** What the API server checks with; see parseQuantity. None of what we take is negative. */
export const quantityPattern =
  '^[+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2}|n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$';
const shape = new RegExp(quantityPattern);

const nano = 1_000_000_000n;

/** Exact, in units of 10^-9: what is finer is rounded up, as Kubernetes does. Undefined where the text is no quantity. */
function nanosOf(text: string): bigint | undefined {
  if (!shape.test(text)) return undefined;
  const [, number = '', suffix = ''] = /^[+]?([0-9.]+)(.*)$/.exec(text) ?? [];
  const [whole = '', fraction = ''] = number.split('.');
  const two = binary[suffix];
  const ten = two !== undefined || suffix === '' ? 0 : (decimal[suffix] ?? Number(suffix.slice(1)));
  const tens = BigInt(ten - fraction.length + 9);
  const amount = BigInt(`${whole}${fraction}`) * (two === undefined ? 1n : 2n ** BigInt(two));
  if (tens >= 0n) return amount * 10n ** tens;
  const divisor = 10n ** -tens;
  return (amount + divisor - 1n) / divisor;
}

/** The number that a quantity means (bytes for memory, cores for cpu), or undefined where the text is none. */
export function parseQuantity(text: string): number | undefined {
  const nanos = nanosOf(text);
  return nanos === undefined ? undefined : Number(nanos / nano) + Number(nanos % nano) / Number(nano);
}

/** Are two quantities the same amount, however they are written? In a Pod all are rounded up to thousandths. */
export function sameQuantity(left: string, right: string): boolean {
  const a = nanosOf(left);
  const b = nanosOf(right);
  return a !== undefined && b !== undefined ? thousandths(a) === thousandths(b) : left === right;
}

function thousandths(nanos: bigint): bigint {
  return (nanos + 999_999n) / 1_000_000n;
}

/** Is the one amount more than the other? Never, where one of the two is no quantity. */
export function exceedsQuantity(left: string, right: string): boolean {
  const a = nanosOf(left);
  const b = nanosOf(right);
  return a !== undefined && b !== undefined && a > b;
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
