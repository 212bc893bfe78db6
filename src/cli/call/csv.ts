/**
 * Rows of a CSV text as RFC 4180 has them and spreadsheets write them: fields in double quotes may hold commas, line breaks
 * and doubled quotes; lines end in LF or CRLF; a byte order mark is passed over. Pure.
 */

export type CsvReading =
  | { readonly rows: readonly (readonly string[])[]; readonly problem?: undefined }
  | { readonly problem: string; readonly rows?: undefined };

/** Lines without a character are passed over. @param separator of fields, one character */
export function readCsv(text: string, separator = ','): CsvReading {
  const rows: string[][] = [];
  let row: string[] = [];
  let line = 1;
  const field = new RegExp(`(?:"((?:[^"]|"")*)"|([^"\\n\\r${separator}]*))(\\r?\\n|${separator}|$)`, 'y');
  field.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  while (field.lastIndex < text.length || row.length > 0) {
    const match = field.exec(text);
    if (match === null) return { problem: `line ${line}: a quote is not closed, or stands within a field` };
    const [all, quoted, plain = '', end = ''] = match;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += all.split('\n').length - 1;
    if (end === separator) continue;
    if (row.length > 1 || row[0] !== '' || quoted !== undefined) rows.push(row);
    row = [];
  }
  return { rows };
}
