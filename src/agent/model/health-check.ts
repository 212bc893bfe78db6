/** The opt-in HTTP check of a model. Without it no connection is ever made to a model. */
import { get } from 'node:http';
import type { LookupFunction } from 'node:net';

export interface HealthCheck {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** How the host is looked up, where not as names are. */
  readonly lookup?: LookupFunction;
  readonly timeoutMs: number;
}

/** Did a GET answer 2xx within the time? Never fails; the body is not read. */
export async function isHealthy(check: HealthCheck): Promise<boolean> {
  const { scheme, host, port, path, lookup, timeoutMs } = check;
  // A model's certificate names the address that clients use, not the pod's; who answers is not in question here.
  const options = {
    ...{ host, port, path, agent: false as const, rejectUnauthorized: false },
    ...(lookup === undefined ? {} : { lookup, autoSelectFamily: true }),
  };
  // TLS costs memory that most agents never need.
  const request = scheme === 'https' ? (await import('node:https')).get : get;
  return new Promise((resolve) => {
    const finish = (healthy: boolean) => {
      clearTimeout(timer);
      call.destroy();
      resolve(healthy);
    };
    const call = request(options, (response) => {
      const { statusCode = 0 } = response;
      finish(statusCode >= 200 && statusCode < 300);
    });
    call.on('error', () => finish(false));
    const timer = setTimeout(() => finish(false), timeoutMs);
  });
}
