import { describe, expect, it } from 'vitest';
import { imageProblem } from './image-reference.ts';

describe('imageProblem', () => {
  it.each([
    'python',
    'python:3.12-slim',
    'registry.example/team/model:1.0',
    'registry.example:5000/team/model',
    'localhost:5000/m',
    '[fd00::1]:5000/m:1',
    'Registry.Example/m',
    'a/b__c/d-e.f:v_1.2-3',
    `m@sha256:${'a'.repeat(64)}`,
    `registry.example/m:1@sha256:${'a'.repeat(64)}`,
  ])('takes %s', (image) => {
    expect(imageProblem(image)).toBeUndefined();
  });

  it.each([
    ['team/Model:1.0', 'capital letters'],
    ['https://registry.example/m', 'scheme'],
    ['m :1', 'space'],
    ['m:', 'no name'],
    ['m:1:2', 'no name'],
    ['-m', 'no name'],
    ['m:tag/with', 'no name'],
    [`m:${'x'.repeat(129)}`, 'no name'],
    ['m@sha256:abc', 'no name'],
  ])('refuses %s', (image, words) => {
    expect(imageProblem(image)).toContain(words);
  });
});
