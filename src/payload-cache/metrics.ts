/** What the cache tells Prometheus, in its text format. */

export interface CacheCounts {
  /** Files that were given from here, those that were still arriving included. */
  hits: number;
  /** Askers that were told to bring the file. */
  misses: number;
  /** Askers that were sent to HDFS, because there was no room or nobody brought it in time. */
  without: number;
  bytesOut: number;
  bytesIn: number;
  evictions: number;
  /** Files that came with other bytes than their name says, or not to their end. */
  refused: number;
  /** Files that were found damaged on the disk, and removed. */
  damaged: number;
}

export const noCounts = (): CacheCounts => ({
  hits: 0,
  misses: 0,
  without: 0,
  bytesOut: 0,
  bytesIn: 0,
  evictions: 0,
  refused: 0,
  damaged: 0,
});

const helps: Readonly<Record<keyof CacheCounts, readonly [string, string]>> = {
  hits: ['hits_total', 'Files that were given from the cache.'],
  misses: ['misses_total', 'Askers that were told to bring the file from HDFS.'],
  without: [
    'without_total',
    'Askers that were sent to HDFS because there was no room, or nobody brought the file in time.',
  ],
  bytesOut: ['sent_bytes_total', 'Bytes that agents were given.'],
  bytesIn: ['received_bytes_total', 'Bytes that agents brought.'],
  evictions: ['evictions_total', 'Files that were removed to make room.'],
  refused: ['refused_total', 'Files that were brought with other bytes than their digest says, or not to their end.'],
  damaged: ['damaged_total', 'Files that were damaged on the disk, and removed.'],
};

export function metricsText(
  counts: CacheCounts,
  now: { readonly taken: number; readonly room: number; readonly files: number },
): string {
  const lines: string[] = [];
  const metric = (name: string, type: 'gauge' | 'counter', help: string, value: number) => {
    const full = `maas_payload_cache_${name}`;
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, `${full} ${value}`);
  };
  for (const [key, [name, help]] of Object.entries(helps))
    metric(name, 'counter', help, counts[key as keyof CacheCounts]);
  metric('used_bytes', 'gauge', 'Bytes that files take, or are promised to files that are being brought.', now.taken);
  metric('room_bytes', 'gauge', 'Bytes that files may take.', now.room);
  metric('files', 'gauge', 'Files that are there or arriving.', now.files);
  return `${lines.join('\n')}\n`;
}
