/** What becomes of a call in Stellar, from what was seen of it. Pure. */
import { type ModelAnswer, readModelAnswer } from '../../wire/model-call.ts';
import type { CallOutcome } from '../ports.ts';

/**
 * `map`: MAAS_MODEL_APPLY gives a map. `null`: it gives null. `thread lost`: it gives null, as does every later call of
 * that thread. `waiting`: it waits for as long as the model does not answer, and with it the thread.
 */
export interface StellarView {
  readonly gives: ModelAnswer['kind'] | 'waiting';
  /** In words; of a map nothing. */
  readonly why: string;
  readonly answer: Extract<ModelAnswer, { kind: 'map' }> | undefined;
}

export function stellarView(outcome: CallOutcome): StellarView {
  switch (outcome.kind) {
    case 'answered':
      return outcome.cut ? cutShort(outcome.status) : answered(outcome);
    case 'late':
      return without('waiting', `${outcome.problem}; Stellar has no limit of time and would still be waiting`);
    case 'unreached':
      return without('null', `there was no connection: ${outcome.problem}`);
    case 'dropped':
      return without(
        'null',
        `the connection ended without an answer: ${outcome.problem}; Stellar tries three times more`,
      );
    case 'lost':
      return without('null', outcome.problem);
  }
}

function answered(outcome: Extract<CallOutcome, { kind: 'answered' }>): StellarView {
  const answer = readModelAnswer(outcome);
  if (answer.kind === 'map') return { gives: 'map', why: '', answer };
  const lost = 'the thread of the client has lost its only connection with it and can call no model any more';
  return without(answer.kind, answer.kind === 'null' ? answer.why : `${answer.why}: ${lost}`);
}

function cutShort(status: number): StellarView {
  return status === 200
    ? without('null', 'the answer is too long to be read here; Stellar would read all of it')
    : answered({ kind: 'answered', status, body: new Uint8Array(), cut: false, ms: 0 });
}

function without(gives: Exclude<StellarView['gives'], 'map'>, why: string): StellarView {
  return { gives, why, answer: undefined };
}
