import { describe, expect, it } from 'vitest';
import { aPayload } from '../../test/builders/model-deployment.ts';
import { checkInstructed } from './instructed-payload.ts';

describe('checkInstructed', () => {
  it('takes the payload that the pod is to run, and whatever there is where nobody said which', () => {
    expect(() => checkInstructed({ payloadDigest: 'sha256:aa' }, aPayload())).not.toThrow();
    expect(() => checkInstructed({}, aPayload())).not.toThrow();
  });

  it('refuses another one, and says which of the two is which', () => {
    expect(() => checkInstructed({ payloadDigest: 'sha256:bb' }, aPayload())).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_PIN_MISMATCH', message: expect.stringMatching(/sha256:bb.*sha256:aa/) }),
    );
  });
});
