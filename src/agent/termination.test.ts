import fc from 'fast-check';
import { expect, it } from 'vitest';
import { terminationMessage } from '../contracts/pod-contract.ts';
import { terminationText } from './termination.ts';

it('is one line of JSON', () => {
  const message = { code: 'PAYLOAD_CHANGED', message: 'model.bin\nhas other content', next: 'Upload it elsewhere.' };
  const text = terminationText(message);
  expect(text).not.toContain('\n');
  expect(terminationMessage.parse(JSON.parse(text))).toEqual(message);
});

it('fits, whatever it says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 9_000 }), fc.string({ maxLength: 400 }), (message, next) => {
      const text = terminationText({ code: 'INTERNAL', message, next });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
      expect(terminationMessage.parse(JSON.parse(text)).next).toBe(next);
    }),
  );
});
