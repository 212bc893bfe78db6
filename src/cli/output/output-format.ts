/** The formats of `-o`, and what they have in common. */
import { printJson, printYaml } from './print-object.ts';

export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/**
 * @param view what JSON and YAML print, a documented shape
 * @param format undefined means a table
 */
export function printAs(
  format: OutputFormat | undefined,
  view: object,
  text: { readonly name: () => string; readonly table: (wide: boolean) => string },
): string {
  switch (format) {
    case 'json':
      return printJson(view);
    case 'yaml':
      return printYaml(view);
    case 'name':
      return text.name();
    default:
      return text.table(format === 'wide');
  }
}
