/** On a terminal no line of the commands' own texts wraps; into a pipe everything is written, on lines as long as it takes. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readModel } from '../cluster/model.ts';
import { finding } from '../doctor/finding.ts';
import { printReport } from '../doctor/report.ts';
import { printStatus } from '../zookeeper/print-status.ts';
import type { StatusView } from '../zookeeper/status-view.ts';
import { viewOf } from './model-view.ts';
import { printModels } from './print-models.ts';
import { columnsOf } from './text-columns.ts';

const now = Date.parse('2026-01-05T03:00:00Z');
const why = '1 of 2 registered; the script ended with status 1; its last lines: Traceback (most recent call last) 模型';
const models = ['phishing-detector-for-mail', 'dga'].map((name) =>
  viewOf(
    readModel({
      metadata: {
        name: `${name}-2026.11`,
        namespace: 'fraud-detection',
        uid: name,
        resourceVersion: '7',
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: { name, version: '2026.11.25-rc.1', instances: 12, memory: '512Mi', payload: { path: 'models/x' } },
      status: {
        ready: 11,
        registered: 11,
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'WaitingForQueueCapacity',
            message: why,
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    }),
  ),
);
const status: StatusView = {
  kind: 'StatusReport',
  apiVersion: 'cli.maas.dev/v1',
  serviceRoot: '/maas/service',
  unreadable: [],
  queued: null,
  items: models.map(({ model, version, namespace, resource }) => ({
    model,
    version,
    served: true,
    resources: [{ namespace, resource, desired: 12, ready: 11, reason: 'WaitingForQueueCapacity', paused: false }],
    registered: { here: 11, otherCluster: 0, foreign: 2 },
    endpoints: [1, 2].map((n) => ({
      owner: 'foreign' as const,
      url: `http://node${n}.data.example.com:1500`,
      functions: {},
      path: `/maas/service/dga/${n}`,
    })),
  })),
};
const report = {
  kind: 'DoctorReport' as const,
  apiVersion: 'cli.maas.dev/v1' as const,
  errors: 1,
  warnings: 0,
  infos: 0,
  checked: ['ZooKeeper at zk1.example.com:2181,zk2.example.com:2181', 'configuration node /metron/maas/config'],
  findings: [finding('RegistrationUnreadable', `/maas/service/${'x'.repeat(90)}`, why)],
};

describe.each<[string, (options: { now: number; colour: boolean; width?: number; namespaces?: boolean }) => string]>([
  ['list', (options) => printModels(models, 'table', options)],
  ['list -A', (options) => printModels(models, 'table', { ...options, namespaces: true })],
  ['list -A -o wide', (options) => printModels(models, 'wide', { ...options, namespaces: true })],
  ['status', (options) => printStatus(status, undefined, options)],
  ['status -o wide', (options) => printStatus(status, 'wide', options)],
  ['doctor', (options) => printReport(report, undefined, options)],
])('%s', (_what, print) => {
  it.each([80, 120, 200])('fits a terminal of %d columns, colours or none', (width) => {
    for (const colour of [false, true]) {
      const lines = stripVTControlCharacters(print({ now, colour, width })).split('\n');
      expect(lines.filter((line) => columnsOf(line) > width)).toEqual([]);
    }
  });

  it('leaves nothing out in a pipe', () => {
    const text = print({ now, colour: false });
    for (const word of text.split(/\s+/)) expect(word).not.toMatch(/…$/);
    expect(text.split('\n').some((line) => line.length > 80)).toBe(true);
  });
});
