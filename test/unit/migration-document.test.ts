/** docs/migration.md says what became of each option of the old commands: of all of them, and of no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../deploy/local/cache.ts';
import { deployOptions, deployProgram, type MovedOption } from '../../src/cli/old-commands/deploy-options.ts';
import { serviceOptions, serviceProgram } from '../../src/cli/old-commands/service-options.ts';

const text = readFileSync(join(projectRoot, 'docs/migration.md'), 'utf8');
const section = (heading: string) => text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';

describe.each<[string, readonly MovedOption[]]>([
  [deployProgram, deployOptions],
  [serviceProgram, serviceOptions],
])('%s', (program, options) => {
  it('has a row for each option that it takes, in the words of the program', () => {
    const rows = [...section(program).matchAll(/^\| `-.*$/gm)].map(([row]) => row);
    expect(rows).toEqual(options.map(({ short, long, becomes }) => `| \`-${short}\`, \`--${long}\` | ${becomes} |`));
  });
});

it('names values that the chart has', () => {
  const values: unknown = parse(readFileSync(join(projectRoot, 'charts/maas-operator/values.yaml'), 'utf8'));
  const sections = Object.keys(values as Record<string, unknown>);
  const named = [...text.matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z]+)+)`/g)]
    .map((match) => match[1] ?? '')
    .filter((name) => sections.includes(name.split('.')[0] ?? ''));
  expect(named.length).toBeGreaterThan(10);
  for (const name of named) {
    const found = name.split('.').reduce<unknown>((value, key) => {
      return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    }, values);
    expect([name, found === undefined]).toEqual([name, false]);
  }
});
