/** The closing line of `.ci/run`, from the reports that `make test` left. Fails when no test ran. */
import { readResults, summaryLine } from './test-results.ts';

const results = readResults(process.argv[2] ?? '');
if (results.passed + results.failed === 0) {
  process.stderr.write('no test ran\n');
  process.exitCode = 1;
}
process.stdout.write(`${summaryLine(results)}\n`);
