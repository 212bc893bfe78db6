/** The rows of a file whose every one is a call: CSV with the names in its first line, or a JSON object a line. Pure. */
import { MaasError } from '../../contracts/errors.ts';
import { readCsv } from './csv.ts';

export interface InputRow {
  /** From 1, without the line of names. */
  readonly number: number;
  readonly args: readonly (readonly [name: string, value: string | null])[];
}

/** More would not fit beside what is kept of them. */
const maxRows = 100_000;

/**
 * @param constant arguments of each row that do not stand in the file; the file's come before them
 * @throws MaasError INPUTS_INVALID
 */
export function readInputs(text: string, constant: InputRow['args'] = []): readonly InputRow[] {
  const rows = /^\ufeff?\s*\{/.test(text) ? fromJsonLines(text) : fromCsv(text);
  if (rows.length === 0) throw invalid('there is no row in it');
  if (rows.length > maxRows) throw invalid(`it has more than ${maxRows} rows`);
  return rows.map((args, at) => {
    const names = new Set(args.map(([name]) => name));
    return { number: at + 1, args: [...args, ...constant.filter(([name]) => !names.has(name))] };
  });
}

function fromCsv(text: string): readonly InputRow['args'][] {
  const [first = ''] = text.split('\n', 1);
  const reading = readCsv(text, first.includes('\t') && !first.includes(',') ? '\t' : ',');
  if (reading.rows === undefined) throw invalid(reading.problem);
  const [names = [], ...rows] = reading.rows;
  if (new Set(names).size < names.length) throw invalid('a name stands twice in its first line');
  if (names.includes('')) throw invalid('a name is missing in its first line');
  return rows.map((row, at) => {
    if (row.length !== names.length) {
      throw invalid(`row ${at + 1} has ${row.length} fields, and the first line names ${names.length}`);
    }
    return names.map((name, column) => [name, row[column] ?? ''] as const);
  });
}

function fromJsonLines(text: string): readonly InputRow['args'][] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .flatMap((line, at) => {
      if (line.trim() === '') return [];
      return [
        Object.entries(objectOf(line, at + 1)).map(([name, value]) => [name, textOf(value, name, at + 1)] as const),
      ];
    });
}

function objectOf(line: string, number: number): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw invalid(`line ${number} is not JSON`, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw invalid(`line ${number} is not an object`);
}

/** As a rule would pass it: Stellar sends texts only, and of a null the name alone. */
function textOf(value: unknown, name: string, number: number): string | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw invalid(`line ${number}: ${name} is neither text nor number`);
}

function invalid(what: string, cause?: unknown): MaasError {
  return new MaasError('INPUTS_INVALID', `the inputs cannot be used: ${what}`, cause === undefined ? {} : { cause });
}
