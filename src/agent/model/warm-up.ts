/** The call that a model has to answer once before it counts as up: made, and read, as Stellar would. */
import { get, type IncomingMessage } from 'node:http';
import { formatDuration } from '../../contracts/duration.ts';
import { asMaasError, MaasError } from '../../contracts/errors.ts';
import type { WarmUp } from '../../contracts/pod-contract.ts';
import { oneLine, quoted } from '../../kernel/shown-text.ts';
import { type EndpointFile, portOf } from '../../wire/endpoint-file.ts';
import { modelCallHeaders, modelCallUrl, readModelAnswer } from '../../wire/model-call.ts';
import type { AskedAt } from './local-addresses.ts';

/** What a message shows of an answer. */
const shownCharacters = 200;
/** More of an answer is not read. */
const maxAnswerBytes = 1_048_576;

/**
 * @throws MaasError WARM_UP_FAILED, which says what came instead of what is expected
 */
export async function callWarmUp(asked: WarmUp, endpoint: EndpointFile, { host, lookup }: AskedAt): Promise<void> {
  const { scheme, path, functions } = endpoint;
  const authority = host.includes(':') ? `[${host}]` : host;
  const call = modelCallUrl({
    endpoint: { url: `${scheme}://${authority}:${portOf(endpoint)}${path}`, functions },
    function: asked.function,
    args: Object.entries(asked.arguments),
  });
  if (call.url === undefined) throw failed(`cannot be made: ${call.problem}`);
  const problem = differs(asked, await ask(call.url, asked.timeLimitMs, lookup));
  if (problem !== undefined) throw failed(`to ${call.url} ${problem}`);
}

function failed(what: string): MaasError {
  return new MaasError('WARM_UP_FAILED', `The warm-up call ${what}`);
}

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** What is wrong with the answer; undefined where it is what is expected. */
export function differs({ status, fields }: Pick<WarmUp, 'status' | 'fields'>, answer: Answer): string | undefined {
  const shown = oneLine(new TextDecoder().decode(answer.body), shownCharacters);
  const said = shown === '' ? 'with an empty body' : `with ${quoted(shown, shownCharacters)}`;
  if (answer.status !== status) return `was answered with status ${answer.status} in place of ${status}, ${said}`;
  const wanted = Object.entries(fields);
  if (wanted.length === 0) return undefined;
  const read = readModelAnswer({ status: 200, body: answer.body });
  if (read.kind !== 'map') return `was answered ${said}: ${read.why}`;
  for (const [name, value] of wanted) {
    if (!Object.hasOwn(read.fields, name)) return `was answered ${said}, without the field ${quoted(name)}`;
    if (textOf(read.fields[name]) !== value) {
      return `was answered ${said}, where the field ${quoted(name)} is not ${quoted(value)}`;
    }
  }
  return undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function ask(url: string, timeLimitMs: number, lookup: AskedAt['lookup']): Promise<Answer> {
  // TLS costs memory that most agents never need. Whose certificate it is is not in question here.
  const request = url.startsWith('https:') ? (await import('node:https')).get : get;
  const options = {
    ...{ headers: modelCallHeaders, agent: false as const, rejectUnauthorized: false },
    ...(lookup === undefined ? {} : { lookup, autoSelectFamily: true }),
  };
  const signal = AbortSignal.timeout(timeLimitMs);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, { ...options, signal }, resolve).on('error', reject);
    });
    return { status: response.statusCode ?? 0, body: await bodyOf(response) };
  } catch (error) {
    if (signal.aborted) throw failed(`to ${url} was not answered within ${formatDuration(timeLimitMs)}`);
    throw failed(`to ${url} failed: ${asMaasError(error).message}`);
  }
}

async function bodyOf(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxAnswerBytes) {
      response.destroy();
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes);
}
