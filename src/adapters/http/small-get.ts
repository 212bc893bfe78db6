/** A bounded GET for small answers of our own agents: no redirects, no keep-alive, 64 KiB at most. */
import { bodyText } from './body.ts';
import { CallTime } from './call-time.ts';
import { exchange } from './exchange.ts';
import { straightTo } from './route.ts';

const maxBytes = 65_536;

/** @throws Error where the answer is no success, too long or too late */
export async function smallGet(url: string, timeoutMs: number): Promise<string> {
  const time = new CallTime(timeoutMs);
  const { signal } = time;
  try {
    const answer = await exchange({ method: 'GET', ...straightTo(new URL(url), false), signal });
    if (answer.status === 200) return await bodyText(answer, maxBytes, signal);
    answer.body.destroy();
    throw new Error(`status ${answer.status}`);
  } finally {
    time.end();
  }
}
