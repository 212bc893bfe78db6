/** The warnings about the pods of a namespace, as events have them. */
import type { KubeClient } from './client.ts';
import { events } from './resource-kind.ts';

/** More than so many are not read; the server gives them by name, so those of one pod stand together. */
const most = 2_000;
const deadlineMs = 10_000;

export interface PodWarning {
  readonly podUid: string;
  readonly reason: string;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly lastSeen: number;
}

/** @throws MaasError */
export async function podWarnings(
  client: Pick<KubeClient, 'pages'>,
  namespace: string,
): Promise<readonly PodWarning[]> {
  const found: PodWarning[] = [];
  const fieldSelector = 'involvedObject.kind=Pod,type=Warning';
  for await (const page of client.pages(events, { namespace, fieldSelector, deadlineMs })) {
    for (const { involvedObject, reason, message, lastTimestamp, eventTime, series, firstTimestamp } of page.items) {
      const time = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp;
      found.push({
        podUid: involvedObject.uid ?? '',
        reason: reason ?? '',
        message: message ?? '',
        lastSeen: time === undefined ? 0 : Math.floor(Date.parse(time) / 1_000) * 1_000,
      });
    }
    if (found.length >= most) break;
  }
  return found;
}
