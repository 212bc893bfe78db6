/** The rows of a file whose every one is a call: CSV with the names in its first line, or a JSON object a line. Pure. */
import { MaasError } from '../../contracts/errors.ts';
import { type JsonMember, readJavaJson } from '../../wire/java-json.ts';
import { counted } from '../output/counted.ts';
import { lineOfRow, readCsv, separatorOf } from './csv.ts';

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
  if (/^\ufeff?\s*\[\s*[{\]]/.test(text)) throw invalid('it is a list in JSON, and not an object a line');
  const rows = /^\ufeff?\s*\{/.test(text) ? fromJsonLines(text) : fromCsv(text);
  if (rows.length === 0) throw invalid('there is no row in it');
  if (rows.length > maxRows) throw invalid(`it has more than ${maxRows} rows`);
  return rows.map((args, at) => {
    const names = new Set(args.map(([name]) => name));
    return { number: at + 1, args: [...args, ...constant.filter(([name]) => !names.has(name))] };
  });
}

function fromCsv(text: string): readonly InputRow['args'][] {
  const separator = separatorOf(text);
  const reading = readCsv(text, separator);
  if (reading.rows === undefined) throw invalid(reading.problem);
  const [names = [], ...rows] = reading.rows;
  if (new Set(names).size < names.length) throw invalid('a name stands twice in its first line');
  if (names.includes('')) throw invalid('a name is missing in its first line');
  return rows.map((row, at) => {
    if (row.length !== names.length) {
      const line = lineOfRow(text, at + 1, separator);
      throw invalid(`line ${line} has ${counted(row.length, 'field')}, and the first line names ${names.length}`);
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
      const members = membersIn(line, at + 1);
      if (new Set(members.map(({ name }) => name)).size < members.length) {
        throw invalid(`line ${at + 1} has a name twice`);
      }
      return [members.map((member) => [member.name, textOf(member, at + 1)] as const)];
    });
}

function membersIn(line: string, number: number): readonly JsonMember[] {
  const reading = readJavaJson(Buffer.from(line));
  if (!reading.ok) throw invalid(`line ${number} is not JSON: ${reading.reason}`);
  if (reading.value.kind !== 'object') throw invalid(`line ${number} is not an object`);
  if (reading.trailing) throw invalid(`line ${number} goes on behind its object`);
  return reading.value.members;
}

/** As a rule would pass it: Stellar sends texts only, and of a null the name alone. Numbers as they are written. */
function textOf({ name, value }: JsonMember, number: number): string | null {
  switch (value.kind) {
    case 'null':
      return null;
    case 'string':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    default:
      throw invalid(`line ${number}: ${name} is neither text nor number`);
  }
}

function invalid(what: string): MaasError {
  return new MaasError('INPUTS_INVALID', `the inputs cannot be used: ${what}`);
}
