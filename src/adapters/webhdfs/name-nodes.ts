/**
 * The addresses of one nameservice. A request goes to the name node that served the last one; when that one is
 * standby, unreachable or asks to be tried later, to the next, round after round with growing pauses.
 */

import { MaasError } from '../../contracts/errors.ts';
import { backOffMs } from '../../kernel/back-off.ts';
import type { Clock } from '../../kernel/clock.ts';
import { shownAddress, webhdfsBase } from './web-address.ts';

/** Thrown by an attempt that another name node may serve. */
export class TryElsewhere extends Error {
  /** What to report if no other one does. */
  readonly error: MaasError;
  /** The request may have taken effect although nothing was answered. */
  readonly maybeDone: boolean;

  constructor(error: MaasError, maybeDone: boolean) {
    super(error.message, { cause: error });
    this.error = error;
    this.maybeDone = maybeDone;
  }
}

export interface Attempt {
  readonly base: URL;
  /** An earlier attempt of the same request may have taken effect. */
  readonly maybeDone: boolean;
}

export interface NameNodesOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How often all addresses are tried before giving up. */
  readonly rounds: number;
  readonly onFailover?: (from: string, to: string) => void;
}

/** While one name node hands over to another. */
const betweenRounds = { firstMs: 300, longestMs: 5_000 };

export class NameNodes {
  readonly nameservice: string;
  readonly #bases: readonly URL[];
  readonly #options: NameNodesOptions;
  #active = 0;

  constructor(nameservice: string, addresses: readonly string[], options: NameNodesOptions) {
    this.nameservice = nameservice;
    this.#bases = addresses.map(webhdfsBase);
    this.#options = options;
  }

  /**
   * Makes attempts until one returns or throws something other than TryElsewhere.
   *
   * @throws what the attempt throws; HDFS_UNREACHABLE or HDFS_UNAVAILABLE when no address serves
   */
  async ask<T>(attempt: (attempt: Attempt) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { clock, random, rounds } = this.#options;
    let maybeDone = false;
    for (let round = 1; ; round++) {
      const failed: [URL, MaasError][] = [];
      const start = this.#active;
      for (let step = 0; step < this.#bases.length; step++) {
        signal?.throwIfAborted();
        const index = (start + step) % this.#bases.length;
        try {
          return await this.#askOne(index, maybeDone, attempt);
        } catch (error) {
          if (!(error instanceof TryElsewhere)) throw error;
          maybeDone ||= error.maybeDone;
          failed.push([this.#base(index), error.error]);
        }
      }
      if (round >= rounds) throw this.#nobody(failed);
      await clock.sleep(backOffMs(betweenRounds, round, random), signal);
    }
  }

  async #askOne<T>(index: number, maybeDone: boolean, attempt: (attempt: Attempt) => Promise<T>): Promise<T> {
    try {
      const result = await attempt({ base: this.#base(index), maybeDone });
      this.#serves(index);
      return result;
    } catch (error) {
      if (error instanceof MaasError) this.#serves(index);
      throw error;
    }
  }

  /** A definite answer, an error too, shows which name node is the active one. */
  #serves(index: number): void {
    if (index === this.#active) return;
    this.#options.onFailover?.(shownAddress(this.#base(this.#active)), shownAddress(this.#base(index)));
    this.#active = index;
  }

  #base(index: number): URL {
    const base = this.#bases[index];
    if (base === undefined)
      throw new MaasError('SETTINGS_INVALID', `Nameservice ${this.nameservice} has no WebHDFS address`);
    return base;
  }

  #nobody(failed: [URL, MaasError][]): MaasError {
    const [first] = failed;
    if (first === undefined)
      return new MaasError('SETTINGS_INVALID', `Nameservice ${this.nameservice} has no WebHDFS address`);
    if (failed.length === 1) return first[1];
    const answered = failed.find(([, error]) => error.code !== 'HDFS_UNREACHABLE');
    return new MaasError(
      answered?.[1].code ?? 'HDFS_UNREACHABLE',
      `No name node of ${this.nameservice} serves: ${failed.map(([, error]) => error.message).join('; ')}`,
      { cause: first[1] },
    );
  }
}
