import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countReport, readResults, summaryLine } from './test-results.ts';

const report = { numPassedTests: 3, numFailedTests: 1, testResults: [{ status: 'failed', assertionResults: [{}] }] };

test('a file that failed before its tests ran is a failure', () => {
  const broken = { ...report, numFailedTests: 0, testResults: [{ status: 'failed', assertionResults: [] }] };
  expect(countReport(broken)).toEqual({ passed: 3, failed: 1 });
  expect(countReport(report)).toEqual({ passed: 3, failed: 1 });
});

describe('reports in a directory', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'results-test-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('are added up, or one project is picked', () => {
    writeFileSync(join(directory, 'unit.json'), JSON.stringify(report));
    writeFileSync(join(directory, 'e2e.json'), JSON.stringify({ ...report, numPassedTests: 5 }));
    writeFileSync(join(directory, 'notes.txt'), 'no report');
    expect(readResults(directory)).toEqual({ passed: 8, failed: 2 });
    expect(readResults(directory, 'e2e')).toEqual({ passed: 5, failed: 1 });
  });

  test('none are nothing', () => {
    expect(readResults(join(directory, 'absent'))).toEqual({ passed: 0, failed: 0 });
  });
});

test('the closing line', () => {
  expect(summaryLine({ passed: 12, failed: 0 })).toBe('12 passed, 0 failed');
});
