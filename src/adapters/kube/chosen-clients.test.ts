import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { hasCode } from '../../contracts/errors.ts';
import { ChosenClients } from './chosen-clients.ts';

let home: string;
let clients: ChosenClients;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'chosen-'));
  const context = (name: string, namespace?: string) => ({ name, context: { cluster: 'c', user: 'u', namespace } });
  writeFileSync(
    join(home, 'config'),
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://c:6443' } }],
      users: [{ name: 'u', user: {} }],
      contexts: [context('one', 'fraud'), context('two')],
      'current-context': 'one',
    }),
  );
  clients = new ChosenClients({ HOME: home, KUBECONFIG: join(home, 'config') }, new HastyClock(), 'test/1');
});
afterEach(() => {
  clients.close();
  rmSync(home, { recursive: true });
});

it('gives one client for one choice, with the namespace of its context', () => {
  const choice = {};
  expect(clients.open(choice)).toBe(clients.open(choice));
  expect(clients.open(choice).namespace).toBe('fraud');
  expect(clients.open({ context: 'two' }).namespace).toBe('default');
});

it('takes the file that is named', () => {
  const kubeconfig = join(home, 'config');
  expect(new ChosenClients({}, new HastyClock(), 'test/1').open({ kubeconfig, context: 'one' }).namespace).toBe(
    'fraud',
  );
});

it('refuses a choice that the file does not have', () => {
  expect(() => clients.open({ context: 'three' })).toThrow(
    expect.toSatisfy((error: unknown) => hasCode(error, 'KUBECONFIG_INVALID')),
  );
});
