/** Counts tests from vitest's JSON reports. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './cache.ts';

export interface TestResults {
  readonly passed: number;
  readonly failed: number;
}

export const resultsDirectory = process.env['MAAS_TEST_RESULTS'] ?? join(projectRoot, '.cache/test-results');

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** One report. A file that failed before any of its tests ran counts as one failure. */
export function countReport(report: Report): TestResults {
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

/** The sum of all reports in a directory, or of one project's. */
export function readResults(directory: string, project?: string): TestResults {
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.json')) : [];
  return names
    .filter((name) => project === undefined || name === `${project}.json`)
    .map((name) => countReport(JSON.parse(readFileSync(join(directory, name), 'utf8')) as Report))
    .reduce((sum, one) => ({ passed: sum.passed + one.passed, failed: sum.failed + one.failed }), {
      passed: 0,
      failed: 0,
    });
}

export function summaryLine({ passed, failed }: TestResults): string {
  return `${passed} passed, ${failed} failed`;
}
