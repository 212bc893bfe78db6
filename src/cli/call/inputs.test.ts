import { describe, expect, it } from 'vitest';
import { readInputs } from './inputs.ts';

const argsOf = (text: string, constant?: Parameters<typeof readInputs>[1]) =>
  readInputs(text, constant).map(({ args }) => Object.fromEntries(args));

describe('the inputs of a comparison', () => {
  it('are the rows of a CSV under the names of its first line', () => {
    expect(readInputs('host,port\nyahoo.com,80\n"a,b",\n')).toEqual([
      {
        number: 1,
        args: [
          ['host', 'yahoo.com'],
          ['port', '80'],
        ],
      },
      {
        number: 2,
        args: [
          ['host', 'a,b'],
          ['port', ''],
        ],
      },
    ]);
    expect(argsOf('host\tport\na,b\t1')).toEqual([{ host: 'a,b', port: '1' }]);
    expect(argsOf('\ufeff\r\nhost;port\r\n"a\nb";1,5\r\n')).toEqual([{ host: 'a\nb', port: '1,5' }]);
  });

  it('are JSON objects, one a line', () => {
    expect(argsOf('{"host":"a","n":1.5,"b":true,"x":null}\n\n{"host":"b"}\n')).toEqual([
      { host: 'a', n: '1.5', b: 'true', x: null },
      { host: 'b' },
    ]);
  });

  it('keep numbers as they are written', () => {
    expect(argsOf('{"id":12345678901234567890,"f":1.0,"e":1e3}')).toEqual([
      { id: '12345678901234567890', f: '1.0', e: '1e3' },
    ]);
  });

  it('get what they lack from the command line', () => {
    expect(
      argsOf('host\na', [
        ['host', 'x'],
        ['level', 'high'],
      ]),
    ).toEqual([{ host: 'a', level: 'high' }]);
  });

  it.each([
    ['', 'there is no row'],
    ['host\n', 'there is no row'],
    ['host,port\na', 'line 2 has 1 field, and the first line names 2'],
    ['host,port\n"a\nb",1\n\na,b,c', 'line 5 has 3 fields, and the first line names 2'],
    ['[{"a":1}]', 'it is a list in JSON'],
    ['{"a":1,"a":2}', 'line 1 has a name twice'],
    ['{"a":1} {"a":2}', 'line 1 goes on behind its object'],
    ['host,host\na,b', 'a name stands twice'],
    ['host,\na,b', 'a name is missing'],
    ['host\n"a', 'line 2: a quote'],
    ['{"a":1}\nnot', 'line 2 is not JSON'],
    ['{"a":1}\n[1]', 'line 2 is not an object'],
    ['{"a":{}}', 'line 1: a is neither text nor number'],
    [`a\n${'1\n'.repeat(100_001)}`, 'more than 100000 rows'],
  ])('%j are refused', (text, why) => {
    expect(() => readInputs(text)).toThrow(why);
  });
});
