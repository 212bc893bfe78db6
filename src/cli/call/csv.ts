/** Rows of a CSV text as RFC 4180 has them and spreadsheets write them. Pure. */
import { CsvError, parse } from 'csv-parse/sync';

export type CsvReading =
  | { readonly rows: readonly (readonly string[])[]; readonly problem?: undefined }
  | { readonly problem: string; readonly rows?: undefined };

/** Which line of the text a row ends in, from 1. @param row from 0, of a text that can be read */
export function lineOfRow(text: string, row: number, separator: Separator): number {
  let line = 0;
  const onRecord = <T>(record: T, { lines }: { readonly lines: number }): T => {
    line = lines;
    return record;
  };
  parse(text, { ...optionsFor(separator), to: row + 1, on_record: onRecord });
  return line;
}

export type Separator = ',' | '\t' | ';';

/** As the first line has it: spreadsheets write a semicolon where a comma stands within numbers. */
export function separatorOf(text: string): Separator {
  const [first = ''] = text.replace(/^\ufeff?[\r\n]*/, '').split('\n', 1);
  return ([',', '\t', ';'] as const).find((each) => first.includes(each)) ?? ',';
}

function optionsFor(separator: Separator) {
  return {
    bom: true,
    delimiter: separator,
    record_delimiter: ['\n', '\r\n'],
    // Whoever reads the rows knows how long they are to be, and says it in words of the file's.
    relax_column_count: true,
    skip_empty_lines: true,
  };
}

/** Lines without a character are passed over. */
export function readCsv(text: string, separator: Separator = ','): CsvReading {
  try {
    return { rows: parse(text, optionsFor(separator)) };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { problem: `line ${String(error['lines'])}: a quote is not closed, or stands within a field` };
  }
}
