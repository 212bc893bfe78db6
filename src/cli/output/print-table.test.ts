import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Column, printTable, printWhole } from './print-table.ts';
import { columnsOf } from './text-columns.ts';

const columns: readonly Column[] = [
  { heading: 'MODEL' },
  { heading: 'READY', spare: 1 },
  { heading: 'REASON' },
  { heading: 'AGE', spare: 2 },
];
const row = (...texts: string[]) => texts.map((text) => ({ text }));
const rows = [row('phishing-detector', '1', 'Serving', '5h10m'), row('模型', '12', 'ScriptEnded', '4s')];

describe('printTable', () => {
  it.each<[number | undefined, string[]]>([
    [
      undefined,
      [
        'MODEL               READY   REASON        AGE',
        'phishing-detector   1       Serving       5h10m',
        '模型                12      ScriptEnded   4s',
      ],
    ],
    [
      46,
      [
        'MODEL              READY  REASON       AGE',
        'phishing-detector  1      Serving      5h10m',
        '模型               12     ScriptEnded  4s',
      ],
    ],
    [
      38,
      [
        'MODEL              READY  REASON',
        'phishing-detector  1      Serving',
        '模型               12     ScriptEnded',
      ],
    ],
    [30, ['MODEL              REASON', 'phishing-detector  Serving', '模型               ScriptEnded']],
    [24, ['MODEL        REASON', 'phishing-d…  Serving', '模型         ScriptEnded']],
  ])('on %s columns', (width, lines) => {
    expect(printTable(columns, rows, width)).toBe(lines.map((line) => `${line}\n`).join(''));
  });

  it('colours what is cut', () => {
    const painted = [[{ text: 'phishing-detector', paint: (text: string) => `<${text}>` }, ...row('1', 'Up', '1s')]];
    expect(printTable(columns, painted, 16).split('\n')[1]).toBe('<phishin…>  Up');
  });
});

describe('printWhole', () => {
  it('is a table where there is room', () => {
    expect(printWhole(columns, rows, 80)).toBe(printTable(columns, rows, undefined));
  });

  it('puts the cells below one another where there is none, and leaves nothing out', () => {
    expect(printWhole(columns, rows, 22)).toBe(
      [
        'MODEL   phishing-detec',
        '        tor',
        'READY   1',
        'REASON  Serving',
        'AGE     5h10m',
        '',
        'MODEL   模型',
        'READY   12',
        'REASON  ScriptEnded',
        'AGE     4s',
        '',
      ].join('\n'),
    );
  });
});

const tables = fc.array(
  fc
    .tuple(...columns.map(() => fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 })))
    .map((texts) => row(...texts)),
  { maxLength: 4 },
);

it('never wraps on 80 columns or more', () => {
  fc.assert(
    fc.property(tables, fc.integer({ min: 80, max: 200 }), (anything, width) => {
      for (const print of [printTable, printWhole]) {
        for (const line of print(columns, anything, width).split('\n')) {
          expect(columnsOf(line)).toBeLessThanOrEqual(width);
        }
      }
    }),
  );
});
