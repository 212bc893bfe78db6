/** Durations as Kubernetes users write them: `10m`, `1h30m`, `1.5s`, `500ms`. */

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** What the API server checks with; see parseDuration. */
export const durationPattern = '^([0-9]+([.][0-9]+)?(ms|s|m|h))+$';

/** Milliseconds, or undefined where the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!new RegExp(durationPattern).test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return Math.round(total);
}

/** A limit, in milliseconds, as people set it: `500ms`, `45s`, `10m`, `2h5m`; never more than two units. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return pair(minutes, 'm', minutes < 10 ? seconds % 60 : 0, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'm');
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * How long something has lasted, in milliseconds, as kubectl writes ages (`HumanDuration` of Kubernetes' apimachinery): `119s`, `5m1s`, `125m`,
 * `5h10m`, `4d3h`, `2y1d`. A difference of clocks of less than two seconds is none.
 */
export function formatAge(ms: number): string {
  const seconds = Math.trunc(ms / 1_000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.trunc(minutes / 60);
  const days = Math.trunc(hours / 24);
  const years = Math.trunc(days / 365);
  if (minutes < 2) return `${seconds}s`;
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (days < 8) return pair(days, 'd', hours % 24, 'h');
  if (years < 2) return `${days}d`;
  return years < 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}

function pair(value: number, unit: string, rest: number, restUnit: string): string {
  return rest > 0 ? `${value}${unit}${rest}${restUnit}` : `${value}${unit}`;
}
