/** Reasons as the program gives and reads them; what each means stands in reason-catalogue.ts and error-catalogue.ts. */
import type { ErrorCode } from './error-catalogue.ts';
import { type Entry, type EventType, reasonCatalogue, type Severity, severities } from './reason-catalogue.ts';

/** `ENDPOINT_NOT_JSON` -> `EndpointNotJson` */
type InWords<Code extends string> = Code extends `${infer Word}_${infer Others}`
  ? `${Capitalize<Lowercase<Word>>}${InWords<Others>}`
  : Capitalize<Lowercase<Code>>;

export type CataloguedReason = keyof typeof reasonCatalogue;

declare const heard: unique symbol;
/** What another program said: an agent, or an operator that wrote a status. It may be of another version. */
export type HeardReason = string & { readonly [heard]: true };

/** What may be given as a reason: an entry of the catalogue, an error's code in the form that conditions use. */
export type Reason = CataloguedReason | InWords<ErrorCode> | HeardReason;

/** An error's code in the form that conditions use. */
export function reasonOf<Code extends ErrorCode>(code: Code): InWords<Code> {
  return inWords(code) as InWords<Code>;
}

/** The same of a code that another program said. */
export function heardReasonOf(code: string): Reason {
  return heardReason(inWords(code));
}

export function heardReason(reason: string): Reason {
  return reason as HeardReason;
}

function inWords(code: string): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

type Traits = Pick<Entry, 'places' | 'event' | 'severity' | 'expected'> & {
  readonly means?: string;
  readonly next?: string;
};

/** An error is always told, and somebody has to do something about it. */
const ofErrors: Traits = { places: ['Ready'], event: 'Warning', severity: 'failing' };

/** What is known of a reason, whoever gave it. What is in no catalogue is taken for an error of another version. */
export function traitsOf(reason: string): Traits {
  return Object.hasOwn(reasonCatalogue, reason) ? reasonCatalogue[reason as CataloguedReason] : ofErrors;
}

/** What an event says about an object. */
export interface ReasonedEvent {
  readonly type: EventType;
  readonly reason: Reason;
  readonly message: string;
  /** What was done, for `kubectl get events -o wide`. */
  readonly action: string;
}

/** An event of the type that its reason has. */
export function eventOf(reason: Reason, message: string, action: string): ReasonedEvent {
  const { event } = traitsOf(reason);
  return { type: event === 'quiet' ? 'Normal' : event, reason, message, action };
}

/** How grave it is, as a number to compare with others. */
export function rankOf(severity: Severity): number {
  return severities.indexOf(severity);
}
