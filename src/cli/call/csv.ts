/** Rows of a CSV text as RFC 4180 has them and spreadsheets write them. Pure. */
import { CsvError, parse } from 'csv-parse/sync';

export type CsvReading =
  | { readonly rows: readonly (readonly string[])[]; readonly problem?: undefined }
  | { readonly problem: string; readonly rows?: undefined };

/** Lines without a character are passed over. @param separator of fields, one character */
export function readCsv(text: string, separator = ','): CsvReading {
  try {
    const rows = parse(text, {
      bom: true,
      delimiter: separator,
      record_delimiter: ['\n', '\r\n'],
      // Whoever reads the rows knows how long they are to be, and says it in words of the file's.
      relax_column_count: true,
      skip_empty_lines: true,
    });
    return { rows };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { problem: `line ${String(error['lines'])}: a quote is not closed, or stands within a field` };
  }
}
