/** A failure on standard error: what happened and what to do next. */
import type { MaasError } from '../../contracts/errors.ts';
import { visible } from '../../kernel/shown-text.ts';
import { paint } from './colour.ts';
import { printJson } from './print-object.ts';

/** @param json one JSON object instead of the text for people */
export function printError(error: MaasError, options: { readonly colour: boolean; readonly json: boolean }): string {
  const { code, message, next } = error;
  if (options.json) return printJson({ error: { code, message, next } });
  const head = paint(options, 'red', `error[${code}]`);
  return `${head}: ${visible(message)}\n${paint(options, 'bold', 'next')}: ${visible(next)}\n`;
}
