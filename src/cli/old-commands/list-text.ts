/** The text of the old LIST. Pure. */

import { visible } from '../../kernel/shown-text.ts';
import { compareTexts } from '../../kernel/text-order.ts';

/** An endpoint as clients see it; null where the registration says nothing. */
export interface ListedEndpoint {
  readonly model: string | null;
  readonly version: string;
  readonly url: string | null;
  /** In the order of the registration. */
  readonly functions: readonly (readonly [string, string])[];
}

/**
 * A heading for each model and version, below it each endpoint, below that its functions. Headings are in the order of
 * their text, endpoints in that of their URLs, both by UTF-16 code units, as Java compares.
 */
export function legacyListText(endpoints: readonly ListedEndpoint[]): string {
  const groups = Map.groupBy(
    endpoints.toSorted((a, b) => compareTexts(`${a.url}`, `${b.url}`)),
    ({ model, version }) => `Model ${model} @ ${version}`,
  );
  return [...groups]
    .toSorted(([a], [b]) => compareTexts(a, b))
    .flatMap(([heading, group]) => [visible(heading), ...group.flatMap(endpointLines)])
    .map((line) => `${line}\n`)
    .join('');
}

function endpointLines({ model, version, url, functions }: ListedEndpoint): string[] {
  const called = functions.map(([name, path]) => `\t${visible(`${name}=${path}`)}`);
  return [visible(`${model}:${version} @ ${url} serving:`), ...called];
}
