/**
 * Copies of a share of the calls for another version. Nobody waits for them: they have bounds of their own, and what does
 * not fit is left out and counted.
 */
import { Agent } from 'node:http';
import { quoted } from '../../kernel/shown-text.ts';
import type { EndpointFile } from '../../wire/endpoint-file.ts';
import { type ComparedAnswer, saySame } from './comparing.ts';
import { headerOf } from './headers.ts';
import type { Timer } from './timer.ts';
import { type Answer, type Asked, askModel, Cut } from './upstream.ts';

/** An instance of the other version, as it is registered. */
export interface MirrorTarget {
  readonly url: string;
  readonly functions: Readonly<Record<string, string>>;
}

export interface MirrorCounts {
  readonly same: number;
  readonly different: number;
  /** The other version gave no answer, or one that clients do not read. */
  readonly failed: number;
  /** There was no instance, too many copies were under way, an answer was too large to be compared, or the client left. */
  readonly skipped: number;
}

export interface MirrorOptions {
  readonly percent: number;
  readonly timeLimitMs: number;
  readonly targets: () => readonly MirrorTarget[];
  /** What the model itself offers, by which a called path is understood. */
  readonly own: () => Pick<EndpointFile, 'path' | 'functions'> | undefined;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly timer: Timer;
  /** Told of answers that differ, in words. */
  readonly differed: (what: string) => void;
}

/** At once; each may hold two answers. */
const mostCopies = 16;
/** So that two versions that mirror each other do not go on for ever. */
export const mirrorHeader = 'x-maas-mirror';

export class Mirror {
  readonly #options: MirrorOptions;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 4, timeout: 30_000 });
  readonly #underWay = new Set<(cut: Cut) => void>();
  readonly counts = { same: 0, different: 0, failed: 0, skipped: 0 };

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  /** @returns to be told the model's own answer, or that nobody waited for it */
  copy(asked: Asked): ((own: Answer | undefined) => void) | undefined {
    const { percent, random } = this.#options;
    if (asked.method !== 'GET' || asked.body !== undefined) return undefined;
    if (headerOf(asked.headers, mirrorHeader) !== undefined || random() * 100 >= percent) return undefined;
    const target = this.#targetOf(asked.path);
    if (target === undefined || this.#underWay.size >= mostCopies) {
      this.counts.skipped += 1;
      return undefined;
    }
    const own = Promise.withResolvers<Answer | undefined>();
    void this.#compare(asked, own.promise, this.#ask(target, asked));
    return own.resolve;
  }

  close(): void {
    for (const abort of this.#underWay) abort(new Cut('gone', 'the agent ends'));
    this.#agent.destroy();
  }

  #targetOf(path: string): URL | undefined {
    const { targets, own, random } = this.#options;
    const all = targets();
    const target = all[Math.floor(random() * all.length)];
    const known = own();
    const address = target && known && mirroredUrl(path, known, target);
    return address === undefined ? undefined : (URL.parse(address) ?? undefined);
  }

  #ask({ hostname, port, host, pathname, search }: URL, asked: Asked): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const upstream = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), agent: this.#agent };
    const accept = headerOf(asked.headers, 'accept');
    const headers = ['Host', host, ...(accept === undefined ? [] : ['Accept', accept]), mirrorHeader, '1'];
    const over = (answer: Answer) => {
      callOff();
      this.#underWay.delete(abort);
      // It is too large to be compared.
      if (answer.kind === 'flowing') answer.rest.destroy();
      resolve(answer);
    };
    const abort = askModel(upstream, { method: 'GET', path: `${pathname}${search}`, headers }, over);
    this.#underWay.add(abort);
    const { timer, timeLimitMs } = this.#options;
    const callOff = timer.after(timeLimitMs, () => abort(new Cut('timeout', 'it took too long')));
    return promise;
  }

  async #compare(asked: Asked, own: Promise<Answer | undefined>, other: Promise<Answer>): Promise<void> {
    const [one, two] = await Promise.all([own, other]);
    const verdict = one === undefined ? 'skipped' : verdictOf(one, two);
    this.counts[verdict] += 1;
    if (one === undefined || verdict !== 'different') return;
    this.#options.differed(`${quoted(asked.path, 200)}: here ${shown(one)}, there ${shown(two)}`);
  }
}

function verdictOf(own: Answer, other: Answer): keyof MirrorCounts {
  if (other.kind === 'failed' || other.status === 204) return 'failed';
  if (own.kind === 'flowing' || other.kind === 'flowing') return 'skipped';
  return saySame(compared(own), compared(other)) ? 'same' : 'different';
}

function compared(answer: Exclude<Answer, { kind: 'flowing' }>): ComparedAnswer {
  return answer.kind === 'whole' ? answer : { status: 0, body: new Uint8Array() };
}

function shown(answer: Answer): string {
  if (answer.kind === 'failed') return answer.why;
  return answer.kind === 'flowing' ? `${answer.status}` : `${answer.status} ${quoted(answer.body.toString('utf8'))}`;
}

/**
 * The URL by which the other version offers the function that was called here; undefined where it offers none of that
 * name.
 *
 * @param path as it was called, query included
 */
export function mirroredUrl(
  path: string,
  own: Pick<EndpointFile, 'path' | 'functions'>,
  target: MirrorTarget,
): string | undefined {
  const [called = ''] = path.split('?', 1);
  const base = own.path.replace(/\/$/, '');
  const name = Object.keys(own.functions).find((each) => called === `${base}/${below(own.functions[each] ?? '')}`);
  if (name === undefined || !Object.hasOwn(target.functions, name)) return undefined;
  return `${target.url.replace(/\/$/, '')}/${below(target.functions[name] ?? '')}${path.slice(called.length)}`;
}

function below(path: string): string {
  return path.startsWith('/') ? path.slice(1) : path;
}
