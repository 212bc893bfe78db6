/** A shield's metrics in Prometheus' text format; see metrics.ts of the agent for why without a client library. */

import { results } from '../../contracts/call-results.ts';
import type { ShieldInstructions } from '../../contracts/pod-contract.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { Counts } from './counts.ts';
import type { MirrorCounts } from './mirror.ts';

export interface ShieldFigures {
  readonly model: string;
  readonly version: string;
  readonly counts: Counts;
  readonly inFlight: number;
  readonly queued: number;
  readonly connections: number;
  readonly instructions: Pick<ShieldInstructions, 'maxInFlight'>;
  readonly cache?: Pick<AnswerCache, 'entries' | 'bytes'> | undefined;
  readonly mirror?: MirrorCounts | undefined;
}

type Labels = Readonly<Record<string, string>>;

export function shieldMetrics(figures: ShieldFigures): string {
  const { counts, cache, mirror } = figures;
  const own: Labels = { model: figures.model, version: figures.version };
  const lines: string[] = [];
  const sample = (name: string, value: number, labels: Labels = {}) =>
    lines.push(`${name}{${labelText({ ...own, ...labels })}} ${value}`);
  const metric = (name: string, type: 'gauge' | 'counter' | 'histogram', help: string) =>
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  const gauge = (name: string, help: string, value: number) => {
    metric(name, 'gauge', help);
    sample(name, value);
  };

  metric('maas_model_requests_total', 'counter', 'Calls to the model that are over, by what came of them.');
  for (const result of results) sample('maas_model_requests_total', counts.of(result), { result });
  metric('maas_model_responses_total', 'counter', "The model's own answers by their status, before the shield.");
  for (const [code, count] of counts.codes) sample('maas_model_responses_total', count, { code: String(code) });
  const duration = 'maas_model_request_duration_seconds';
  metric(duration, 'histogram', 'How long calls took, the time in the queue included.');
  for (const [le, count] of counts.durations.cumulative()) sample(`${duration}_bucket`, count, { le });
  sample(`${duration}_sum`, counts.durations.seconds);
  sample(`${duration}_count`, counts.durations.count);
  gauge('maas_model_requests_in_flight', 'Calls that are at the model.', figures.inFlight);
  gauge('maas_model_requests_in_flight_limit', 'How many may be.', figures.instructions.maxInFlight);
  gauge('maas_model_requests_queued', 'Calls that wait for a place.', figures.queued);
  gauge('maas_model_connections', 'Connections of clients that are open.', figures.connections);
  if (cache !== undefined) {
    gauge('maas_model_cache_entries', 'Answers that are kept.', cache.entries);
    gauge('maas_model_cache_bytes', 'Memory that they take.', cache.bytes);
  }
  if (mirror !== undefined) {
    metric('maas_model_mirrored_total', 'counter', 'Calls copied to another version, by how the answers compare.');
    for (const [result, count] of Object.entries(mirror)) sample('maas_model_mirrored_total', count, { result });
  }
  return `${lines.join('\n')}\n`;
}

/** Values as the format wants them: backslash, quote and line break are escaped. */
function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(',');
}
