import { describe, expect, it } from 'vitest';
import { type Concern, concernsAnnotation, decodeConcerns, encodeConcerns } from '../contracts/concern.ts';
import { Concerns } from './concerns.ts';

const about = (subject: string, message = 'm'): Concern => ({
  reason: 'NamespaceRefused',
  subject,
  message,
  next: 'Do.',
});

function setUp() {
  const told: string[] = [];
  return { told, concerns: new Concerns(({ subject }, over) => told.push(`${subject}${over ? ' is over' : ''}`)) };
}

describe('Concerns', () => {
  it('tells each when it begins and when it is over, and nothing in between', () => {
    const { told, concerns } = setUp();
    concerns.set('a', [about('x')]);
    concerns.set('a', [about('x', 'in other words'), about('y')]);
    concerns.set('b', [about('z')]);
    expect(concerns.list().map(({ subject, message }) => `${subject} ${message}`)).toEqual([
      'x in other words',
      'y m',
      'z m',
    ]);
    concerns.set('a', []);
    expect(told).toEqual(['x', 'y', 'z', 'x is over', 'y is over']);
  });

  it('tells a new leader what there is', () => {
    const { told, concerns } = setUp();
    concerns.set('a', [about('x')]);
    concerns.repeat();
    expect(told).toEqual(['x', 'x']);
  });
});

describe('the annotation of the Lease', () => {
  it('holds what was put into it', () => {
    expect(decodeConcerns(encodeConcerns([about('x')]))).toEqual([about('x')]);
    expect(concernsAnnotation).toBe('maas.dev/concerns');
  });

  it.each([
    ['nothing', undefined],
    ['no JSON', '{'],
    ['no list', '{}'],
    ['what a newer operator may say', '[{"reason":"New","subject":"x"}]'],
  ])('with %s is empty', (_name, text) => {
    expect(decodeConcerns(text)).toEqual([]);
  });
});
