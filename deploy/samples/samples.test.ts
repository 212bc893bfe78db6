import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { apiVersion, kind, modelDeploymentSpec } from '../../src/contracts/resource.ts';

const here = (name: string) => new URL(name, import.meta.url);
const manifest = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  metadata: z.strictObject({ name: z.string() }),
  spec: z.strictObject(modelDeploymentSpec.shape),
});

describe.each(['dga', 'echo'])('the sample %s', (name) => {
  test('has a manifest that says nothing unknown', () => {
    const resource = manifest.parse(parse(readFileSync(here(`${name}.yaml`), 'utf8')));
    expect(resource.spec).toMatchObject({ name, payload: { path: `models/${name}` } });
  });

  test('is a payload: one executable script and its files', () => {
    const scripts = readdirSync(here(name)).filter((file) => file.endsWith('.sh'));
    expect(scripts).toEqual([`${name}.sh`]);
    expect(statSync(here(`${name}/${name}.sh`)).mode & 0o111).toBe(0o111);
    expect(readFileSync(here(`${name}/${name}.sh`), 'utf8')).toMatch(/^#!\/bin\/bash\n/);
  });

  test('leaves nothing beside its files', () => {
    expect(readdirSync(here(name))).not.toContain('endpoint.dat');
  });
});
