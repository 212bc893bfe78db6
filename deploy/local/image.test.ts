import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from './cache.ts';
import { imageName } from './image.ts';

describe('the name of an image', () => {
  let directory: string;
  let folder: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'image-test-'));
    mkdirSync(join(directory, 'image'));
    mkdirSync(join(directory, 'jars'));
    writeFileSync(join(directory, 'image', 'Dockerfile'), 'FROM scratch');
    writeFileSync(join(directory, 'image', 'pom.xml'), '<project/>');
    writeFileSync(join(directory, 'jars', 'a.jar'), 'a');
    folder = relative(projectRoot, join(directory, 'image'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const named = () => imageName({ name: 'thing', folder, added: { jars: join(directory, 'jars') } });

  test('is the same for the same content', () => {
    expect(named()).toMatch(/^thing:[0-9a-f]{12}$/);
    expect(named()).toBe(named());
  });

  test('changes with the Dockerfile and with what is added', () => {
    const names = new Set([named()]);
    writeFileSync(join(directory, 'image', 'Dockerfile'), 'FROM scratch\nUSER 1');
    names.add(named());
    writeFileSync(join(directory, 'jars', 'a.jar'), 'b');
    names.add(named());
    writeFileSync(join(directory, 'jars', 'b.jar'), '');
    names.add(named());
    expect(names.size).toBe(4);
  });

  test('does not change with what only says what to add', () => {
    const before = named();
    writeFileSync(join(directory, 'image', 'pom.xml'), '<project></project>');
    expect(named()).toBe(before);
  });
});
