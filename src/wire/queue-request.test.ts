import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RequestReading, readQueueRequest, requestNumber } from './queue-request.ts';

const read = (text: string): RequestReading => readQueueRequest(Buffer.from(text));

describe('a request of the old deploy client', () => {
  it('is read as it was written', () => {
    const add =
      '{"name":"dga","version":"1.0","numInstances":2,"memory":512,"action":"ADD","path":"/user/root/models"}';
    expect(read(add)).toEqual({
      kind: 'request',
      request: {
        name: 'dga',
        version: '1.0',
        instances: 2,
        memoryMb: 512,
        action: 'ADD',
        path: '/user/root/models',
      },
    });
    const remove = '{"name":"dga","version":"1.0","numInstances":1,"memory":0,"action":"REMOVE","path":null}';
    expect(read(remove)).toMatchObject({ request: { instances: 1, memoryMb: 0, action: 'REMOVE', path: null } });
  });

  it('has null and 0 for what is missing', () => {
    expect(read('{}')).toEqual({
      kind: 'request',
      request: { name: null, version: null, instances: 0, memoryMb: 0, action: null, path: null },
    });
  });

  it('is empty where a LIST left null behind', () => {
    expect(read('null')).toEqual({ kind: 'empty' });
    expect(read(' \n null ')).toEqual({ kind: 'empty' });
  });

  it.each([
    ['{"version":1.10}', { version: '1.10' }],
    ['{"version":true}', { version: 'true' }],
    ['{"numInstances":"3"}', { instances: 3 }],
    ['{"numInstances":2.9}', { instances: 2 }],
    ['{"numInstances":null}', { instances: 0 }],
    ['{"memory":-2147483648}', { memoryMb: -2147483648 }],
    ['{"name":"a","name":"b"}', { name: 'b' }],
    ['\ufeff{"name":"größe 模型"} rest', { name: 'größe 模型' }],
  ])('is understood as the original did: %s', (text, part) => {
    expect(read(text)).toMatchObject({ kind: 'request', request: part });
  });

  it.each([
    ['', /is not JSON/],
    ['{"name":"dga"', /ends too early/],
    ['ADD dga 1.0', /is not JSON/],
    ['[]', /is not a JSON object/],
    ['"null"', /is not a JSON object/],
    ['{"nmae":"dga"}', /does not know: "nmae"/],
    ['{"toString":1}', /does not know: "toString"/],
    ['{"__proto__":{}}', /does not know: "__proto__"/],
    ['{"action":"add"}', /has "add" as action/],
    ['{"action":0}', /has "0" as action/],
    ['{"name":{"a":1}}', /has an object as name/],
    ['{"numInstances":"two"}', /has "two" as numInstances/],
    ['{"numInstances":3000000000}', /has "3000000000" as numInstances/],
    ['{"memory":1e400}', /has "1e400" as memory/],
    ['{"memory":true}', /has true as memory/],
    [`{"path":"${'x'.repeat(65_536)}"}`, /is longer than 65536 bytes/],
    ['{"\u001b[31m":1}', /./],
  ])('is unreadable: %s', (text, why) => {
    const reading = read(text);
    expect(reading).toMatchObject({ kind: 'unreadable', why: expect.stringMatching(why) });
    expect(JSON.stringify(reading)).not.toContain('\u001b');
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(['request', 'empty', 'unreadable']).toContain(readQueueRequest(bytes).kind);
        },
      ),
    );
  });
});

describe('the number of a request', () => {
  it.each([
    ['qn-0000000007', 7],
    ['qn-2147483647', 2147483647],
    ['qn--2147483648', -2147483648],
    ['qn--000000001', -1],
  ])('%s', (node, number) => {
    expect(requestNumber(node)).toBe(number);
  });

  it.each(['qn-', 'qn-7', 'qn-00000000071', 'QN-0000000007', '_c_1-qn-0000000007', 'qn-0000000007 '])(
    'is none: %s',
    (node) => {
      expect(requestNumber(node)).toBeUndefined();
    },
  );
});
