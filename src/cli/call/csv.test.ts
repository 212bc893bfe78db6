import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from './csv.ts';

describe('a CSV text', () => {
  it.each<[string, string, string[][]]>([
    ['nothing', '', []],
    ['one field', 'a', [['a']]],
    [
      'rows, the last without an end',
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'Windows ends and a byte order mark',
      '\ufeffa,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'empty fields',
      'a,,\n,\n',
      [
        ['a', '', ''],
        ['', ''],
      ],
    ],
    ['empty lines', '\na\n\n\nb\n\n', [['a'], ['b']]],
    [
      'quotes',
      '"a","b ""c"""\n"1,2","3\n4"',
      [
        ['a', 'b "c"'],
        ['1,2', '3\n4'],
      ],
    ],
    ['an empty field in quotes', '""\n', [['']]],
    ['spaces as they are', ' a , b ', [[' a ', ' b ']]],
  ])('has %s', (_what, text, rows) => {
    expect(readCsv(text)).toEqual({ rows });
  });

  it('takes another separator', () => {
    expect(readCsv('a\tb,c', '\t')).toEqual({ rows: [['a', 'b,c']] });
  });

  it.each([
    ['a\n"b', 2],
    ['a"b', 1],
    ['"a"b', 1],
    ['a,b\n1,"2"x', 2],
  ])('%j is refused at line %i', (text, line) => {
    expect(readCsv(text).problem).toMatch(new RegExp(`^line ${line}: `));
  });

  it('is read as it was written, whatever is in it', () => {
    const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[",\r\na ]*$/));
    const written = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1 })), fc.constantFrom('\n', '\r\n'), (rows, end) => {
        const text = rows.map((row) => row.map(written).join(',') + end).join('');
        expect(readCsv(text)).toEqual({ rows });
      }),
    );
  });

  it('is read or refused in the end, whatever it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[",\r\na]*$/), (text) => {
        const { rows, problem } = readCsv(text);
        expect(rows === undefined).toBe(problem !== undefined);
      }),
    );
  });
});
