/** What an agent is told of the shield before its model: what the resource says, and defaults for what it leaves out. */
import { parseDuration } from '../contracts/duration.ts';
import type { ShieldInstructions } from '../contracts/pod-contract.ts';
import { parseQuantity } from '../contracts/quantity.ts';
import type { ModelDeploymentSpec } from '../contracts/resource.ts';
import { mostInFlight } from '../contracts/shield-spec.ts';

type Shield = NonNullable<ModelDeploymentSpec['shield']>;

const minuteMs = 60_000;
const mebibyte = 2 ** 20;

/** Within the CRD's bounds also where the API server did not hold the resource to them. */
export function shieldInstructionsOf(shield: Shield): ShieldInstructions {
  const { cache, mirror } = shield;
  return {
    timeLimitMs: within(10, milliseconds(shield.timeLimit, 10_000), 10 * minuteMs),
    maxInFlight: within(1, shield.maxInFlight ?? 32, mostInFlight),
    maxQueued: within(0, shield.maxQueued ?? 128, 1_024),
    queueTimeMs: within(0, milliseconds(shield.queueTime, 1_000), 10 * minuteMs),
    onError: shield.onError ?? 'NoContent',
    ...(cache === undefined
      ? {}
      : {
          cache: {
            bytes: within(65_536, Math.floor(parseQuantity(cache.size ?? '8Mi') ?? 8 * mebibyte), 16 * mebibyte),
            timeToLiveMs: within(1, milliseconds(cache.timeToLive, minuteMs), 24 * 60 * minuteMs),
          },
        }),
    ...(mirror === undefined ? {} : { mirror }),
  };
}

function milliseconds(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : (parseDuration(text) ?? otherwise);
}

function within(least: number, value: number, most: number): number {
  return Math.min(Math.max(least, value), most);
}
