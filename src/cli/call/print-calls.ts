/** What `call` prints of the calls that it made. Pure. */
import { visible, visibleLines } from '../../kernel/shown-text.ts';
import type { JsonShape } from '../define-command.ts';
import { counted } from '../output/counted.ts';
import { type OutputFormat, printAs } from '../output/output-format.ts';
import { cell, printTable } from '../output/print-table.ts';
import type { Look } from '../ports.ts';
import type { Called, Way } from './call-instance.ts';
import type { Registered, Source } from './instances.ts';

/** Fields of `call -o json`, in the order of the output. */
export const callFields: JsonShape['fields'] = [
  ['model', 'The model.'],
  ['source', 'Where its instances were looked for: `status` or `zookeeper`.'],
  ['calls[].version', 'Version of the instance that was called.'],
  ['calls[].instance', 'Its pod, or its node in ZooKeeper.'],
  ['calls[].way', '`direct`, or `api-server` where it was called through the API server.'],
  ['calls[].url', 'What Stellar would ask for; null where it would ask nothing.'],
  ['calls[].status', 'HTTP status; null without an answer.'],
  ['calls[].ms', 'Milliseconds until the whole answer was here.'],
  [
    'calls[].gives',
    'What `MAAS_MODEL_APPLY` would give: `map`; `null`; `thread lost`: null now and from then on; `waiting`.',
  ],
  ['calls[].why', 'Why it would give no map; empty where it does.'],
  ['calls[].answer', 'The map; null where there is none.'],
  ['calls[].body', 'The beginning of an answer that is no map; null otherwise.'],
];

export interface CallsReport {
  readonly kind: 'ModelCalls';
  readonly apiVersion: 'cli.maas.dev/v1';
  readonly model: string;
  readonly source: Source;
  readonly calls: readonly CallView[];
}

interface CallView {
  readonly version: string;
  readonly instance: string;
  readonly way: Way;
  readonly url: string | null;
  readonly status: number | null;
  readonly ms: number;
  readonly gives: Called['gives'];
  readonly why: string;
  readonly answer: Readonly<Record<string, unknown>> | null;
  readonly body: string | null;
}

/** As much of an answer that is no map as is shown. */
const maxShown = 2_000;

export function callsReport({ model, source }: Registered, calls: readonly Called[]): CallsReport {
  return {
    kind: 'ModelCalls',
    apiVersion: 'cli.maas.dev/v1',
    model,
    source,
    calls: calls.map(({ instance, url = null, reply, ms, gives, why, answer }) => ({
      version: instance.version,
      instance: instance.name,
      way: instance.way,
      url,
      status: reply?.status ?? null,
      ms: Math.round(ms * 10) / 10,
      gives,
      why,
      answer: answer?.fields ?? null,
      body: answer === undefined && reply !== undefined ? bodyStart(reply.body) : null,
    })),
  };
}

/** The answer alone, for a pipe; what is no map as it came. */
export function printAnswer({ answer, reply }: Called): string {
  if (answer !== undefined) return `${visible(answer.json)}\n`;
  const body = bodyStart(reply?.body ?? new Uint8Array());
  return body === '' ? '' : `${visibleLines(body.trimEnd())}\n`;
}

/** Who answered, how, and what Stellar would make of it; a line each. */
export function aboutCall({ model, where }: Registered, called: Called): readonly string[] {
  const { instance, url, reply, ms, gives, why } = called;
  const answered = reply === undefined ? 'no answer' : `status ${reply.status}`;
  return [
    `${model} ${instance.version}, instance ${instance.name}, by ${where}`,
    ...(url === undefined ? [] : [`GET ${url}${wayText(instance.way)}`]),
    url === undefined ? 'nothing is asked' : `${answered} after ${msText(ms)}`,
    ...(gives === 'map' ? [] : [`Stellar: ${givesText(gives)}; ${why}`]),
  ];
}

export function printCalls(report: CallsReport, format: OutputFormat | undefined, look: Look): string {
  return printAs(format, report, {
    name: () => report.calls.map(({ instance }) => `${visible(instance)}\n`).join(''),
    table: (wide) =>
      printTable(
        [
          { heading: 'INSTANCE' },
          { heading: 'VERSION', spare: 1 },
          { heading: 'STATUS' },
          { heading: 'TIME' },
          { heading: 'STELLAR' },
          { heading: 'ANSWER' },
          ...(wide ? [{ heading: 'WAY' }, { heading: 'URL' }] : []),
        ],
        report.calls.map(({ instance, version, status, ms, gives, why, answer, way, url }) =>
          [
            instance,
            version,
            status,
            msText(ms),
            gives,
            answer === null ? why : JSON.stringify(answer),
            ...(wide ? [way, url] : []),
          ].map(cell),
        ),
        look.width,
      ),
  });
}

export function failedText(calls: readonly Called[]): string | undefined {
  const failed = calls.filter(({ gives }) => gives !== 'map').length;
  return failed === 0 ? undefined : `${failed} of ${counted(calls.length, 'instance')} gave Stellar no map`;
}

/** `0.8 ms`, `12 ms`, `1.5 s`. */
export function msText(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function wayText(way: Way): string {
  return way === 'direct' ? '' : ' (through the API server)';
}

function givesText(gives: Exclude<Called['gives'], 'map'>): string {
  switch (gives) {
    case 'null':
      return 'MAAS_MODEL_APPLY gives null';
    case 'thread lost':
      return 'MAAS_MODEL_APPLY gives null, now and from then on';
    case 'waiting':
      return 'MAAS_MODEL_APPLY does not return';
  }
}

function bodyStart(body: Uint8Array): string {
  const text = new TextDecoder().decode(body);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
