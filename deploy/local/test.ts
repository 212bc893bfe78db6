/** `make test`: brings up the world, then runs every test, and says at the end how many passed and failed. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bringUp } from './bring-up.ts';
import { projectRoot } from './cache.ts';
import { needJava } from './maven.ts';
import { removeSecondNode } from './second-node.ts';
import { program, step } from './steps.ts';
import { needTestPrograms } from './test-programs.ts';
import { readResults, resultsDirectory, summaryLine } from './test-results.ts';
import { readWorld } from './world.ts';

/** Quick ones first: they say most for the time they take. */
const projects = ['unit', 'integration', 'e2e'];

await program(async () => {
  rmSync(resultsDirectory, { recursive: true, force: true });
  mkdirSync(resultsDirectory, { recursive: true });
  await step('Programs of the tests', needTestPrograms);
  await step('Java', needJava);
  await bringUp();
  await step('What an earlier run left', removeLeftOvers);
  for (const project of projects) await runProject(project);
  const results = readResults(resultsDirectory);
  process.stdout.write(`${summaryLine(results)}\n`);
  if (results.failed > 0) throw new Error('some tests failed');
});

/** A run that was killed may have left a second node, and tests of others say what a cluster of one node says. */
async function removeLeftOvers(): Promise<void> {
  const { cluster, tools } = readWorld();
  if (cluster === undefined || tools === undefined || cluster.nodeContainer === null) return;
  await removeSecondNode({ ...cluster, ...tools, nodeContainer: cluster.nodeContainer });
}

/** Its failures are in its results; a runner that could not even start or report is a failure of its own. */
async function runProject(project: string): Promise<void> {
  const args = [
    ...['run', '--project', project, '--reporter=default', '--reporter=json'],
    `--outputFile.json=${join(resultsDirectory, `${project}.json`)}`,
  ];
  const child = spawn(join(projectRoot, 'node_modules/.bin/vitest'), args, {
    cwd: projectRoot,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const results = readResults(resultsDirectory, project);
  if (code !== 0 && results.failed === 0)
    throw new Error(`vitest --project ${project} failed outside its tests (exit code ${code})`);
}
