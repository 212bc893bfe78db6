/** Java parts from Maven: the class path that a pom.xml names, fetched once for each content of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { built, keyOfFiles, projectRoot } from './cache.ts';
import { needPrograms } from './debian-packages.ts';
import { run } from './run.ts';

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/** Maven, and a JDK for the Java programs of the tests. */
export async function needJava(): Promise<void> {
  await needPrograms({ mvn: 'maven', javac: 'default-jdk-headless' });
}

/**
 * @param folder a folder of the project with a pom.xml
 * @returns the directory with the jars of its runtime class path
 */
export async function mavenJars(name: string, folder: string): Promise<string> {
  const pom = join(projectRoot, folder, 'pom.xml');
  if (!existsSync(pom)) throw new Error(`${pom} is missing`);
  return await built(`jars-${name}`, keyOfFiles([pom]), async (into) => {
    await needJava();
    await run('mvn', [
      ...['--batch-mode', '--quiet', '--file', pom, `${plugin}:copy-dependencies`],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${into}`],
    ]);
  });
}
