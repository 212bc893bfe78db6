import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSplitter } from './frames.ts';

function framed(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

describe('frames', () => {
  it('come out as they went in, however the stream was cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(framed));
        const splitter = new FrameSplitter();
        const received: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1;
          received.push(...splitter.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(received.map((frame) => frame.toString('hex'))).toEqual(
          sent.map((body) => Buffer.from(body).toString('hex')),
        );
      }),
    );
  });

  it('of an absurd length end the stream, after those before', () => {
    const splitter = new FrameSplitter();
    const frames = splitter.push(Buffer.concat([framed(Buffer.from('ok')), Buffer.from('HTTP/1.1 400')]));
    expect(frames.next().value?.toString()).toBe('ok');
    expect(() => frames.next()).toThrow('a frame of 1213486160 bytes');
    expect(() => [...new FrameSplitter().push(Buffer.from([0xff, 0xff, 0xff, 0xff]))]).toThrow('a frame of -1 bytes');
  });
});
