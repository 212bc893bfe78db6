/** What the record of the old queue's requests says of those that were rejected, as people find it in the ConfigMap. */
import { z } from 'zod';

const entry = z.object({ at: z.string(), code: z.string(), why: z.string(), request: z.string() });

/** Oldest first. @param data of the ConfigMap */
export function rejectedRequests(data: Readonly<Record<string, string>>): z.infer<typeof entry>[] {
  return Object.entries(data)
    .filter(([key]) => key.startsWith('rejected.'))
    .map(([, text]) => entry.parse(JSON.parse(text)))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
