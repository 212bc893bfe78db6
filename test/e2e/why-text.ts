/** What `kubectl maas why` prints, with names in the place of what differs from one time to the next. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { eventually, type Stage } from './stage.ts';

/** In the place of times, of what Kubernetes makes up, and of what the agent says between two of its steps. */
export function normalised(stage: Stage, text: string, name: string): string {
  // Of pods that were refused only the beginning of the name is there.
  const pod = `${name}-[a-z0-9]+-[a-z0-9]+-(?:[a-z0-9]{5})?`;
  return text
    .replaceAll(stage.namespace, 'NAMESPACE')
    .replaceAll(stage.payloads, 'PAYLOADS')
    .replaceAll(new RegExp(`${pod}(?:_NAMESPACE\\([0-9a-f-]{36}\\))?`, 'g'), 'POD')
    .replaceAll(/\/pods\/[0-9a-f-]{36}\//g, '/pods/UID/')
    .replaceAll(/\/proc\/self\/fd\/\d+/g, '/proc/self/fd/N')
    .replaceAll(/\d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(/ for \S+, since TIME/g, ' for AGE, since TIME')
    .replaceAll(/begun \S+ ago/g, 'begun AGE ago')
    .replaceAll(/\(\S+ ago(?:, \d+ times)?\)/g, '(AGE ago)')
    .replaceAll(/TIME +\+\d[\w.]*/g, 'TIME TOOK')
    .replaceAll(/TIME {11}/g, 'TIME     ')
    .replaceAll(/verified in \d[\w.]*(?:, [\d.]+ \w+\/s)?/g, 'verified in TOOK')
    .replaceAll(/after \d+ restarts?/g, 'after RESTARTS')
    .replaceAll(/sha256:[0-9a-f]{12,64}/g, 'DIGEST')
    .replaceAll(/http:\/\/[\d.]+:\d+/g, 'URL')
    .replaceAll(/Port \d+/g, 'Port PORT')
    .replaceAll(/\b10(?:\.\d+){3}\b/g, 'IP')
    .replaceAll(/maas-(?:control-plane|worker\d*)/g, 'NODE')
    .replaceAll(/^( {2}agent {6}\| ).*\n(?: {13}\| .*\n)*/gm, '$1...\n');
}

const writes = process.env['MAAS_WRITE_GOLDENS'] !== undefined;

/**
 * Holds what is said of the model as a whole, above its instances, against a file of test/goldens/why. With
 * MAAS_WRITE_GOLDENS set the file is written instead, to be read by whoever changed something.
 *
 * @param golden name of the file, where it is not that of the model
 */
export async function tellsWhy(stage: Stage, name: string, golden = name): Promise<void> {
  const file = join(projectRoot, 'test/goldens/why', `${golden}.txt`);
  const read = async () =>
    `${normalised(stage, await stage.maas('why', name), name)
      .split('\n\n')[0]
      ?.trimEnd()}\n`;
  if (writes) {
    writeFileSync(file, await read());
    return;
  }
  const expected = readFileSync(file, 'utf8');
  let told = '';
  const asExpected = async () => {
    told = await read();
    return told === expected;
  };
  await eventually(`why tells of ${name}`, asExpected, { withinMs: 30_000 }).catch(() => {});
  expect(told).toBe(expected);
}
