/**
 * How agents and their node's payload cache talk over HTTP; see docs/adr/0048. A file is named by its SHA-256 and nothing
 * else, so the cache knows neither paths nor users, and whoever is given a file can tell whether it is the right one.
 */

export const cachePort = 8090;

/**
 * `GET /files/SHA256?bytes=LENGTH&offset=N`: 200 with the bytes from there to the end, which may still be arriving; or 404:
 * with a lease where the asker is the one to bring the file, without one where it is not to be had here.
 * `PUT /files/SHA256?lease=LEASE` with the whole file: 201.
 * `POST /files/SHA256/doubt`: the bytes that came were wrong; the cache compares its file itself.
 */
export const cachePaths = { files: '/files/', doubt: '/doubt', health: '/healthz', metrics: '/metrics' } as const;

/** Header of a 404. */
export const leaseHeader = 'maas-lease';

export const sha256Pattern = /^[0-9a-f]{64}$/;

export function cachedFilePath(sha256: string, query: Readonly<Record<string, string | number>> = {}): string {
  const text = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return `${cachePaths.files}${sha256}${text.length === 0 ? '' : `?${text.join('&')}`}`;
}
