import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ErrorCode } from './error-catalogue.ts';
import { eventOf, heardReason, heardReasonOf, type Reason, rankOf, reasonOf, traitsOf } from './reasons.ts';

describe('reasonOf', () => {
  it.each<[ErrorCode, string]>([
    ['ENDPOINT_NOT_JSON', 'EndpointNotJson'],
    ['HDFS_PATH_MISSING', 'HdfsPathMissing'],
    ['INTERNAL', 'Internal'],
  ])('%s is %s', (code, reason) => {
    expect(reasonOf(code)).toBe(reason);
    expect(heardReasonOf(code)).toBe(reason);
  });

  it('takes a code of another version as it is', () => {
    expect(heardReasonOf('MOON_TOO_BRIGHT')).toBe('MoonTooBright');
    expect(traitsOf(heardReason('MoonTooBright'))).toMatchObject({ event: 'Warning', severity: 'failing' });
  });
});

describe('a reason', () => {
  it('that is in no catalogue does not compile', () => {
    expectTypeOf<'Serving'>().toExtend<Reason>();
    expectTypeOf<'HdfsPathMissing'>().toExtend<Reason>();
    expectTypeOf(reasonOf('PAYLOAD_CHANGED')).toEqualTypeOf<'PayloadChanged'>();
    expectTypeOf<'MoonTooBright'>().not.toExtend<Reason>();
    expectTypeOf<string>().not.toExtend<Reason>();
  });

  it('that nobody knows is told as a warning', () => {
    expect(traitsOf('HdfsPathMissing').event).toBe('Warning');
    expect(traitsOf('toString').event).toBe('Warning');
    expect(traitsOf('Starting').event).toBe('quiet');
    expect(traitsOf('Serving').event).toBe('Normal');
  });

  it('makes an event of the type that the catalogue gives it', () => {
    expect(eventOf('RequestRejected', 'no', 'Reject')).toEqual({
      type: 'Warning',
      reason: 'RequestRejected',
      message: 'no',
      action: 'Reject',
    });
    expect([eventOf('RequestDone', '', '').type, eventOf('Starting', '', '').type]).toEqual(['Normal', 'Normal']);
  });

  it('is as grave as its name says', () => {
    const order = ['Registered', 'Terminating', 'Starting', 'Unschedulable', 'ScriptEnded'];
    const ranks = order.map((reason) => rankOf(traitsOf(reason).severity));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    expect(new Set(ranks).size).toBe(order.length);
  });
});
